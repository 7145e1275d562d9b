"""WebSockets as the vendor's SDKs open and use them; the client here is the other side of the same library."""

import logging
from collections.abc import Callable

import pytest
from tests.fakes.channel import FakeChannel
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from ironhub.heads.channel import Channel
from ironhub.heads.http.errors import HandshakeRefused
from ironhub.heads.http.messages import Head
from ironhub.heads.websocket import asks_for_websocket, open_websocket

# The headers that the Python device SDK sends.
PYTHON = {
    "host": "hub.example:443",
    "upgrade": "websocket",
    "connection": "Upgrade",
    "origin": "https://hub.example:443",
    "sec-websocket-key": "MDEyMzQ1Njc4OWFiY2RlZg==",
    "sec-websocket-version": "13",
    "sec-websocket-protocol": "mqtt",
}
OPENED = b"HTTP/1.1 101 Switching Protocols\r\n"


def head(path: str = "/$iothub/websocket", method: str = "GET", version: str = "1.1", **headers: str) -> Head:
    return Head(
        method, path, "", {**PYTHON, **{name.replace("_", "-"): text for name, text in headers.items()}}, version
    )


class Inside:
    """The conversation in the WebSocket: remembers what it hears."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.heard = bytearray()
        self.calls: list[str] = []
        self.then: Callable[[bytes], None] = self.heard.extend

    def receive(self, data: bytes) -> None:
        self.then(data)

    def lost(self) -> None:
        self.calls.append("lost")

    def resumed(self) -> None:
        self.calls.append("resumed")


class Opened:
    """An open WebSocket with a client to speak to it."""

    def __init__(self, **options: int) -> None:
        self.channel = FakeChannel()
        self.inside: Inside
        self.conversation = open_websocket(head(), self.channel, {"mqtt": self._enter}, **options)
        self.client = ClientProtocol(parse_uri("wss://hub.example/"))
        self.client.connect()
        self.answer = self.channel.take()

    def _enter(self, channel: Channel) -> Inside:
        self.inside = Inside(channel)
        return self.inside

    def hear(self, *, opcode: Opcode, data: bytes = b"", fin: bool = True, mask: bool = True) -> None:
        self.conversation.receive(Frame(opcode, data, fin).serialize(mask=mask))

    def frames(self) -> list[tuple[Opcode, bytes]]:
        """What was sent, as (opcode, data)."""
        sent, frames = self.channel.take(), []
        while sent:
            assert sent[1] < 127
            size, start = (sent[1], 2) if sent[1] < 126 else (int.from_bytes(sent[2:4], "big"), 4)
            frames.append((Opcode(sent[0] & 15), sent[start : start + size]))
            sent = sent[start + size :]
        return frames


@pytest.mark.parametrize(
    "path",
    [
        "/$iothub/websocket",
        "/:18883/$iothub/websocket",
        "/%24iothub/websocket/",
        "/$IoTHub/WebSocket",
        "/$servicebus/websocket/",
    ],
)
def test_a_path_that_ends_right_can_become_a_websocket(path: str) -> None:
    assert asks_for_websocket(head(path))
    assert asks_for_websocket(head(path, upgrade="WebSocket"))


def test_other_requests_cannot() -> None:
    assert not asks_for_websocket(head("/devices"))
    assert not asks_for_websocket(head("/x$iothub/websocket/y"))
    assert not asks_for_websocket(head(upgrade="h2c"))


@pytest.mark.parametrize("name", ["mqtt", "MQTT", "Mqtt"])
def test_the_subprotocol_is_echoed_as_it_was_given(name: str) -> None:
    channel = FakeChannel()
    open_websocket(head(sec_websocket_protocol=f"other, {name}"), channel, {"mqtt": Inside})
    answer = channel.take()
    assert answer.startswith(OPENED)
    assert f"Sec-WebSocket-Protocol: {name}\r\n".encode() in answer


def test_the_answer_is_one_that_the_python_sdk_can_read() -> None:
    """Its reader wants one line with `connection` and `upgrade`, and `Sec-WebSocket-Accept: ` with a space."""
    lines = Opened().answer.decode().lower().split("\r\n")
    assert [line for line in lines if "connection" in line] == ["connection: upgrade"]
    assert any(line.startswith("sec-websocket-accept: ") for line in lines)


def test_compression_is_declined() -> None:
    channel = FakeChannel()
    offer = "permessage-deflate; client_max_window_bits"
    open_websocket(head(sec_websocket_extensions=offer), channel, {"mqtt": Inside})
    assert b"extensions" not in channel.take().lower()


@pytest.mark.parametrize(
    "bad",
    [
        head(sec_websocket_protocol="AMQPWSB10"),
        head(sec_websocket_protocol=""),
        head(sec_websocket_version="8"),
        head(sec_websocket_key="short"),
        head(connection="close"),
        head(method="POST"),
        head(version="1.0"),
        Head("GET", "/$iothub/websocket", "", {k: v for k, v in PYTHON.items() if k != "sec-websocket-protocol"}),
        Head("GET", "/$iothub/websocket", "", {k: v for k, v in PYTHON.items() if k != "sec-websocket-key"}),
    ],
)
def test_another_handshake_is_refused_and_nothing_was_sent(bad: Head) -> None:
    channel = FakeChannel()
    with pytest.raises(HandshakeRefused):
        open_websocket(bad, channel, {"mqtt": Inside})
    assert channel.take() == b""


def test_what_comes_is_unwrapped_however_it_is_cut() -> None:
    opened = Opened()
    data = Frame(Opcode.BINARY, b"abc").serialize(mask=True) + Frame(Opcode.BINARY, b"", False).serialize(mask=True)
    data += Frame(Opcode.CONT, b"d" * 200, False).serialize(mask=True) + Frame(Opcode.CONT, b"e").serialize(mask=True)
    for place in range(len(data)):
        opened.conversation.receive(data[place : place + 1])
    assert opened.inside.heard == b"abc" + b"d" * 200 + b"e"
    assert not opened.channel.closed


def test_what_goes_is_wrapped_into_binary_frames_without_a_mask() -> None:
    opened = Opened()
    opened.inside.channel.send(b"abc")
    opened.inside.channel.send(b"d" * 300)
    assert opened.frames() == [(Opcode.BINARY, b"abc"), (Opcode.BINARY, b"d" * 300)]


def test_a_ping_is_answered() -> None:
    opened = Opened()
    opened.hear(opcode=Opcode.PING, data=b"x")
    assert opened.frames() == [(Opcode.PONG, b"x")]
    opened.hear(opcode=Opcode.PONG)
    assert not opened.channel.closed


def test_who_pings_and_reads_no_answer_is_cut_off() -> None:
    opened = Opened()
    opened.channel.congested = True
    opened.hear(opcode=Opcode.PING)
    assert opened.channel.aborted


def test_text_ends_the_connection() -> None:
    """[MQTT-6.0.0-1]"""
    opened = Opened()
    opened.hear(opcode=Opcode.TEXT, data=b"hello")
    assert opened.inside.heard == b""
    assert opened.frames()[0][1][:2] == (1003).to_bytes(2, "big")
    assert opened.channel.closed


def test_a_close_is_answered_and_ends_the_connection() -> None:
    opened = Opened()
    opened.hear(opcode=Opcode.CLOSE, data=(1000).to_bytes(2, "big"))
    assert opened.frames()[0] == (Opcode.CLOSE, (1000).to_bytes(2, "big"))
    assert opened.channel.closed


@pytest.mark.parametrize("opcode", [Opcode.CLOSE, Opcode.PONG])
def test_a_control_frame_without_a_mask_ends_the_connection_quietly(
    opcode: Opcode, caplog: pytest.LogCaptureFixture
) -> None:
    """The Python SDK says goodbye like this."""
    caplog.set_level(logging.DEBUG)
    opened = Opened()
    opened.hear(opcode=opcode, mask=False)
    assert opened.channel.closed
    assert [record for record in caplog.records if not record.name.startswith("websockets.")] == []


def test_a_frame_over_the_bound_ends_the_connection() -> None:
    within, beyond = Opened(max_frame=100), Opened(max_frame=100)
    within.hear(opcode=Opcode.BINARY, data=b"x" * 100)
    assert not within.channel.closed
    beyond.hear(opcode=Opcode.BINARY, data=b"x" * 60, fin=False)
    beyond.hear(opcode=Opcode.CONT, data=b"x" * 60)
    assert beyond.channel.closed
    assert len(beyond.inside.heard) <= 100


def test_a_stranger_cannot_make_the_hub_keep_a_large_frame() -> None:
    start = Frame(Opcode.BINARY, bytes(400_000)).serialize(mask=True)
    stranger, known = Opened(), Opened()
    known.inside.channel.identified()
    for place in range(0, len(start), 16_384):
        for opened in (stranger, known):
            if not opened.channel.closed:
                opened.conversation.receive(start[place : place + 16_384])
    assert stranger.frames()[0][1][:2] == (1009).to_bytes(2, "big")
    assert (stranger.channel.closed, len(stranger.inside.heard)) == (True, 0)
    assert (known.channel.closed, len(known.inside.heard)) == (False, 400_000)


def test_the_conversation_inside_can_close() -> None:
    opened = Opened()
    opened.inside.channel.send(b"last")
    opened.inside.channel.close()
    assert opened.frames() == [(Opcode.BINARY, b"last"), (Opcode.CLOSE, (1000).to_bytes(2, "big"))]
    assert opened.channel.closed
    opened.inside.channel.send(b"too late")
    opened.inside.channel.close()
    assert opened.frames() == []


def test_what_follows_a_close_from_inside_is_not_heard() -> None:
    opened = Opened()

    def refuse(data: bytes) -> None:
        opened.inside.heard += data
        opened.inside.channel.close()

    opened.inside.then = refuse
    opened.conversation.receive(
        Frame(Opcode.BINARY, b"a").serialize(mask=True) + Frame(Opcode.BINARY, b"b").serialize(mask=True)
    )
    assert opened.inside.heard == b"a"


def test_everything_else_passes_through() -> None:
    opened = Opened()
    inner, outer = opened.inside.channel, opened.channel
    assert (inner.peer_address, inner.peer_chain, inner.server_name) == ("192.0.2.7", (), "hub.example")
    outer.congested = True
    assert inner.congested
    inner.pause_reading()
    assert not outer.reading
    inner.resume_reading()
    inner.identified()
    assert (outer.reading, outer.is_identified) == (True, True)
    opened.conversation.resumed()
    opened.conversation.lost()
    assert opened.inside.calls == ["resumed", "lost"]
    inner.abort()
    assert outer.aborted
