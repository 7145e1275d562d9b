"""Requests that another reader on the way could cut differently: each is refused, and nothing behind it is executed.

Every attack comes with a good token, so that only its framing can be what is refused, and carries a second request
that would create a device if anybody took it for one.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

import pytest
from tests.fakes.bystander import Bystander, Level, Watch
from tests.fakes.raw_device import PATIENCE, RESET, TlsStream, http_request, policy_token, read_answer
from tests.fakes.running_hub import RunningHub

VERSION: Final = "?api-version=2021-04-12"
FRONT: Final = "front"
HIDDEN: Final = "hidden"


class Attack:
    """What an attack is made of."""

    def __init__(self, hub: RunningHub, token: str) -> None:
        self.hidden = http_request("PUT", f"/devices/{HIDDEN}{VERSION}", host=hub.address, token=token, body=b"{}")
        self.first = f"PUT /devices/{FRONT}{VERSION} HTTP/1.1\r\n".encode()
        self.host = f"Host: {hub.address}\r\n".encode()
        self.token = f"Authorization: {token}\r\n".encode()

    def request(self, headers: bytes = b"", body: bytes = b"", *, first: bytes | None = None) -> bytes:
        """The request in front, with these headers as they stand, and what follows its head."""
        return (self.first if first is None else first) + self.host + self.token + headers + b"\r\n" + body

    def line(self, form: str) -> bytes:
        """A request line of another form; {} is the target."""
        return form.format(f"/devices/{FRONT}{VERSION}").encode("latin-1") + b"\r\n"


Build = Callable[[Attack], bytes]


def lengths(*headers: bytes) -> dict[str, Build]:
    """A first request whose length is told in this way: what follows is its body to some, a request to others."""

    def build(header: bytes) -> Build:
        return lambda attack: attack.request(header + b"\r\n", b"0\r\n\r\n" + attack.hidden)

    return {f"length {header!r}": build(header) for header in headers}


def chunks(*bodies: bytes) -> dict[str, Build]:
    """A first request with a body in chunks of this form; HIDDEN in it is the second request."""

    def build(body: bytes) -> Build:
        return lambda attack: attack.request(
            b"Transfer-Encoding: chunked\r\n", body.replace(b"HIDDEN", attack.hidden) + attack.hidden
        )

    return {f"chunk {body!r}": build(body) for body in bodies}


def lines(*forms: str) -> dict[str, Build]:
    """A first request whose request line has this form."""

    def build(form: str) -> Build:
        return lambda attack: attack.request(first=attack.line(form)) + attack.hidden

    return {f"line {form!r}": build(form) for form in forms}


def hosts(*headers: bytes) -> dict[str, Build]:
    """A first request that names its host in this way."""

    def build(header: bytes) -> Build:
        return lambda attack: attack.first + header + attack.token + b"\r\n" + attack.hidden

    return {f"host {header!r}": build(header) for header in headers}


def heads(**changes: Callable[[bytes], bytes]) -> dict[str, Build]:
    """A first request that is changed as a whole."""

    def build(change: Callable[[bytes], bytes]) -> Build:
        return lambda attack: change(attack.request(b"Content-Length: 2\r\n", b"{}")) + attack.hidden

    return {f"head {name}": build(change) for name, change in changes.items()}


ATTACKS: Final[dict[str, Build]] = {
    # CL.TE, TE.CL, TE.TE
    **lengths(
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5",
        b"Transfer-Encoding: chunked\r\nContent-Length: 0",
        b"content-length: 5\r\ntransfer-encoding: CHUNKED",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-encoding: x",
        b"Transfer-Encoding: chunked, chunked",
        b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding: identity, chunked",
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: identity",
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding: chunkedx",
        b"Transfer-Encoding: chunked;q=1",
        b'Transfer-Encoding: "chunked"',
        b"Transfer-Encoding: chunked,",
        b"Transfer-Encoding: ,chunked",
        b"Transfer-Encoding:",
        b"Transfer-Encoding: \x0bchunked",
        b"Transfer-Encoding: \x00chunked",
        b"Transfer-Encoding: chunked\x00",
        b"Transfer-Encoding: \xa0chunked",
        b"Transfer-Encoding : chunked",
        b"Transfer-Encoding\t: chunked",
        b"Transfer-Encoding\x00: chunked",
        b"Transfer-Encoding\xa0: chunked",
        b"Transfer-Encoding:\r\n chunked",
        b"Transfer-Encoding:\r\n\tchunked",
        b"X: y\r\n Transfer-Encoding: chunked",
        b"X: y\nTransfer-Encoding: chunked",
        b"X: y\rTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r",
        # two lengths, and lengths that are no plain numbers
        b"Content-Length: 5\r\nContent-Length: 5",
        b"Content-Length: 0\r\nContent-Length: 5",
        b"Content-Length: 5\r\ncontent-length: 0",
        b"Content-Length: 5, 5",
        b"Content-Length: 5,",
        b"Content-Length: 5;",
        b"Content-Length:",
        b"Content-Length: +5",
        b"Content-Length: -5",
        b"Content-Length: 0x5",
        b"Content-Length: 5.0",
        b"Content-Length: 5e0",
        b"Content-Length: 0 5",
        b"Content-Length: 5_0",
        b"Content-Length: \xb2",
        b"Content-Length: 5\x00",
        b"Content-Length: 5\x0b",
        b"Content-Length: 00000000000000000000005",
        b"Content-Length: 18446744073709551621",
        b"Content-Length : 5",
        b"Content-Length\t: 5",
        b"Content-Length\x00: 5",
        b"Content-Length:\r\n 5",
        b"X: y\r\n Content-Length: 5",
        b"X: y\nContent-Length: 5",
    ),
    **chunks(
        b"2;x\r\n{}\r\n0\r\n\r\n",
        b"2;x=y\r\n{}\r\n0\r\n\r\n",
        b"2;x=\n0\r\n{}\r\n0\r\n\r\n",
        b"2;x=\r0\r\n{}\r\n0\r\n\r\n",
        b"2 ;x\r\n{}\r\n0\r\n\r\n",
        b"0;HIDDEN\r\n\r\n",
        b"2\n{}\n0\n\n",
        b"2\r{}\r0\r\r",
        b"2\r\n{}\n0\r\n\r\n",
        b"2\r\n{}0\r\n\r\n",
        b"2\r\n{}}\r\n0\r\n\r\n",
        b"3\r\n{}\r\n0\r\n\r\n",
        b"+2\r\n{}\r\n0\r\n\r\n",
        b"-2\r\n{}\r\n0\r\n\r\n",
        b" 2\r\n{}\r\n0\r\n\r\n",
        b"2 \r\n{}\r\n0\r\n\r\n",
        b"2\t\r\n{}\r\n0\r\n\r\n",
        b"0x2\r\n{}\r\n0\r\n\r\n",
        b"0_2\r\n{}\r\n0\r\n\r\n",
        b"2h\r\n{}\r\n0\r\n\r\n",
        b"\xb2\r\n{}\r\n0\r\n\r\n",
        b"\x002\r\n{}\r\n0\r\n\r\n",
        b"\r\n{}\r\n0\r\n\r\n",
        b"000000002\r\n{}\r\n0\r\n\r\n",
        b"100000002\r\n{}\r\n0\r\n\r\n",
        b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        b"10000000000000002\r\n{}\r\n0\r\n\r\n",
        b"2\r\n{}\r\n0\r\nX: y\r\n\r\n",
        b"2\r\n{}\r\n0\r\nContent-Length: 900\r\n\r\n",
        b"2\r\n{}\r\n0\r\nHIDDEN\r\n",
        b"2\r\n{}\r\n0\r\n\n",
        b"2\r\n{}\r\n0\r\n\r",
        b"2\r\n{}\r\n0\n\r\n",
    ),
    **lines(
        "PUT http://elsewhere.example{} HTTP/1.1",
        "PUT https://elsewhere.example:443{} HTTP/1.1",
        "CONNECT elsewhere.example:443 HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "PUT devices/x HTTP/1.1",
        "PUT  {} HTTP/1.1",
        "PUT\t{} HTTP/1.1",
        "PUT {}\tHTTP/1.1",
        "PUT {}  HTTP/1.1",
        "PUT {} HTTP/1.1 ",
        " PUT {} HTTP/1.1",
        "PUT {} x HTTP/1.1",
        "PUT {}\x00 HTTP/1.1",
        "PUT {}\xa0 HTTP/1.1",
        "PUT {}\r HTTP/1.1",
        "PUT {}\n HTTP/1.1",
        "PUT {}",
        "PUT {} HTTP/1.2",
        "PUT {} HTTP/2.0",
        "PUT {} HTTP/01.1",
        "PUT {} http/1.1",
        "PUT {} ICY/1.1",
        "PU\x00T {} HTTP/1.1",
        "PU(T {} HTTP/1.1",
        '"PUT" {} HTTP/1.1',
    ),
    **hosts(
        b"",
        b"Host:\r\n",
        b"Host: a\r\nHost: b\r\n",
        b"Host: a\r\nhost: a\r\n",
        b"Host: a, b\r\n",
        b"Host: a b\r\n",
        b"Host: user@a\r\n",
        b"Host: a/b\r\n",
        b"Host: a:b\r\n",
        b"Host : a\r\n",
        b"Host: a\x00\r\n",
        b"Host:\r\n a\r\n",
        b"Host: http://a\r\n",
    ),
    **heads(
        line_feeds_only=lambda data: data.replace(b"\r\n", b"\n"),
        carriage_returns_only=lambda data: data.replace(b"\r\n", b"\r") + b"\r\n\r\n",
        a_line_feed_ends_the_head=lambda data: data.replace(b"\r\n\r\n", b"\n\n"),
        a_line_feed_in_the_last_line_end=lambda data: data.replace(b"\r\n\r\n", b"\r\n\n"),
        two_carriage_returns=lambda data: data.replace(b"\r\n\r\n", b"\r\r\n\r\n"),
        a_space_before_the_first_header=lambda data: data.replace(b"Host:", b" Host:"),
        an_empty_name=lambda data: data.replace(b"Host:", b": x\r\nHost:"),
        no_colon=lambda data: data.replace(b"Host:", b"x\r\nHost:"),
        a_name_in_parentheses=lambda data: data.replace(b"Host:", b"(x): y\r\nHost:"),
        a_delete_character=lambda data: data.replace(b"Host:", b"x: \x7f\r\nHost:"),
        an_escape_character=lambda data: data.replace(b"Host:", b"x: \x1b[0m\r\nHost:"),
        two_tokens=lambda data: data.replace(b"Host:", b"Authorization: x\r\nHost:"),
        chunks_for_the_old_version=lambda data: data.replace(b"HTTP/1.1", b"HTTP/1.0").replace(
            b"Content-Length: 2", b"Transfer-Encoding: chunked"
        ),
    ),
}


@pytest.fixture(scope="module")
def token(hub: RunningHub) -> str:
    """Good for everything, so that nothing but the framing is refused."""
    return policy_token(hub, "iothubowner")


@pytest.fixture(scope="module")
def neighbour(hub: RunningHub, token: str) -> Iterator[TlsStream]:
    """A connection of somebody else that is kept through all attacks."""
    stream = TlsStream(hub.address, hub.ready["https"])
    yield stream
    stream.close()


@pytest.fixture(scope="module")
def before(hub: RunningHub, bystander: Bystander, watch: Watch, neighbour: TlsStream, token: str) -> Level:
    """What the hub held before the first attack, the neighbour's connection included."""
    bystander.check()
    assert still_served(hub, neighbour, token)
    return watch.settled()


def still_served(hub: RunningHub, neighbour: TlsStream, token: str) -> bool:
    """Whether the neighbour gets an answer to what it asked."""
    neighbour.send(http_request("GET", f"/devices/bystander{VERSION}", host=hub.address, token=token))
    answer = read_answer(neighbour)
    return answer is not None and answer.json["deviceId"] == "bystander"


def is_registered(hub: RunningHub, device_id: str) -> bool:
    """Whether the registry knows this device."""
    with hub.admin() as admin:
        return admin.get(f"/devices/{device_id}").status_code != 404


def is_over(stream: TlsStream, deadline: float) -> bool:
    """Whether the hub ends the connection without another answer."""
    with suppress(*RESET):
        return stream.receive(deadline) == b""
    return True


@pytest.mark.parametrize("name", ATTACKS)
def test_what_two_readers_could_cut_differently_is_refused_and_nothing_of_it_executed(
    hub: RunningHub, token: str, neighbour: TlsStream, name: str
) -> None:
    stream = TlsStream(hub.address, hub.ready["https"])
    try:
        stream.send(ATTACKS[name](Attack(hub, token)))
        answer = read_answer(stream)
        assert answer is not None
        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert answer.headers["iothub-errorcode"] == "GenericBadRequest"
        assert is_over(stream, time.monotonic() + PATIENCE)
    finally:
        stream.close()
    assert still_served(hub, neighbour, token)
    assert [device for device in (FRONT, HIDDEN) if is_registered(hub, device)] == []
