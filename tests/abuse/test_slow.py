"""Peers that take their time: silence, half a handshake, a byte now and then. All are cut in the time they have."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Final

import pytest
from tests.fakes.bystander import STRANGER_TIMEOUT, Bystander, Watch, new_device
from tests.fakes.mqtt_packets import PINGREQ, publish
from tests.fakes.raw_device import (
    MARK,
    RawDevice,
    TlsStream,
    WebSocketStream,
    connect_packet,
    dial,
    events_topic,
    frame,
    http_request,
    online,
    upgrade,
)
from tests.fakes.running_hub import RunningHub

MARGIN: Final = 6.0
"""Seconds: the time to say goodbye (5 s, for those who do not answer it) and some for a busy machine."""
PAUSE: Final = 0.1
"""Seconds between two bytes that drip."""


class Slow:
    """A connection, and what still drips into it."""

    def __init__(self, name: str, connection: socket.socket, beginning: bytes = b"", rest: bytes = b"") -> None:
        self.name = name
        self._connection = connection
        self._rest = rest
        connection.sendall(beginning)
        connection.settimeout(0.001)

    def step(self) -> bool:
        """Send a byte more if there is one; returns whether the hub has ended the connection."""
        try:
            if self._rest:
                self._connection.sendall(self._rest[:1])
                self._rest = self._rest[1:]
            ended = not self._connection.recv(4096)
        except TimeoutError:
            return False
        except OSError:
            ended = True
        if ended:
            self._connection.close()
        return ended


def plain(hub: RunningHub, port: str = "mqtt") -> socket.socket:
    """A TCP connection."""
    return socket.create_connection((hub.address, hub.ready[port]), 10)


def secured(hub: RunningHub, port: str = "mqtt") -> socket.socket:
    """A TLS connection."""
    return TlsStream(hub.address, hub.ready[port]).socket


def websocket(hub: RunningHub) -> socket.socket:
    """A WebSocket whose handshake is done."""
    return WebSocketStream(hub.address, hub.ready["https"]).tls.socket


def client_hello() -> bytes:
    """The first flight of a handshake."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname="hub").do_handshake()
    return outgoing.read()


def slow_strangers(hub: RunningHub, connect: bytes) -> list[Slow]:
    """One of each kind."""
    hello, long = client_hello(), connect + PINGREQ * 400
    head = http_request("GET", "/devices/x", host="hub")[:-4]
    telemetry, chunks = b"POST /devices/x/messages/events HTTP/1.1\r\nHost: hub\r\n", b"1\r\nx\r\n" * 200
    body = b"POST /twins/x/methods HTTP/1.1\r\nHost: hub\r\nContent-Length: 9000\r\n\r\n"
    return [
        Slow("says nothing", plain(hub)),
        Slow("says nothing to the other port", plain(hub, "https")),
        Slow("the first byte of a handshake", plain(hub), hello[:1]),
        Slow("half a ClientHello", plain(hub), hello[: len(hello) // 2]),
        Slow("a ClientHello and no more", plain(hub), hello),
        Slow("drips a ClientHello", plain(hub), b"", hello),
        Slow("says nothing inside TLS", secured(hub)),
        Slow("says nothing inside TLS to the other port", secured(hub, "https")),
        Slow("the first byte of a CONNECT", secured(hub), connect[:1]),
        Slow("all but the last byte of a CONNECT", secured(hub), connect[:-1]),
        Slow("drips a CONNECT", secured(hub), b"", long),
        Slow("half a request", secured(hub, "https"), head),
        Slow("drips a request", secured(hub, "https"), head, b"\r\nX: " + b"x" * 1000),
        Slow("a request without its body", secured(hub, "https"), body),
        Slow("drips the body", secured(hub, "https"), body, b"x" * 1000),
        Slow("drips telemetry", secured(hub, "https"), telemetry + b"Content-Length: 999\r\n\r\n", b"x" * 999),
        Slow("drips chunks", secured(hub, "https"), telemetry + b"Transfer-Encoding: chunked\r\n\r\n", chunks),
        Slow("drips empty lines before a request", secured(hub, "https"), b"", b"\r\n" * 500),
        Slow("drips an upgrade", secured(hub, "https"), b"", upgrade(hub.address) + b"x" * 1000),
        Slow("an upgrade and silence", websocket(hub)),
        Slow("drips a frame", websocket(hub), b"", frame(2, long)),
        Slow("the beginning of a CONNECT in a WebSocket", websocket(hub), frame(2, connect[:9])),
        Slow("drips frames of one byte", websocket(hub), b"", b"".join(frame(2, long[n : n + 1]) for n in range(200))),
        Slow("drips pings", websocket(hub), b"", frame(9, b"") * 200),
    ]


def test_a_slow_stranger_is_cut_in_time_and_no_byte_buys_more_of_it(hub: RunningHub, bystander: Bystander) -> None:
    waiting = slow_strangers(hub, connect_packet(hub, new_device(hub)))
    started = time.monotonic()
    bystander.newcomer()
    while waiting and time.monotonic() < started + STRANGER_TIMEOUT + MARGIN:
        round_ends = time.monotonic() + PAUSE
        waiting = [slow for slow in waiting if not slow.step()]
        bystander.peer.ping()
        time.sleep(max(round_ends - time.monotonic(), 0))  # the attacker's own pace
    assert [slow.name for slow in waiting] == []


@contextmanager
def every(peers: list[RawDevice]) -> Iterator[list[RawDevice]]:
    """Peers that are all closed at the end."""
    with ExitStack() as stack:
        for peer in peers:
            stack.enter_context(peer)
        yield peers


def test_a_session_whose_packets_are_never_whole_is_silent(hub: RunningHub) -> None:
    """[MQTT-3.1.2-24] Silence of 1.5 x keep-alive; bytes that drip are no packet."""
    part = publish(events_topic(new_device(hub)), MARK * 1000)
    with every([dial(hub), dial(hub, "websocket"), dial(hub)]) as (whole, boxed, silent):
        for peer in (whole, boxed, silent):
            assert peer.connack(connect_packet(hub, new_device(hub), keep_alive=1)) == 0
        started = time.monotonic()
        while time.monotonic() < started + 1.2:
            for place, peer in enumerate((whole, boxed)):
                peer.send(part[place : place + 1])
            time.sleep(PAUSE)  # the attacker's own pace
        for peer in (whole, boxed, silent):
            assert peer.is_closed(timeout=8)


@pytest.mark.parametrize("over", ["mqtt", "websocket"])
def test_a_length_of_256_mb_and_then_silence_reserves_nothing(hub: RunningHub, watch: Watch, over: str) -> None:
    watch.forget_peak()
    before = watch.memory()
    for _ in range(20):
        with dial(hub, over) as stranger:
            stranger.send(b"\x10\xff\xff\xff\x7f")
            assert stranger.is_closed(timeout=3)
        with online(hub, new_device(hub), over) as peer:
            peer.send(b"\x30\xff\xff\xff\x7f")
            assert peer.is_closed(timeout=3)
    assert watch.peak_memory() - before < 32 << 20


def test_a_hundred_handshakes_that_stop_half_way(hub: RunningHub, bystander: Bystander, watch: Watch) -> None:
    hello = client_hello()
    before = watch.level()
    with ExitStack() as stack:
        for number in range(100):
            connection = stack.enter_context(plain(hub, ("mqtt", "https")[number % 2]))
            connection.sendall(hello[: len(hello) - number % 50])
        bystander.check()
        bystander.newcomer()
        bystander.newcomer("websocket")
        watch.wait_for(lambda level: level.unidentified <= before.unidentified, STRANGER_TIMEOUT + MARGIN)
