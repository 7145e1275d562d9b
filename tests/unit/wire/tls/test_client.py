"""Tests of wire/tls/client.py, against an engine of ours."""

import ssl

import pytest
from tests.fakes.pki import SERVER_AUTH, make_authority

from ironhub.wire.tls import Engine, ServerIdentity, TlsFailed, TlsSettings, make_context
from ironhub.wire.tls.client import ClientEngine, client_context

AUTHORITY = make_authority("hub")
CERTIFICATE = AUTHORITY.issue("localhost", names=["localhost"], usages=[SERVER_AUTH])


def server() -> Engine:
    """A server's engine with a certificate for localhost."""
    return make_context([ServerIdentity(CERTIFICATE.chain_pem, CERTIFICATE.key_pem)], TlsSettings()).new_engine()


def client(name: str = "localhost", ca_pem: str = AUTHORITY.pem.decode()) -> ClientEngine:
    """A client that wants to speak to `name`."""
    return ClientEngine(client_context(ca_pem), name)


def shake_hands(one: ClientEngine, other: Engine) -> None:
    """Carry the flights until both are silent."""
    while flight := one.to_send():
        other.receive(flight)
        one.receive(other.to_send())


def test_what_one_sends_the_other_reads_cut_anywhere() -> None:
    one, other = client(), server()
    shake_hands(one, other)
    assert one.handshake_done
    one.send(b"a" * 40_000)
    assert other.receive(one.to_send()) == b"a" * 40_000
    other.send(b"hello")
    other.send(b" there")
    record = other.to_send()
    assert b"".join(one.receive(record[place : place + 1]) for place in range(len(record))) == b"hello there"
    assert one.to_send() == b""


def test_nothing_is_sent_before_the_server_has_shown_who_it_is() -> None:
    one = client()
    with pytest.raises(TlsFailed):
        one.send(b"password")


@pytest.mark.parametrize("name", ["example.org", "127.0.0.1"])
def test_a_certificate_for_another_name_is_refused(name: str) -> None:
    one, other = client(name), server()
    with pytest.raises(TlsFailed, match=r"(?i)mismatch"):
        shake_hands(one, other)
    assert not one.handshake_done


def test_an_authority_nobody_trusts_is_refused() -> None:
    with pytest.raises(TlsFailed):
        shake_hands(client(ca_pem=make_authority("another").pem.decode()), server())


def test_bytes_that_are_no_tls_end_it() -> None:
    with pytest.raises(TlsFailed):
        client().receive(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    one, other = client(), server()
    shake_hands(one, other)
    with pytest.raises(TlsFailed):
        one.receive(b"\x17\x03\x03\x00\x20" + bytes(32))


def test_goodbye_is_heard_on_both_sides() -> None:
    one, other = client(), server()
    shake_hands(one, other)
    other.close()
    one.receive(other.to_send())
    assert one.peer_closed
    one, other = client(), server()
    one.close()  # before the handshake there is nothing to say
    shake_hands(one, other)
    one.close()
    other.receive(one.to_send())
    assert other.peer_closed


def test_a_ca_that_is_none_is_refused() -> None:
    with pytest.raises(ssl.SSLError):
        client_context("-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n")
