"""One AMQP 1.0 connection as the server sees it: bytes in, events out.

What it guards: a stranger costs a small buffer and few links; what is announced is what is held, in bytes and counts;
whatever the peer sends ends at most its own link, session or connection, by that order.
"""

from typing import Final, final

from ironhub.wire.amqp.conditions import (
    FRAMING_ERROR,
    ILLEGAL_STATE,
    INVALID_FIELD,
    NOT_ALLOWED,
    RESOURCE_LIMIT_EXCEEDED,
)
from ironhub.wire.amqp.errors import Error, ProtocolViolation
from ironhub.wire.amqp.events import Closed, Event, Opened, SaslInit
from ironhub.wire.amqp.frames import (
    AMQP_FRAME,
    AMQP_HEADER,
    EMPTY_FRAME,
    MIN_MAX_FRAME,
    PROTOCOL_HEADER,
    SASL_FRAME,
    SASL_HEADER,
    FrameBuffer,
    encode_frame,
)
from ironhub.wire.amqp.heartbeat import Heartbeat
from ironhub.wire.amqp.limits import Limits
from ironhub.wire.amqp.outbox import Outbox
from ironhub.wire.amqp.performatives import (
    Attach,
    Begin,
    Close,
    Detach,
    Disposition,
    End,
    Flow,
    Open,
    Performative,
    Transfer,
    decode_performative,
)
from ironhub.wire.amqp.sasl import OUTCOME_AUTH, OUTCOME_OK, SaslMechanisms, SaslOutcome, decode_sasl
from ironhub.wire.amqp.sasl import SaslInit as SaslInitFrame
from ironhub.wire.amqp.session import Session
from ironhub.wire.amqp.values import Value
from ironhub.wire.amqp.violations import SessionViolation, UsageError

_AWAITING_HEADER: Final = 0
"""Of either protocol."""
_AWAITING_INIT: Final = 1
_AWAITING_VERDICT: Final = 2
_AWAITING_AMQP_HEADER: Final = 3
"""After the security layer."""
_AWAITING_OPEN: Final = 4
_OPEN: Final = 5


@final
class ServerConnection:
    """Feed it what the socket gives, act on the events, send `to_send()` after every call, and close when `closed`."""

    __slots__ = (
        "_ended",
        "_frames",
        "_heartbeat",
        "_identified",
        "_limits",
        "_mechanisms",
        "_out",
        "_sessions",
        "_stage",
        "closed",
        "peer_container",
        "peer_hostname",
        "peer_properties",
    )

    def __init__(self, limits: Limits, now: float, mechanisms: tuple[str, ...]) -> None:
        """`now` is when the connection was made, in seconds of any clock that does not jump; `mechanisms` are what the
        security layer offers to a client that asks for it."""
        self._limits = limits
        self._mechanisms = mechanisms
        self._out = Outbox()
        self._frames = FrameBuffer(limits.max_stranger_frame)
        self._heartbeat = Heartbeat(limits.idle_timeout, now)
        self._sessions: dict[int, Session] = {}
        """By the peer's channels; those that wait for the peer's END among them."""
        self._ended: set[int] = set()
        """Channels whose session is over on both sides, and that have no new one."""
        self._stage = _AWAITING_HEADER
        self._identified = False
        self.closed = False
        self.peer_container = ""
        self.peer_hostname = ""
        self.peer_properties: dict[str, Value] = {}

    @property
    def next_timeout(self) -> float | None:
        """When to call `on_timeout`; None: no wait runs. Before OPEN, how long to wait is the owner's to say."""
        if self.closed or self._stage != _OPEN:
            return None
        return self._heartbeat.next_at

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Take bytes, cut anywhere, and return the events they complete.

        Never raises for what the peer does: the last event is then `Closed`, and what came whole before it stands
        before it. What comes while a SaslInit waits for its verdict waits too, for the next call (`data` may be empty).
        """
        events: list[Event] = []
        if self.closed:
            return events
        self._heartbeat.heard(len(data), now)
        try:
            self._frames.feed(data)
            if self._stage == _OPEN:
                self._drain(events, now)
            else:
                self._greet(events, now)
        except ProtocolViolation as violation:
            self._fail(Error(violation.condition, str(violation)), events)
        return events

    def to_send(self) -> bytes:
        """The bytes to write to the socket, in one piece; they are given once."""
        data = self._out.take()
        if data:
            self._heartbeat.sent = True
        return data

    def on_timeout(self, now: float) -> bool:
        """Do what is due: True if the peer was silent for too long and the connection is closed; otherwise a sign of
        life may be in `to_send()`."""
        if self.closed or self._stage != _OPEN:
            return False
        if self._heartbeat.is_dead(now):
            self.close(Error(RESOURCE_LIMIT_EXCEEDED, "nothing was heard for longer than the idle time-out"))  # 2.4.5
            return True
        if self._heartbeat.is_due(now):
            self._out.data += EMPTY_FRAME
        return False

    def identified(self) -> None:
        """The peer is a stranger no longer: the limits for all hold from now on."""
        self._identified = True
        self._frames.max_frame = self._limits.max_frame

    def sasl_outcome(self, ok: bool) -> None:
        """Answer a SaslInit; a refused one ends the connection. Then call `receive` once more, without bytes.

        Raises:
            UsageError: no SaslInit waits for its answer.
        """
        if self.closed:
            return
        if self._stage != _AWAITING_VERDICT:
            raise UsageError("no SASL exchange waits for its outcome")
        outcome = SaslOutcome(OUTCOME_OK if ok else OUTCOME_AUTH)
        self._out.data += encode_frame(SASL_FRAME, 0, outcome.encode())
        self._stage = _AWAITING_AMQP_HEADER
        if not ok:
            self.close()

    def close(self, error: Error | None = None) -> None:
        """Close from our side; there are no events for it, and all links are detached."""
        if not self.closed:
            self._shut(error, error, [])

    def _shut(self, told: Error | None, cause: Error | None, events: list[Event]) -> None:
        """Send CLOSE where there is a connection to close, and tell the owner of the end of each link and its cause."""
        if self._stage == _AWAITING_OPEN:  # CLOSE may not come first (2.4.3)
            self._open()
        if self._stage == _OPEN:
            self._out.frame(0, Close(told).encode())
        self.closed = True
        self._frames.clear()
        for session in self._sessions.values():
            session.forget(cause, events)
        self._sessions.clear()

    def _fail(self, error: Error, events: list[Event]) -> None:
        """End the connection for the peer's mistake; before there is one, our header says what we speak (2.2)."""
        if self._stage == _AWAITING_HEADER:
            self._out.data += SASL_HEADER if self._mechanisms else AMQP_HEADER
        self._shut(error, error, events)
        events.append(Closed(error.description, error))

    def _drain(self, events: list[Event], now: float) -> None:
        """Handle the frames that are whole."""
        while not self.closed:
            frame = self._frames.take()
            if frame is None:
                return
            kind, number, body = frame
            self._heartbeat.frame(now)
            if kind != AMQP_FRAME:
                raise ProtocolViolation(FRAMING_ERROR, "not an AMQP frame on an open connection")
            if body:
                self._on_frame(number, decode_performative(body), len(body), events)

    def _greet(self, events: list[Event], now: float) -> None:
        """Handle headers, the security layer and OPEN; one after the other, since each decides what the next may be."""
        while not self.closed and self._stage != _AWAITING_VERDICT:
            frame = self._frames.take()
            if frame is None:
                return
            kind, _, body = frame
            if self._stage in (_AWAITING_HEADER, _AWAITING_AMQP_HEADER):
                self._on_header(body if kind == PROTOCOL_HEADER else b"")
            elif self._stage == _AWAITING_INIT:
                self._on_sasl(kind, body, events)
            else:
                self._on_open(kind, body, events, now)
                if self._stage == _OPEN:
                    self._drain(events, now)
                    return
        if self._frames.pending > self._limits.max_stranger_frame:
            raise ProtocolViolation(RESOURCE_LIMIT_EXCEEDED, "too much was sent before the verdict on SASL")

    def _on_header(self, header: bytes) -> None:
        after_sasl = self._stage == _AWAITING_AMQP_HEADER
        if header == AMQP_HEADER:
            self._out.data += AMQP_HEADER
            self._stage = _AWAITING_OPEN
        elif header == SASL_HEADER and self._mechanisms and not after_sasl:
            self._out.data += SASL_HEADER
            self._out.data += encode_frame(SASL_FRAME, 0, SaslMechanisms(self._mechanisms).encode())
            self._stage = _AWAITING_INIT
        elif after_sasl:
            self._out.data += AMQP_HEADER
            raise ProtocolViolation(FRAMING_ERROR, "no AMQP header after the security layer")
        else:
            raise ProtocolViolation(FRAMING_ERROR, "a connection begins with something else than AMQP 1.0")

    def _on_sasl(self, kind: int, body: bytes, events: list[Event]) -> None:
        if kind != SASL_FRAME:
            raise ProtocolViolation(FRAMING_ERROR, "something else than SASL in the security layer")
        frame = decode_sasl(body)
        if not isinstance(frame, SaslInitFrame):
            raise ProtocolViolation(ILLEGAL_STATE, "the first SASL frame is no init")
        self._stage = _AWAITING_VERDICT
        events.append(SaslInit(frame.mechanism, frame.response or b"", frame.hostname or ""))

    def _on_open(self, kind: int, body: bytes, events: list[Event], now: float) -> None:
        if kind != AMQP_FRAME:
            raise ProtocolViolation(FRAMING_ERROR, "not an AMQP frame where OPEN is due")
        if not body:
            return
        frame = decode_performative(body)
        if not isinstance(frame, Open):
            raise ProtocolViolation(ILLEGAL_STATE, "the first frame is no OPEN")  # 2.4.1
        if frame.max_frame_size < MIN_MAX_FRAME:
            raise ProtocolViolation(INVALID_FIELD, "a max-frame-size of less than 512")  # 2.7.1
        if 0 < frame.idle_time_out < self._limits.min_idle * 1000:
            raise ProtocolViolation(INVALID_FIELD, "an idle-time-out that is too short")  # 2.4.5
        self._out.max_frame = frame.max_frame_size
        self._heartbeat.begin(frame.idle_time_out / 1000, now)
        self.peer_container = frame.container_id
        self.peer_hostname = frame.hostname or ""
        self.peer_properties = frame.properties_map()
        self._open()
        events.append(Opened(self.peer_container, self.peer_hostname, self.peer_properties))

    def _open(self) -> None:
        limits = self._limits
        ours = Open(
            limits.container_id,
            None,
            limits.max_frame,
            limits.max_channels - 1,
            int(limits.idle_timeout * 1000),
        )
        self._out.frame(0, ours.encode())
        self._stage = _OPEN

    def _on_frame(self, number: int, frame: Performative, size: int, events: list[Event]) -> None:
        if isinstance(frame, Begin):
            self._on_begin(number, frame)
            return
        if isinstance(frame, Close):
            self._on_close(frame, events)
            return
        if isinstance(frame, Open):
            raise ProtocolViolation(ILLEGAL_STATE, "a second OPEN")
        session = self._sessions.get(number)
        if session is None:
            if number in self._ended:
                return  # there are clients that go on about links after their own END
            raise ProtocolViolation(NOT_ALLOWED, f"a frame on channel {number}, which has no session")
        if session.channel.ended:
            if isinstance(frame, End):
                self._over(number)
            return
        try:
            self._on_session_frame(session, number, frame, size, events)
        except SessionViolation as violation:
            session.end(violation.error, events)

    def _on_session_frame(
        self, session: Session, number: int, frame: Performative, size: int, events: list[Event]
    ) -> None:
        if isinstance(frame, Transfer):
            session.on_transfer(frame, events)
        elif isinstance(frame, Disposition):
            session.on_disposition(frame, events)
        elif isinstance(frame, Flow):
            session.on_flow(frame, events)
        elif isinstance(frame, Attach):
            session.on_attach(frame, size, events)
            self._check_links()
        elif isinstance(frame, Detach):
            session.on_detach(frame, events)
        elif isinstance(frame, End):
            self._over(number)
            session.channel.end()
            session.forget(frame.error, events)

    def _on_begin(self, number: int, begin: Begin) -> None:
        limits = self._limits
        if begin.remote_channel >= 0:
            raise ProtocolViolation(NOT_ALLOWED, "a BEGIN that answers one we never sent")
        if number >= limits.max_channels:
            raise ProtocolViolation(FRAMING_ERROR, f"channel {number} is beyond channel-max")
        if number in self._sessions:
            raise ProtocolViolation(ILLEGAL_STATE, f"channel {number} has a session already")
        if not self._identified and len(self._sessions) >= limits.max_stranger_channels:
            raise ProtocolViolation(RESOURCE_LIMIT_EXCEEDED, "too many sessions before authentication")
        self._ended.discard(number)
        self._sessions[number] = Session(number, begin, self._out, limits)

    def _over(self, number: int) -> None:
        del self._sessions[number]
        self._ended.add(number)

    def _on_close(self, close: Close, events: list[Event]) -> None:
        error = close.error
        self._shut(None, error, events)
        reason = "the peer closed" if error is None else f"{error.condition} {error.description}"
        events.append(Closed(reason, error))

    def _check_links(self) -> None:
        limits = self._limits
        if not self._identified and self._out.links > limits.max_stranger_links:
            raise ProtocolViolation(RESOURCE_LIMIT_EXCEEDED, "too many links before authentication")
        if self._out.terms > limits.max_terms:
            raise ProtocolViolation(RESOURCE_LIMIT_EXCEEDED, "links take too much room")
