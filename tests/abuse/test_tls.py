"""Handshakes that are none, too old, too large or too many. Each is refused with an alert, and costs little."""

import os
import socket
import ssl
import time
from contextlib import suppress
from typing import Any, Final

import pytest
from OpenSSL import SSL
from tests.fakes.bystander import Bystander, Watch, new_device
from tests.fakes.mqtt_packets import connect
from tests.fakes.pki import FakeCertificate, make_authority, self_signed
from tests.fakes.raw_device import API_VERSION, RESET, Gone, connect_packet, dial, lenient_context
from tests.fakes.running_hub import RunningHub
from tests.fakes.tls_client import client_context

ALERT, FATAL = 21, 2
PORTS = pytest.mark.parametrize("port", ["mqtt", "https"])
HANDSHAKE_FAILURE: Final = 40
PROTOCOL_VERSION: Final = 70
"""RFC 5246, 7.2."""


def exchange(hub: RunningHub, port: str, data: bytes) -> bytes:
    """Send bytes without TLS, and return all that comes until the hub closes."""
    with socket.create_connection((hub.address, hub.ready[port]), 8) as plain:
        with suppress(OSError):
            plain.sendall(data)
        heard = b""
        with suppress(ConnectionError):
            while piece := plain.recv(4096):
                heard += piece
        return heard


def hello(version: int, *, ciphers: bytes = b"\x00\x2f\x00\x35\xc0\x13\xc0\x14") -> bytes:
    """A ClientHello as old clients sent it, without extensions."""
    body = version.to_bytes(2, "big") + os.urandom(32) + b"\0" + len(ciphers).to_bytes(2, "big") + ciphers + b"\1\0"
    handshake = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + len(handshake).to_bytes(2, "big") + handshake


@PORTS
@pytest.mark.parametrize("version", [0x0300, 0x0301, 0x0302], ids=["SSL 3.0", "TLS 1.0", "TLS 1.1"])
def test_old_versions_are_refused_with_an_alert(hub: RunningHub, port: str, version: int) -> None:
    heard = exchange(hub, port, hello(version))
    assert (heard[0], heard[5]) == (ALERT, FATAL)
    assert heard[6] in ((PROTOCOL_VERSION, HANDSHAKE_FAILURE) if version == 0x0300 else (PROTOCOL_VERSION,))


@PORTS
def test_ciphers_without_forward_secrecy_are_refused(hub: RunningHub, port: str) -> None:
    heard = exchange(hub, port, hello(0x0303, ciphers=b"\x00\x2f\x00\x35\x00\x9c\x00\x0a\x00\x05\x00\x00"))
    assert (heard[0], heard[5]) == (ALERT, FATAL)


GARBAGE: Final[dict[str, bytes]] = {
    "plain HTTP": b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n",
    "plain MQTT": connect("d"),
    "noise": os.urandom(4000),
    "zeros": bytes(100_000),
    "SSL 2": b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + bytes(40),
    "an alert": b"\x15\x03\x01\x00\x02\x02\x28",
    "data before a handshake": b"\x17\x03\x03\x00\x10" + bytes(16),
    "a change of ciphers": b"\x14\x03\x03\x00\x01\x01",
    "a heartbeat that lies": b"\x18\x03\x03\x00\x03\x01\x40\x00",
    "an empty record": b"\x16\x03\x01\x00\x00" * 50,
    "a record over the bound": b"\x16\x03\x01\xff\xff" + bytes(65_535),
    "a ClientHello of 16 MB": b"\x16\x03\x01\x40\x00\x01\xff\xff\xff"
    + bytes(16_380)
    + (b"\x16\x03\x01\x40\x00" + bytes(16_384)) * 6,
    "a ClientHello full of ciphers": hello(0x0303, ciphers=b"\x13\x01" * 8000),
    "a ClientHello twice": hello(0x0303) * 2,
    "a Finished": b"\x16\x03\x03\x00\x10\x14\x00\x00\x0c" + bytes(12),
}


@PORTS
@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_no_handshake(hub: RunningHub, port: str, name: str) -> None:
    heard = exchange(hub, port, GARBAGE[name])
    assert heard == b"" or heard[0] in (ALERT, 22)


def long_chain(count: int, *, names: int = 0) -> FakeCertificate:
    """A device's certificate below so many authorities, each with `names` alternative names."""
    authority = make_authority("root")
    for number in range(count):
        authority = make_authority(f"line {number}", parent=authority)
    return authority.issue("device", names=[f"name-{number}.of-the-device.example" for number in range(names)])


@PORTS
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_chains_of_fifty_certificates_or_a_megabyte_are_refused(
    hub: RunningHub, watch: Watch, port: str, version: ssl.TLSVersion
) -> None:
    before = watch.memory()
    watch.forget_peak()
    for certificate in (long_chain(50), self_signed("device", names=[f"n{n}.x.example" for n in range(20_000)])):
        context = client_context(certificate, version)
        packet = connect("device", username=f"{hub.address}/device{API_VERSION}")
        with suppress(Gone, *RESET), dial(hub, "mqtt" if port == "mqtt" else "websocket", context) as peer:
            assert peer.connack(packet) is None
    assert watch.peak_memory() - before < 32 << 20


def test_a_chain_of_some_length_is_judged_and_not_cut(hub: RunningHub) -> None:
    """So that the refusal above is for the length."""
    packet = connect("device", username=f"{hub.address}/device{API_VERSION}")
    with dial(hub, context=client_context(long_chain(4))) as peer:
        assert peer.connack(packet) == 5


def openssl_client(hub: RunningHub, version: int) -> tuple[SSL.Connection, socket.socket]:
    """A client of the other library, which can do what `ssl` will not."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(version)
    context.set_max_proto_version(version)
    plain = socket.create_connection((hub.address, hub.ready["mqtt"]), 8)
    client = SSL.Connection(context, None)
    client.set_connect_state()
    client.set_tlsext_host_name(hub.address.encode())
    pump(client, plain, client.do_handshake)
    return client, plain


def pump(client: SSL.Connection, plain: socket.socket, step: Any) -> Any:
    """Do `step`, moving bytes as long as it wants some."""
    while True:
        try:
            result = step()
        except SSL.WantReadError:
            with suppress(SSL.WantReadError):
                plain.sendall(client.bio_read(65_536))
            data = plain.recv(65_536)
            if not data:
                raise ConnectionResetError("closed") from None
            client.bio_write(data)
            continue
        with suppress(SSL.WantReadError):
            plain.sendall(client.bio_read(65_536))
        return result


def test_a_client_cannot_negotiate_again(hub: RunningHub) -> None:
    """Each would cost us a handshake, without a connection."""
    device = new_device(hub)
    client, plain = openssl_client(hub, SSL.TLS1_2_VERSION)
    with plain:
        client.send(connect_packet(hub, device))
        assert pump(client, plain, lambda: client.recv(4)) == b"\x20\x02\x00\x00"
        client.renegotiate()
        with pytest.raises((SSL.Error, ConnectionError)):
            pump(client, plain, client.do_handshake)


def test_no_session_is_resumed_so_each_connection_shows_its_certificate(hub: RunningHub) -> None:
    context = lenient_context()
    first = context.wrap_socket(socket.create_connection((hub.address, hub.ready["mqtt"]), 8), server_hostname="hub")
    session = first.session
    first.close()
    second = context.wrap_socket(
        socket.create_connection((hub.address, hub.ready["mqtt"]), 8), server_hostname="hub", session=session
    )
    assert not second.session_reused
    second.close()


@PORTS
def test_handshakes_that_break_off_leave_nothing(
    hub: RunningHub, bystander: Bystander, watch: Watch, port: str
) -> None:
    def crowd() -> None:
        for number in range(200):
            with suppress(*RESET), socket.create_connection((hub.address, hub.ready[port]), 8) as plain:
                plain.sendall(hello(0x0303)[: 5 + number])

    crowd()
    watch.settled()
    before = watch.memory()
    crowd()
    bystander.newcomer()
    watch.settled()
    assert watch.memory() - before < 12 << 20


def test_handshakes_one_after_the_other_do_not_starve_the_others(hub: RunningHub, bystander: Bystander) -> None:
    """The most costly thing a stranger can ask for; between any two of them everybody else has a turn."""
    ends = time.monotonic() + 2
    while time.monotonic() < ends:
        for _ in range(20):
            dial(hub).close()
        bystander.check()
