"""One MQTT session as the server sees it: bytes in, events out, for 3.1, 3.1.1 and 5 alike.

What it guards: a stranger costs a small buffer for a bounded time; nothing is handed out before CONNECT, nothing is
acknowledged that its owner did not acknowledge; whatever the peer sends ends at most its own session.
"""

from typing import Final, final

from ironhub.wire.mqtt.acks import OutboundIds
from ironhub.wire.mqtt.encode import PINGRESP, encode_packet, encode_publish
from ironhub.wire.mqtt.errors import PacketTooLarge, ProtocolViolation, UnsupportedLevel, UsageError
from ironhub.wire.mqtt.events import Acknowledged, Closed, Event
from ironhub.wire.mqtt.fields import MAX_REMAINING_LENGTH
from ironhub.wire.mqtt.inbound import InboundPublishes
from ironhub.wire.mqtt.limits import SessionLimits
from ironhub.wire.mqtt.packets import (
    LEVEL_4,
    LEVEL_5,
    Ack,
    Connack,
    Connect,
    Disconnect,
    Packet,
    PacketType,
    Publish,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
    type_of,
)
from ironhub.wire.mqtt.properties import Properties, Property, number
from ironhub.wire.mqtt.reasons import (
    CONNACK_CODES,
    PUBACK_CODES,
    SERVER_DISCONNECT_CODES,
    ReasonCode,
    reason_code,
    return_code,
)
from ironhub.wire.mqtt.states import ALLOWED, State
from ironhub.wire.mqtt.stream import PacketStream
from ironhub.wire.mqtt.terms import announcement, check_connect, check_disconnect, expires_at_once, silence

_PROGRESS: Final = 4096
"""Bytes of one packet that count as a sign of life: an honest sender on a slow line may need long for a large one."""


@final
class ServerSession:
    """Feed it what the socket gives, act on the events, send `to_send()` after every call, and close when CLOSED."""

    __slots__ = (
        "_connect",
        "_expires_at_once",
        "_heard_at",
        "_ids",
        "_inbound",
        "_limits",
        "_max_outgoing",
        "_out",
        "_progress",
        "_silence",
        "_stream",
        "level",
        "state",
    )

    def __init__(self, limits: SessionLimits, now: float) -> None:
        """`now` is when the connection was made, in seconds of any clock that does not jump."""
        self.state = State.AWAITING_CONNECT
        self.level = LEVEL_4
        """The protocol level of CONNECT: 3, 4 (3.1.1) or 5."""
        self._limits = limits
        self._stream = PacketStream(limits.max_connect_packet, max_filters=limits.max_filters)
        self._out: list[bytes] = []
        self._inbound = InboundPublishes(limits)
        self._ids = OutboundIds(limits.send_window)
        self._connect: Connect | None = None
        self._expires_at_once = False
        self._max_outgoing = MAX_REMAINING_LENGTH
        self._heard_at = now
        self._silence = limits.connect_timeout
        self._progress = 0

    @property
    def next_timeout(self) -> float | None:
        """When to call `on_timeout` unless the session is asked again before; None: no wait runs."""
        if self.state is State.OPEN or self.state is State.AWAITING_CONNECT:
            return self._heard_at + self._silence
        return None

    @property
    def wants_input(self) -> bool:
        """Whether to read on; False while too much waits for acknowledgements, or for the verdict on CONNECT."""
        if self.state is State.AWAITING_VERDICT:
            return self._stream.pending == 0
        return self.state is not State.CLOSED and len(self._inbound.acks) < self._limits.receive_window

    @property
    def unacknowledged(self) -> int:
        """Publishes of the client that wait for `acknowledge`."""
        return len(self._inbound.acks)

    @property
    def in_flight(self) -> int:
        """Our publishes with QoS 1 that wait for the client's acknowledgement."""
        return len(self._ids)

    @property
    def can_publish(self) -> bool:
        """Whether `publish` takes one more with QoS 1."""
        return self.state is State.OPEN and not self._ids.is_full

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Take `bytes` (no other buffer), cut anywhere, and return the events they complete.

        Never raises for what the peer does: the last event is then `Closed`, and what came whole before it stands
        before it. What arrives while AWAITING_VERDICT waits: a client may talk before CONNACK (3.1.4).
        """
        if self.state is State.CLOSED:
            return []
        packets: list[Packet] = []
        violation: ProtocolViolation | None = None
        try:
            self._stream.feed(data, packets)
        except ProtocolViolation as error:
            violation = error
        return self._handle(packets, violation, now)

    def to_send(self) -> bytes:
        """The bytes to write to the socket, in one piece; they are given once."""
        out = self._out
        if not out:
            return b""
        data = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        return data

    def on_timeout(self, now: float) -> list[Event]:
        """End the session if the wait is over: no CONNECT in time, or silence of 1.5 x keep-alive [MQTT-3.1.2-24]."""
        deadline = self.next_timeout
        if deadline is None or now < deadline:
            return []
        if self.state is State.OPEN and not self.wants_input:
            self._heard_at = now  # it is we who do not listen
            return []
        events: list[Event] = []
        reason = "silence of 1.5 x keep-alive" if self.state is State.OPEN else "no CONNECT in time"
        self._fail(ProtocolViolation(reason, ReasonCode.KEEP_ALIVE_TIMEOUT), events)
        return events

    def accept(
        self, session_present: bool, keep_alive: int | None, now: float, properties: Properties = ()
    ) -> list[Event]:
        """Open the session; returns the events that had to wait. Does nothing where the peer is already gone.

        Args:
            session_present: whether state of an earlier session goes on.
            keep_alive: seconds; None: what CONNECT asks for. 0, or more than `max_silence` bears: `max_silence`.
            properties: MQTT 5: what CONNACK says beyond the limits, which the session announces itself: retained
                messages, wildcards, subscription identifiers and shared subscriptions count as offered unless denied.

        Raises:
            UsageError: no CONNECT waits for a verdict, or a clean session cannot be present [MQTT-3.2.2-1].
        """
        connect = self._waiting_connect()
        if connect is None:
            return []
        if session_present and connect.clean_start:
            raise UsageError("a client that asks for a clean session has none present")
        wanted = connect.keep_alive if keep_alive is None else keep_alive
        self._silence = silence(wanted, self._limits)
        if self.level == LEVEL_5:
            properties = announcement(connect, self._limits, self._silence) + properties
        self._send(Connack(session_present, 0, properties))
        self._connect = None  # it holds a secret
        self.state = State.OPEN
        return self._resume(now)

    def refuse(self, code: int, properties: Properties = ()) -> None:
        """Refuse the CONNECT and end the session. Does nothing where the peer is already gone.

        `code` is a return code of 3.1.1 (1-5) or a reason code of 5 (0x80 and up); each client hears its own.

        Raises:
            UsageError: no CONNECT waits for a verdict, or `code` is no refusal.
        """
        if not 1 <= code <= 5 and (code == 0 or code not in CONNACK_CODES):
            raise UsageError(f"{code:#04x} is no refusal")
        if self._waiting_connect() is not None:
            self._refuse(code, properties)

    def acknowledge(self, packet_id: int, code: int = 0) -> None:
        """The client's publish is safe: PUBACK leaves as soon as those before it are acknowledged too.

        Does nothing where the session is CLOSED. `code` is heard by clients of MQTT 5 only.

        Raises:
            UsageError: no such publish waits.
        """
        if self.state is State.CLOSED:
            return
        if code not in PUBACK_CODES:
            raise UsageError(f"{code:#04x} is no reason code of PUBACK")
        self._put(self._inbound.acks.settle(packet_id, code if self.level == LEVEL_5 else 0))
        if code >= ReasonCode.UNSPECIFIED_ERROR and self.level == LEVEL_5:
            self._inbound.release(packet_id)  # PUBREC with an error ends QoS 2 (MQTT 5, 4.3.3)

    def acknowledge_first(self, count: int) -> None:
        """Like `acknowledge` for the `count` oldest publishes that wait: one write for a whole batch."""
        if self.state is not State.CLOSED:
            self._put(self._inbound.acks.settle_first(count))

    def publish(
        self,
        topic: str,
        payload: bytes,
        qos: int = 0,
        retain: bool = False,
        dup: bool = False,
        properties: Properties = (),
    ) -> int:
        """Send a message; returns its packet id, which `Acknowledged` will name, or 0 with QoS 0.

        Raises:
            UsageError: the session is not open, the window is full (`can_publish`), or this is no message.
            PacketTooLarge: the client announced that it takes no packet of this size.
        """
        if self.state is not State.OPEN:
            raise UsageError("the session is not open")
        if not 0 <= qos <= 1 or not topic or "#" in topic or "+" in topic:
            raise UsageError("a message goes to a topic name, with QoS 0 or 1")
        packet_id = self._ids.peek() if qos else 0
        data = encode_publish(topic, payload, qos, packet_id, retain, dup, properties, self.level)
        if len(data) > self._max_outgoing:  # MQTT 5 [MQTT-3.1.2-24]
            raise PacketTooLarge("the client takes no packet of this size")
        if qos:
            self._ids.take(packet_id)
        self._out.append(data)
        return packet_id

    def suback(self, packet_id: int, codes: bytes) -> None:
        """Answer a Subscribe with one code for each filter: the QoS granted, or 0x80 and up (3.1.1 knows 0x80 only)."""
        if self.level != LEVEL_5:
            codes = bytes([min(code, 0x80) for code in codes])
        self._answer(Suback(packet_id, codes))

    def unsuback(self, packet_id: int, codes: bytes = b"") -> None:
        """Answer an Unsubscribe; `codes`, one for each filter, are for MQTT 5 and ignored before it."""
        self._answer(Unsuback(packet_id, codes if self.level == LEVEL_5 else b""))

    def close(self, code: int = ReasonCode.SUCCESS) -> None:
        """End the session from our side; a client of MQTT 5 hears `code` in DISCONNECT, others hear nothing."""
        if self.state is State.OPEN and self.level == LEVEL_5:  # MQTT 5 [MQTT-3.14.0-1]
            self._send(Disconnect(code))
        self._end()

    def _send(self, packet: Packet) -> None:
        self._out.append(encode_packet(packet, self.level))

    def _put(self, data: bytes) -> None:
        if data:
            self._out.append(data)

    def _answer(self, packet: Packet) -> None:
        if self.state is State.OPEN:
            self._send(packet)
        elif self.state is not State.CLOSED:
            raise UsageError("the session is not open")

    def _handle(self, packets: list[Packet], violation: ProtocolViolation | None, now: float) -> list[Event]:
        events: list[Event] = []
        if self.state is State.OPEN:
            self._note_life(bool(packets), now)
        try:
            for packet in packets:
                if isinstance(packet, Publish):
                    if self._inbound.admit(packet, self.level):
                        events.append(packet)
                    else:
                        self._put(self._inbound.repeated(packet.packet_id))
                    continue
                self._on_packet(packet, events)
                if self.state is State.CLOSED:
                    return events
            self._check_inbox()
            if violation is not None:
                raise violation
        except ProtocolViolation as error:
            self._fail(error, events)
        return events

    def _check_inbox(self) -> None:
        if self.state is State.AWAITING_VERDICT and self._stream.pending > self._limits.max_inbox:
            raise ProtocolViolation("too much was sent before CONNACK", ReasonCode.QUOTA_EXCEEDED)

    def _note_life(self, heard: bool, now: float) -> None:
        """Only whole packets count, and real progress on a large one: dripping bytes keep nothing alive."""
        if heard:
            self._heard_at = now
            self._progress = 0
        elif self._stream.pending - self._progress >= _PROGRESS:
            self._heard_at = now
            self._progress = self._stream.pending

    def _on_packet(self, packet: Packet, events: list[Event]) -> None:
        if type_of(packet) not in ALLOWED[self.state]:
            raise ProtocolViolation(f"{type_of(packet).name} may not come here", ReasonCode.PROTOCOL_ERROR)
        if isinstance(packet, Connect):
            self._on_connect(packet, events)
        elif isinstance(packet, Ack):
            self._on_ack(packet, events)
        elif isinstance(packet, (Subscribe, Unsubscribe)):
            events.append(packet)
        elif isinstance(packet, Disconnect):
            self._on_disconnect(packet, events)
        else:
            self._out.append(PINGRESP)  # [MQTT-3.12.4-1]

    def _on_connect(self, connect: Connect, events: list[Event]) -> None:
        self.level = connect.level
        try:
            check_connect(connect, self._limits)
        except ProtocolViolation as error:
            self._refuse(error.code)
            events.append(Closed(str(error), error.code))
            return
        if self.level == LEVEL_5:
            self._heed(connect)
        self._connect = connect
        self.state = State.AWAITING_VERDICT
        events.append(connect)

    def _heed(self, connect: Connect) -> None:
        """Take the client's bounds as ours (MQTT 5, 3.1.2.11)."""
        self._ids.window = min(self._ids.window, number(connect.properties, Property.RECEIVE_MAXIMUM, 65_535))
        self._max_outgoing = number(connect.properties, Property.MAXIMUM_PACKET_SIZE, MAX_REMAINING_LENGTH)
        self._expires_at_once = expires_at_once(connect)

    def _on_ack(self, ack: Ack, events: list[Event]) -> None:
        if ack.packet_type == PacketType.PUBACK:
            if self._ids.release(ack.packet_id):  # one for an id not in flight may come late, and is no error
                events.append(Acknowledged(ack.packet_id, ack.code))
            return
        if self._limits.max_qos < 2:
            raise ProtocolViolation("PUBREL without a publish of QoS 2", ReasonCode.PROTOCOL_ERROR)
        known = self._inbound.release(ack.packet_id)
        code = ReasonCode.PACKET_IDENTIFIER_NOT_FOUND if self.level == LEVEL_5 and not known else ReasonCode.SUCCESS
        self._send(Ack(PacketType.PUBCOMP, ack.packet_id, code))  # [MQTT-4.3.3-2]

    def _on_disconnect(self, packet: Disconnect, events: list[Event]) -> None:
        check_disconnect(packet, self._expires_at_once)
        self._end()
        events.append(packet)

    def _waiting_connect(self) -> Connect | None:
        """The CONNECT that waits for a verdict, None where the session is CLOSED."""
        if self.state is State.CLOSED:
            return None
        if self._connect is None:
            raise UsageError("no CONNECT waits for a verdict")
        return self._connect

    def _end(self) -> None:
        self.state = State.CLOSED
        self._stream.clear()
        self._connect = None

    def _resume(self, now: float) -> list[Event]:
        packets: list[Packet] = []
        violation: ProtocolViolation | None = None
        self._heard_at = now
        try:
            self._stream.resume(packets, level=self.level, max_packet=self._limits.max_packet)
        except ProtocolViolation as error:
            violation = error
        return self._handle(packets, violation, now)

    def _refuse(self, code: int, properties: Properties = ()) -> None:
        if self.level == LEVEL_5:
            self._send(Connack(False, reason_code(code), properties))
        else:
            self._send(Connack(False, return_code(code)))
        self._end()

    def _fail(self, violation: ProtocolViolation, events: list[Event]) -> None:
        """End the session for the peer's mistake; MQTT 5 is told why, and 3.1.1 only that its level is unknown."""
        if isinstance(violation, UnsupportedLevel):
            self._refuse(violation.code)  # [MQTT-3.1.2-2]
        else:
            self.close(violation.code if violation.code in SERVER_DISCONNECT_CODES else ReasonCode.PROTOCOL_ERROR)
        events.append(Closed(str(violation), violation.code))
