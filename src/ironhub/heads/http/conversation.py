"""One peer on HTTP/1.1: reads its requests one at a time, hands them to the application, and writes the answers.

What it protects: memory (every buffer is bounded, and strangers send no large bodies), time (a request must be whole by
a deadline that no dripping byte moves), and changes in flight: what the application has begun is never cancelled
because the peer left, since a change that is stored must also be told to the sessions it concerns.
"""

import asyncio
import logging
from enum import Enum, auto
from typing import Final

from ironhub.core.errors import HubError
from ironhub.heads.channel import Channel, ConversationFactory
from ironhub.heads.http.errors import AnswerTooSlow, RequestTooSlow
from ironhub.heads.http.exchange import Exchange
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
    ANSWERING = auto()
    CLOSED = auto()


class HttpConversation:
    """Reads requests from a channel and writes responses; a heads.listener.Conversation."""

    def __init__(
        self,
        channel: Channel,
        application: Application,
        mqtt: ConversationFactory,
        settings: HttpSettings = DEFAULT_SETTINGS,
    ) -> None:
        self._channel = channel
        self._application = application
        self._websockets = {"mqtt": mqtt}
        self._settings = settings
        self._buffer = bytearray()
        self._paused = False
        self._admitted = False
        self._timer: asyncio.TimerHandle | None = None
        self._successor: WebSocketConversation | None = None
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
            self._read_on()

    def _begin(self) -> None:
        """Wait for a request."""
        self._state = _State.IDLE
        self._exchange = Exchange(self._settings)
        self._head: Head | None = None
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
            case _:
                self._hold_back()
                return False

    def _read_head(self) -> bool:
        self._head = self._exchange.take_head(self._buffer)
        if self._head is None:
            return False
        if asks_for_websocket(self._head):
            self._hand_over(self._head)
            return False
        announced = self._head.announced
        if self._admitted or (announced is not None and announced <= self._settings.max_stranger_body):
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
        if len(self._buffer) > self._settings.max_ahead and not self._paused:
            self._paused = True
            self._channel.pause_reading()

    async def _answer(self, request: Request) -> None:
        response = await self._application.answer(request)
        if self._state is not _State.ANSWERING:
            return  # the peer is gone, or was told that it took too long
        self._channel.send(self._exchange.respond(response, self._application.clock.now()))
        if not self._exchange.keeps_alive:
            self._close()
            return
        self._begin()
        self._read_on()

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
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
