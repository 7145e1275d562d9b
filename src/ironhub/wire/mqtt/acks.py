"""Packet ids in flight: of the client's publishes that we owe an answer, and of ours that it owes us one."""

from typing import Final, final

from ironhub.wire.mqtt.errors import UsageError

_ID: Final = 0xFFFF
_QOS_2: Final = 1 << 16
_DONE: Final = 1 << 17
_CODE_SHIFT: Final = 18


@final
class InboundAcks:
    """The client's publishes that wait for PUBACK (QoS 1) or PUBREC (QoS 2).

    However they are settled, the answers leave in the order the publishes came [MQTT-4.6.0-2] [MQTT-4.6.0-3].
    """

    __slots__ = ("_ahead", "_next", "_waiting")

    def __init__(self) -> None:
        # One int each: the id, and above it whether it is QoS 2, whether it is settled, and with which code.
        self._waiting: list[int] = []
        self._ahead = 0  # how many are settled but wait for an older one
        self._next = 0  # where the search begins: behind the last one settled, since most are settled in order

    def __len__(self) -> int:
        """Publishes not answered yet."""
        return len(self._waiting)

    def add(self, packet_id: int, qos: int) -> None:
        """A publish with QoS 1 or 2 came."""
        self._waiting.append(packet_id if qos == 1 else packet_id | _QOS_2)

    def holds(self, packet_id: int) -> bool:
        """Whether a publish with this id waits for being settled, or for those before it."""
        return any(entry & _ID == packet_id for entry in self._waiting)

    def settle(self, packet_id: int, code: int = 0) -> bytes:
        """Settle one; returns the packets that may leave, which are none while an older one waits.

        Raises:
            UsageError: no publish with this id waits.
        """
        index = self._find(packet_id, self._next, len(self._waiting))
        if index < 0:
            index = self._find(packet_id, 0, self._next)
        if index < 0:
            raise UsageError(f"no publish with packet id {packet_id} waits for an acknowledgement")
        self._waiting[index] |= _DONE | code << _CODE_SHIFT
        self._ahead += 1
        self._next = index + 1
        return self._flush()

    def settle_first(self, count: int) -> bytes:
        """Settle the `count` oldest that are not settled yet; returns the packets that may leave."""
        waiting = self._waiting
        if not 0 <= count <= len(waiting) - self._ahead:
            raise UsageError(f"{count} acknowledgements, but {len(waiting) - self._ahead} publishes wait")
        if self._ahead:
            return b"".join([self.settle(self._oldest()) for _ in range(count)])
        return self._leave(count)

    def _find(self, packet_id: int, start: int, stop: int) -> int:
        waiting = self._waiting
        for index in range(start, stop):
            if waiting[index] & (_ID | _DONE) == packet_id:
                return index
        return -1

    def _oldest(self) -> int:
        return next(entry & _ID for entry in self._waiting if not entry & _DONE)

    def _flush(self) -> bytes:
        waiting = self._waiting
        count = 0
        while count < len(waiting) and waiting[count] & _DONE:
            count += 1
        self._ahead -= count
        return self._leave(count)

    def _leave(self, count: int) -> bytes:
        settled = self._waiting[:count]
        del self._waiting[:count]
        self._next = max(self._next - count, 0)
        return b"".join([_encode(entry) for entry in settled])


def _encode(entry: int) -> bytes:
    """PUBACK or PUBREC: type, a remaining length of 2, and the id; 3 with a reason code (MQTT 5)."""
    if entry <= _ID:
        return (0x4002_0000 | entry).to_bytes(4, "big")
    head = 0x5002_0000 if entry & _QOS_2 else 0x4002_0000
    code = entry >> _CODE_SHIFT
    if code:
        return (head + 0x1_0000 | entry & _ID).to_bytes(4, "big") + bytes((code,))
    return (head | entry & _ID).to_bytes(4, "big")


@final
class OutboundIds:
    """Packet ids of our publishes with QoS 1; none is used again before the client acknowledged it [MQTT-2.3.1-4]."""

    __slots__ = ("_in_flight", "_last", "window")

    def __init__(self, window: int) -> None:
        self.window = window
        """How many may be in flight."""
        self._last = 0
        self._in_flight: set[int] | None = None

    def __len__(self) -> int:
        """How many are in flight."""
        return 0 if self._in_flight is None else len(self._in_flight)

    @property
    def is_full(self) -> bool:
        """Whether the next one must wait for an acknowledgement."""
        return len(self) >= self.window

    def peek(self) -> int:
        """The id `take` will give next, 1 to 65,535; raises UsageError where the window is full."""
        if self.is_full:
            raise UsageError("the window of publishes in flight is full; ask can_publish first")
        packet_id = self._last % 65_535 + 1
        while self._in_flight is not None and packet_id in self._in_flight:
            packet_id = packet_id % 65_535 + 1
        return packet_id

    def take(self, packet_id: int) -> None:
        """Mark the id `peek` gave as in flight."""
        if self._in_flight is None:
            self._in_flight = set()
        self._in_flight.add(packet_id)
        self._last = packet_id

    def release(self, packet_id: int) -> bool:
        """The client acknowledged it; False where it was not in flight."""
        if self._in_flight is None or packet_id not in self._in_flight:
            return False
        self._in_flight.remove(packet_id)
        return True
