"""A WebSocket as a Channel: whoever talks MQTT or AMQP over TLS talks it over HTTPS too, and does not notice.

Tolerates what the vendor's SDKs do: any path in front of theirs, the subprotocol in any case, control
frames without a mask (the connection then ends, as it does anyway). Never compresses and never sends a ping.
Source: RFC 6455; MQTT 3.1.1, section 6.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from websockets.datastructures import Headers
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request as HandshakeRequest
from websockets.protocol import Protocol, Side, State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from ironhub.dialects.azure.topics import WEBSOCKET_PATHS
from ironhub.heads.channel import Channel, ConversationFactory
from ironhub.heads.http.errors import HandshakeRefused
from ironhub.heads.http.messages import Head

MAX_FRAME: Final = 524_288
"""Bytes of one message; the largest MQTT packet, and many frames of AMQP."""
MAX_STRANGER_FRAME: Final = 65_536
"""Bytes of an unfinished frame that are kept for a peer that has not authenticated."""

_QUIET: Final = logging.getLogger(f"{__name__}.library")
_QUIET.setLevel(logging.CRITICAL + 1)  # a peer's mistakes are told by us, once, or not at all


def asks_for_websocket(head: Head) -> bool:
    """Whether the request wants to become a WebSocket, at an address where that is possible."""
    path = head.path.replace("%24", "$").removesuffix("/").lower()
    return path.endswith(WEBSOCKET_PATHS) and "websocket" in head.headers.get("upgrade", "").lower()


def open_websocket(
    head: Head, channel: Channel, factories: Mapping[str, ConversationFactory], *, max_frame: int = MAX_FRAME
) -> "WebSocketConversation":
    """Answer the handshake and return who takes the bytes of `channel` from now on.

    Args:
        factories: who talks inside, by lower-case subprotocol.

    Raises:
        HandshakeRefused: no handshake of RFC 6455, or a subprotocol nobody here speaks; nothing was sent.
    """
    protocol = ServerProtocol(select_subprotocol=_chooser(factories), logger=_QUIET)
    if head.method != "GET" or head.version != "1.1":
        raise HandshakeRefused("a WebSocket begins with GET and HTTP/1.1")
    headers = Headers()
    for name, value in head.headers.items():
        headers[name] = value
    response = protocol.accept(HandshakeRequest(head.path, headers))
    if response.status_code != 101 or protocol.subprotocol is None:
        raise HandshakeRefused("not a WebSocket handshake, or none of the subprotocols is served here")
    channel.send(response.serialize())
    return WebSocketConversation(channel, factories[protocol.subprotocol.lower()], max_frame)


class WebSocketConversation:
    """Unwraps what the peer sends for the conversation inside, which sees this object's WebSocketChannel."""

    def __init__(self, channel: Channel, factory: ConversationFactory, max_frame: int) -> None:
        self._channel = channel
        self._protocol = Protocol(Side.SERVER, state=State.OPEN, max_size=max_frame, logger=_QUIET)
        self._over = False
        self._stranger = True
        self._unfinished = 0
        self._inner = factory(WebSocketChannel(self, channel))

    @property
    def is_stranger(self) -> bool:
        """Whether nobody has authenticated inside yet, whatever was shown before the handshake."""
        return self._stranger

    def receive(self, data: bytes) -> None:
        """Take bytes from the peer, cut anywhere."""
        self._protocol.receive_data(data)
        events = self._protocol.events_received()
        self._unfinished = 0 if events else self._unfinished + len(data)
        if self._stranger and self._unfinished > MAX_STRANGER_FRAME:
            self._protocol.fail(CloseCode.MESSAGE_TOO_BIG)
        for event in events:
            if isinstance(event, Frame) and not self._over:
                self._take(event)
        self._flush()
        if self._protocol.state is not State.OPEN and not self._over:
            self._over = True
            self._channel.close()

    def lost(self) -> None:
        """The connection is over, whoever ended it."""
        self._inner.lost()

    def resumed(self) -> None:
        """The peer reads again."""
        self._inner.resumed()

    def send(self, data: bytes) -> None:
        """Send `data` as one binary message."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_binary(data)
            self._flush()

    def close(self) -> None:
        """Say goodbye and close; what was sent before arrives."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
            self._flush()
        self._over = True
        self._channel.close()

    def abort(self) -> None:
        """Close at once."""
        self._over = True
        self._channel.abort()

    def identified(self) -> None:
        """The peer has authenticated."""
        self._stranger = False
        self._channel.identified()

    def _take(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.BINARY | Opcode.CONT:
                self._inner.receive(bytes(frame.data))
            case Opcode.TEXT:
                self._protocol.fail(CloseCode.UNSUPPORTED_DATA)  # [MQTT-6.0.0-1]
            case Opcode.PING if self._channel.congested:
                self.abort()  # it asks for answers and reads none
            case _:
                pass

    def _flush(self) -> None:
        if data := b"".join(self._protocol.data_to_send()):
            self._channel.send(data)


class WebSocketChannel:
    """What the conversation inside sends to: a heads.listener.Channel that frames."""

    def __init__(self, socket: WebSocketConversation, channel: Channel) -> None:
        self._socket = socket
        self._channel = channel

    @property
    def peer_address(self) -> str:
        """As of the connection below."""
        return self._channel.peer_address

    @property
    def peer_chain(self) -> tuple[bytes, ...]:
        """As of the connection below."""
        return self._channel.peer_chain

    @property
    def server_name(self) -> str | None:
        """As of the connection below."""
        return self._channel.server_name

    @property
    def congested(self) -> bool:
        """As of the connection below."""
        return self._channel.congested

    def send(self, data: bytes) -> None:
        """Send `data` as one binary message; it may hold several packets or a part of one."""
        self._socket.send(data)

    def close(self) -> None:
        """Flush, say goodbye, close."""
        self._socket.close()

    def abort(self) -> None:
        """Close at once; nothing more is sent."""
        self._socket.abort()

    def pause_reading(self) -> None:
        """As of the connection below."""
        self._channel.pause_reading()

    def resume_reading(self) -> None:
        """As of the connection below."""
        self._channel.resume_reading()

    def identified(self) -> None:
        """The peer is no stranger any more."""
        self._socket.identified()


def _chooser(
    factories: Mapping[str, ConversationFactory],
) -> Callable[[ServerProtocol, Sequence[Subprotocol]], Subprotocol | None]:
    """The first offered subprotocol that is served, spelt as the client spelt it: the C SDK writes MQTT."""

    def choose(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        return next((name for name in offered if name.lower() in factories), None)

    return choose
