"""One accepted connection: TLS below, a conversation above, deadlines and bounds all around."""

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast

from ironhub.heads.channel import Conversation
from ironhub.wire.tls import Engine, TlsFailed

if TYPE_CHECKING:
    from ironhub.heads.listener import Listener

log: Final = logging.getLogger(__name__)

# How far a connection has come, in order. Plain ints: they are compared for every record.
_ACCEPTED: Final = 0
_SECURED: Final = 1
"""The handshake is done."""
_HEARD: Final = 2
"""The first plaintext has come."""
_IDENTIFIED: Final = 3
_CLOSING: Final = 4
"""Nothing is sent or handed on any more."""
_OVER: Final = 5

_BY_CONVERSATION: Final = 1
_BY_CONGESTION: Final = 2
_BY_TURN: Final = 4

_LARGE: Final = 65_536
"""Bytes of one read after which the others have their turn: the loop would read from the same socket again, many times
over, for as long as its peer keeps it full."""


class Connection:
    """A Channel to its conversation, an asyncio.Protocol to its transport, a Peer to the limits: one object, to stay
    small. It derives from none of them, so that it can be compiled."""

    __slots__ = (
        "_accepted_at",
        "_conversation",
        "_engine",
        "_listener",
        "_paused",
        "_phase",
        "_timer",
        "_transport",
        "congested",
        "peer_address",
    )

    def __init__(self, listener: "Listener") -> None:
        self._listener = listener
        self._engine: Engine | None = None
        self._conversation: Conversation | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._phase = _ACCEPTED
        self._paused = 0
        self.congested = False
        self.peer_address = ""

    # The transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer was accepted; it gets an engine with its first byte, so silence costs little."""
        self._transport = cast("asyncio.Transport", transport)
        listener, settings = self._listener, self._listener.settings
        name = transport.get_extra_info("peername")
        self.peer_address = name[0] if name else ""
        self._accepted_at = listener.loop.time()
        if not name or not listener.enter(self):
            self.abort()
            return
        self._transport.set_write_buffer_limits(settings.high_water, settings.low_water)
        self._timer = listener.loop.call_at(self._deadline(), self._on_deadline)

    def data_received(self, data: bytes) -> None:
        """Ciphertext came; nearly always one record of an identified peer."""
        if self._phase >= _CLOSING:
            return
        if len(data) >= _LARGE:
            self._pause(_BY_TURN)
            self._listener.loop.call_soon(self._resume, _BY_TURN)
        engine = self._engine or self._begin()
        try:
            plaintext = engine.receive(data)
        except TlsFailed as failure:
            self._refuse(engine, failure)
            return
        if self._phase < _HEARD and not self._advance(engine, plaintext):
            return
        if plaintext:
            try:
                self._conversation.receive(plaintext)  # type: ignore[union-attr]  # _advance has made it
            except Exception as error:  # noqa: BLE001  # it costs this conversation only
                self._failed("receive", error)
        else:
            self._write(engine.to_send())  # a key update's answer, an alert
        if engine.peer_closed:
            self.close()

    def eof_received(self) -> bool:
        """The peer sends no more: say goodbye; the transport closes once all is written."""
        self.close()
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        """It is over."""
        self._phase = _OVER
        self._stop_timer()
        self._listener.leave(self)
        conversation, self._conversation = self._conversation, None
        if conversation is not None:
            try:
                conversation.lost()
            except Exception as error:  # noqa: BLE001  # it costs this conversation only
                self._failed("lost", error)
        self._engine = None  # tens of KiB, which else wait until somebody collects cycles

    def pause_writing(self) -> None:
        """The peer does not read its answers, so nothing more is asked of it."""
        self.congested = True
        self._pause(_BY_CONGESTION)

    def resume_writing(self) -> None:
        """The peer reads again."""
        self.congested = False
        self._resume(_BY_CONGESTION)
        if self._conversation is not None and self._phase < _CLOSING:
            try:
                self._conversation.resumed()
            except Exception as error:  # noqa: BLE001  # it costs this conversation only
                self._failed("resumed", error)

    # The conversation calls: see Channel.

    @property
    def peer_chain(self) -> tuple[bytes, ...]:
        """See `Channel.peer_chain`."""
        return () if self._engine is None else self._engine.peer_chain

    @property
    def server_name(self) -> str | None:
        """See `Channel.server_name`."""
        return None if self._engine is None else self._engine.server_name

    def send(self, data: bytes) -> None:
        """See `Channel.send`."""
        if self._phase >= _CLOSING or self._engine is None:
            return
        try:
            self._engine.send(data)
        except TlsFailed:
            self.abort()
            return
        self._write(self._engine.to_send())
        if self.congested and self._transport.get_write_buffer_size() > self._listener.settings.max_queued:
            self._listener.counts.overflowed += 1
            log.info("peer_reads_too_slowly", extra={"peer": self.peer_address})
            self.abort()

    def close(self) -> None:
        """See `Channel.close`."""
        if self._phase >= _CLOSING:
            return
        self._phase = _CLOSING
        self._stop_timer()
        self._say_goodbye()
        # Closing a socket with unread bytes in it resets the connection, and the peer may never see our last words: so
        # only our direction ends here, what still comes is thrown away until the peer ends too, or its time is up.
        with suppress(RuntimeError, OSError):
            self._transport.write_eof()
            if self._paused:
                self._transport.resume_reading()
        self._timer = self._listener.loop.call_later(self._listener.settings.close_timeout, self.abort)

    def abort(self) -> None:
        """See `Channel.abort`."""
        if self._phase < _OVER:
            self._phase = _CLOSING
            self._stop_timer()
            self._transport.abort()

    def pause_reading(self) -> None:
        """See `Channel.pause_reading`."""
        self._pause(_BY_CONVERSATION)

    def resume_reading(self) -> None:
        """See `Channel.resume_reading`."""
        self._resume(_BY_CONVERSATION)

    def identified(self) -> None:
        """See `Channel.identified`."""
        if self._phase < _IDENTIFIED:
            self._phase = _IDENTIFIED
            self._stop_timer()
            self._listener.limits.identified(self)

    # The limits call.

    def drop(self) -> None:
        """See `Peer.drop`."""
        self._listener.counts.displaced += 1
        log.info("stranger_displaced", extra={"peer": self.peer_address})
        self.abort()

    # Steps.

    def _begin(self) -> Engine:
        self._engine = self._listener.context.new_engine()
        return self._engine

    def _advance(self, engine: Engine, plaintext: bytes) -> bool:
        """Go on from what came before the first plaintext; False: there is nothing yet for a conversation."""
        self._write(engine.to_send())
        if self._phase == _ACCEPTED and engine.handshake_done:
            self._phase = _SECURED
            self._listener.counts.handshakes += 1
            try:
                self._conversation = self._listener.factory(self)
            except Exception as error:  # noqa: BLE001  # it costs this conversation only
                self._failed("open", error)
        if plaintext and self._phase == _SECURED:
            self._phase = _HEARD
        return self._phase in (_SECURED, _HEARD, _IDENTIFIED)

    def _deadline(self) -> float:
        """When the peer must have come further than it has, on the loop's clock; infinite once it is identified."""
        settings = self._listener.settings
        waits = (settings.handshake_timeout, settings.first_byte_timeout, settings.connect_timeout)[self._phase :]
        return self._accepted_at + min(waits, default=float("inf"))

    def _on_deadline(self) -> None:
        """The time for some step is up; the peer may have made it, and then the next one's runs."""
        deadline = self._deadline()
        if self._listener.loop.time() < deadline:
            self._timer = self._listener.loop.call_at(deadline, self._on_deadline)
            return
        self._timer = None
        self._listener.counts.timed_out += 1
        step = ("handshake", "first_byte", "connect")[self._phase]
        log.info("stranger_timed_out", extra={"step": step, "peer": self.peer_address})
        self.abort()

    def _refuse(self, engine: Engine, failure: TlsFailed) -> None:
        self._listener.counts.tls_failures += 1
        log.info("tls_failed", extra={"reason": str(failure), "peer": self.peer_address})
        self._write(engine.to_send())  # the alert
        self.close()

    def _failed(self, method: str, error: Exception) -> None:
        log.error("conversation_failed", exc_info=error, extra={"in_method": method, "peer": self.peer_address})
        self.abort()

    def _say_goodbye(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._write(self._engine.to_send())

    def _write(self, ciphertext: bytes) -> None:
        if ciphertext:
            try:  # once per message: a context manager would cost more than the call
                self._transport.write(ciphertext)
            except (RuntimeError, OSError):
                return  # closed by the peer with nobody told yet; connection_lost follows

    def _pause(self, reason: int) -> None:
        if not self._paused and self._phase < _CLOSING:
            with suppress(RuntimeError, OSError):
                self._transport.pause_reading()
        self._paused |= reason

    def _resume(self, reason: int) -> None:
        was, self._paused = self._paused, self._paused & ~reason
        if was and not self._paused and self._phase < _CLOSING:
            with suppress(RuntimeError, OSError):
                self._transport.resume_reading()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
