"""One peer on HTTP/1.1: reads its requests one at a time, hands them to the application, and writes the answers.

What it protects: memory (every buffer is bounded, and strangers send no large bodies), time (a request must be whole by
a deadline that no dripping byte moves; a body that is taken as it comes must come at a least rate), and changes in
flight: what the application has begun is never cancelled because the peer left, since a change that is stored must also
be told to the sessions it concerns.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from enum import Enum, auto
from typing import Final

from ironhub.core.errors import HubError
from ironhub.heads.channel import Channel, ConversationFactory
from ironhub.heads.http.errors import AnswerTooSlow, RequestTooSlow
from ironhub.heads.http.exchange import Exchange
from ironhub.heads.http.incoming import IncomingBody
from ironhub.heads.http.messages import DEFAULT_SETTINGS, Application, Head, HttpSettings, Request, Response
from ironhub.heads.websocket import WebSocketConversation, asks_for_websocket, open_websocket

log: Final = logging.getLogger(__name__)


class _State(Enum):
    IDLE = auto()
    """Nothing of a request has come."""
    HEAD = auto()
    ADMITTING = auto()
    """The head announces so much that its credential is looked at first."""
    BODY = auto()
    STREAMING = auto()
    """The application takes the body as it comes."""
    ANSWERING = auto()
    SENDING = auto()
    """The head of the answer is sent, its body follows as the peer reads."""
    CLOSED = auto()


class HttpConversation:
    """Reads requests from a channel and writes responses; a heads.listener.Conversation."""

    def __init__(
        self,
        channel: Channel,
        application: Application,
        websockets: Mapping[str, ConversationFactory],
        settings: HttpSettings = DEFAULT_SETTINGS,
    ) -> None:
        """Take who answers requests, and who talks inside a WebSocket, by lower-case subprotocol."""
        self._channel = channel
        self._application = application
        self._websockets = websockets
        self._settings = settings
        self._buffer = bytearray()
        self._paused = False
        self._admitted = False
        self._timer: asyncio.TimerHandle | None = None
        self._successor: WebSocketConversation | None = None
        self._room = asyncio.Event()
        """Set when the peer may have room for more of an answer."""
        self._heard = 0
        self._held = False
        """Whether the hub itself let the peer wait, in this window of the rate."""
        self._begin()

    def receive(self, data: bytes) -> None:
        """Take bytes from the peer, cut anywhere."""
        if self._successor is not None:
            self._successor.receive(data)
        elif self._state is not _State.CLOSED:
            self._buffer += data
            self._advance()

    def lost(self) -> None:
        """The connection is over, whoever ended it."""
        self._end()
        if self._successor is not None:
            self._successor.lost()

    def resumed(self) -> None:
        """The peer reads again."""
        if self._successor is not None:
            self._successor.resumed()
        elif self._state is not _State.CLOSED:
            self._room.set()
            self._read_on()

    def _begin(self) -> None:
        """Wait for a request."""
        self._state = _State.IDLE
        self._exchange = Exchange(self._settings)
        self._head: Head | None = None
        self._incoming: IncomingBody | None = None
        self._arm(self._settings.idle_timeout)

    def _advance(self) -> None:
        try:
            while self._step():
                pass
        except HubError as error:
            self._refuse(error)

    def _step(self) -> bool:
        """Do what the state and the buffer allow; returns whether there may be more to do at once."""
        match self._state:
            case _State.IDLE if self._buffer and not self._channel.congested:
                self._state = _State.HEAD
                self._arm(self._settings.request_timeout)
                return True
            case _State.HEAD:
                return self._read_head()
            case _State.BODY:
                return self._read_body()
            case _State.STREAMING:
                return self._read_stream()
            case _:
                self._hold_back()
                return False

    def _read_head(self) -> bool:
        self._head = self._exchange.take_head(self._buffer, self._application.stream_limit)
        if self._head is None:
            return False
        if asks_for_websocket(self._head):
            self._hand_over(self._head)
            return False
        announced = self._head.announced
        small = announced is not None and announced <= self._settings.max_stranger_body
        if not self._exchange.streams and (self._admitted or small):
            self._go_ahead()
        else:
            self._state = _State.ADMITTING
            self._application.background.spawn(self._admit(self._head))
        return True

    async def _admit(self, head: Head) -> None:
        refusal = await self._application.admit(head, self._channel)
        if self._state is not _State.ADMITTING:
            return
        if refusal is not None:
            self._end_with(refusal)
            return
        self._admitted = True
        self._go_ahead()
        self._read_on()

    def _go_ahead(self) -> None:
        self._state = _State.BODY
        if go_ahead := self._exchange.go_ahead():
            self._channel.send(go_ahead)
        if self._exchange.streams and self._head is not None:
            self._stream(self._head)

    def _stream(self, head: Head) -> None:
        """Hand the body over while it comes."""
        self._state = _State.STREAMING
        self._heard, self._held = 0, False
        self._arm(self._settings.rate_window)
        self._incoming = IncomingBody(head.announced, self._piece_taken)
        self._application.background.spawn(self._answer(Request(head, b"", self._channel, self._incoming)))

    def _read_stream(self) -> bool:
        if self._incoming is None:
            return False
        if self._incoming.waiting > self._settings.max_waiting:
            self._pause()
            return False
        piece = self._exchange.take_piece(self._buffer)
        self._heard += len(piece)
        if piece:
            self._incoming.put(piece)
        if self._exchange.whole:
            self._incoming.end()
            self._state = _State.ANSWERING
            self._arm(self._settings.answer_timeout)
        return False

    def _piece_taken(self) -> None:
        """What waited is being stored: read on once there is little left."""
        waiting = 0 if self._incoming is None else self._incoming.waiting
        if self._paused and self._state is _State.STREAMING and waiting <= self._settings.max_waiting // 2:
            self._read_on()

    def _read_body(self) -> bool:
        body = self._exchange.take_body(self._buffer)
        if body is None or self._head is None:
            return False
        self._state = _State.ANSWERING
        self._arm(self._settings.answer_timeout)
        self._application.background.spawn(self._answer(Request(self._head, body, self._channel)))
        return True

    def _hold_back(self) -> None:
        """A client that sends on before its answer, or reads none, has to wait."""
        if len(self._buffer) > self._settings.max_ahead:
            self._pause()

    def _pause(self) -> None:
        self._held = True
        if not self._paused:
            self._paused = True
            self._channel.pause_reading()

    async def _answer(self, request: Request) -> None:
        response = await self._application.answer(request)
        if self._state not in (_State.ANSWERING, _State.STREAMING):
            return  # the peer is gone, or was told that it took too long
        self._channel.send(self._exchange.respond(response, self._application.clock.now()))
        if response.stream is not None and not self._exchange.sends_no_body and not await self._pour(response.stream):
            return
        if not self._exchange.keeps_alive:
            self._close()
            return
        self._begin()
        self._read_on()

    async def _pour(self, stream: AsyncIterator[bytes]) -> bool:
        """Send a body as fast as the peer reads it; False: the connection is over."""
        self._state = _State.SENDING
        try:
            async for piece in stream:
                self._arm(self._settings.read_timeout)
                self._channel.send(piece)
                while self._channel.congested and self._state is _State.SENDING:
                    self._room.clear()
                    await self._room.wait()
                if self._state is not _State.SENDING:
                    return False
        except HubError as error:  # too late to say so: a body that is cut short is what the peer sees
            log.error("http_answer_cut", extra={"code": error.code, "detail": error.detail or str(error)})  # noqa: TRY400
            self._end()
            self._channel.abort()
            return False
        return self._state is _State.SENDING

    def _read_on(self) -> None:
        """Go on; `_hold_back` pauses again if what was read before is still too much."""
        if self._paused:
            self._paused = False
            self._channel.resume_reading()
        self._advance()

    def _hand_over(self, head: Head) -> None:
        """From here on the WebSocket owns the channel.

        A peer that was identified by an earlier request has no deadline below any more: it gets one here.
        """
        self._successor = open_websocket(head, self._channel, self._websockets)
        early = bytes(self._buffer)
        self._end()
        self._arm(self._settings.request_timeout)
        if early:
            self._successor.receive(early)

    def _refuse(self, error: HubError) -> None:
        log.info("http_request_unreadable", extra={"code": error.code, "peer": self._channel.peer_address})
        self._end_with(self._application.refuse(error))

    def _end_with(self, response: Response) -> None:
        self._channel.send(self._exchange.respond(response, self._application.clock.now(), closing=True))
        self._close()

    def _late(self) -> None:
        if self._successor is not None:
            if self._successor.is_stranger:
                log.info("stranger_timed_out", extra={"step": "websocket", "peer": self._channel.peer_address})
                self._channel.abort()
            return
        match self._state:
            case _State.HEAD | _State.ADMITTING | _State.BODY:
                self._refuse(RequestTooSlow("the request did not arrive in time"))
            case _State.ANSWERING:
                self._refuse(AnswerTooSlow("the hub did not answer in time"))
            case _State.STREAMING if self._heard >= self._settings.min_rate * self._settings.rate_window or self._held:
                self._heard, self._held = 0, self._paused
                self._arm(self._settings.rate_window)
            case _State.STREAMING:
                self._refuse(RequestTooSlow("the body comes too slowly"))
            case _State.SENDING:
                log.info("peer_reads_too_slowly", extra={"peer": self._channel.peer_address})
                self._end()
                self._channel.abort()
            case _:
                self._close()

    def _arm(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._late)

    def _close(self) -> None:
        self._end()
        self._channel.close()

    def _end(self) -> None:
        self._state = _State.CLOSED
        self._buffer.clear()
        self._room.set()
        if self._incoming is not None:
            self._incoming.lose("the connection ended before the body did")
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
