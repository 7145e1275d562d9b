"""Listening sockets, and why one could not be had."""

import errno
import socket

import pytest

from ironhub.heads.sockets import (
    MAX_SEGMENT,
    AddressUnusable,
    PortRefused,
    PortTaken,
    bind,
    bind_all,
    port_of,
    translate,
)


def test_several_addresses_share_one_free_port() -> None:
    bound = bind_all(["127.0.0.1", "::1"], 0)
    try:
        assert port_of(bound[0]) == port_of(bound[1]) > 0
        assert [each.family for each in bound] == [socket.AF_INET, socket.AF_INET6]
    finally:
        for each in bound:
            each.close()


def test_clients_that_write_the_segment_size_back_can() -> None:
    """Azure service API, section 12.5: what a connected client reads must be at most 32767."""
    with bind("127.0.0.1", 0) as listening:
        listening.listen()
        with socket.create_connection(listening.getsockname()) as client:
            segment = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
            assert segment <= MAX_SEGMENT
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, segment)


def test_a_taken_port_is_named_and_nothing_stays_bound() -> None:
    with bind("::1", 0) as other:
        other.listen()
        port = port_of(other)
        with pytest.raises(PortTaken, match=rf"{port} on ::1") as caught:
            bind_all(["127.0.0.1", "::1"], port)
        assert caught.value.code == "listener.port_taken"
        bind("127.0.0.1", port).close()


def test_a_free_port_is_sought_again_if_another_address_has_it_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's choice for the first address may be taken on the second."""
    taken: list[int] = []

    def bind_once_taken(address: str, port: int) -> socket.socket:
        if port and not taken:
            taken.append(port)
            raise PortTaken("taken by another program in between")
        return bind(address, port)

    monkeypatch.setattr("ironhub.heads.sockets.bind", bind_once_taken)
    for each in bind_all(["127.0.0.1", "::1"], 0):
        each.close()
    assert taken


def test_seeking_a_free_port_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(address: str, port: int) -> socket.socket:
        raise PortTaken("always")

    monkeypatch.setattr("ironhub.heads.sockets.bind", refuse)
    with pytest.raises(PortTaken):
        bind_all(["127.0.0.1"], 0)


@pytest.mark.parametrize("address", ["192.0.2.1", "no such name", "2001:db8::1"])
def test_an_address_that_is_not_ours_is_said_so(address: str) -> None:
    with pytest.raises(AddressUnusable):
        bind_all(["127.0.0.1", address], 0)


def test_no_address_is_no_listener() -> None:
    with pytest.raises(AddressUnusable, match="no address"):
        bind_all([], 0)


def test_a_refused_port_says_what_to_do() -> None:
    refusal = translate(PermissionError(errno.EACCES, "Permission denied"), "0.0.0.0", 443)
    assert isinstance(refusal, PortRefused)
    assert refusal.code == "listener.port_refused"
    assert "CAP_NET_BIND_SERVICE" in refusal.next_step


def test_a_family_the_machine_does_not_have_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> socket.socket:
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")

    monkeypatch.setattr("ironhub.heads.sockets.socket.socket", refuse)
    with pytest.raises(AddressUnusable, match="family"):
        bind("::1", 0)
