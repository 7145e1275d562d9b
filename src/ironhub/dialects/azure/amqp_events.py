"""Entries of the event log as messages of the Event Hubs-compatible endpoint, written as fast as they can be read.

What a reader learns here is what `events.decode_event` says of the same entry, in AMQP's types. Most of it repeats: the
annotations of a connection and of its properties are encoded once and kept, within bounds; per message only sequence
number, offset, time and sizes are written.
Source: azure-service-api 6.8. The offset of an event is its sequence number.
"""

from struct import Struct
from typing import Final

from ironhub.dialects.azure.amqp_bags import Bag, Bags
from ironhub.dialects.azure.amqp_values import annotation_pairs, application_texts, milliseconds, standard_section
from ironhub.dialects.azure.events import connection_annotations, decode_event
from ironhub.messaging.telemetry.model import Logged, Origin, PartitionEnds, Source
from ironhub.wire.amqp.encode import long, string, symbol, timestamp
from ironhub.wire.amqp.sections import delivery_annotations_section

MAX_ORIGINS: Final = 8192
"""Connections whose annotations are kept encoded, a few hundred bytes each."""
NEVER: Final = 0.0
"""The instant that stands for the time of an event that is not there."""

_HEAD: Final = Struct(">4sII15sB")
_MAP: Final = b"\x00\x53\x72\xd1"
_OFFSET: Final = symbol("x-opt-offset") + b"\xa1"
_SEQUENCE: Final = symbol("x-opt-sequence-number") + b"\x81"
_TIMES: Final = Struct(">22sq22sq")
_TIME: Final = symbol("x-opt-enqueued-time") + b"\x83"
_HUB_TIME: Final = symbol("iothub-enqueuedtime") + b"\x83"
_PAIRS: Final = 4
"""Those four."""
_FIXED: Final = 4 + len(_OFFSET) + 1 + len(_SEQUENCE) + 8 + _TIMES.size
"""What the size of the map covers besides the digits of the offset and what is kept."""
_SMALL_DATA: Final = [b"\x00\x53\x75\xa0" + bytes((size,)) for size in range(256)]
_LARGE_DATA: Final = Struct(">4sI")
_DATA: Final = b"\x00\x53\x75\xb0"


_Connection = tuple[bytes, int]
"""What the hub says of every message of a connection: pairs of the map of message annotations, and how many."""
_NOTHING: Final = Bag(b"", 0, b"")


class EventWriter:
    """Writes the events of one hub. One is enough for all its readers; not for several threads."""

    def __init__(self, hub_name: str) -> None:
        self.hub_name = hub_name
        """Stands in what the hub itself tells."""
        self._origins: dict[Origin, _Connection | None] = {}
        self._bags = Bags()
        self._origin: Origin | None = None
        self._connection: _Connection | None = None
        self._enqueued_at = NEVER
        self._times = _times(NEVER)

    def write(self, logged: Logged) -> bytes:
        """Return the encoded message; never fails, whatever a device managed to store."""
        _, sequence, enqueued_at, (origin, properties, body, flags) = logged
        if origin is not self._origin:
            self._turn_to(origin)
        connection = self._connection
        if connection is None:
            return self._write_fact(logged)
        if enqueued_at != self._enqueued_at:
            self._enqueued_at, self._times = enqueued_at, _times(enqueued_at)
        bag = self._bags.of(origin.encoding, properties, flags) if properties or flags else _NOTHING
        return _joined(sequence, self._times, connection, bag, body)

    def write_with_metrics(self, logged: Logged, ends: PartitionEnds, now: float) -> bytes:
        """Return the encoded message, which tells how far its partition goes too.

        Args:
            now: seconds since the epoch, when `ends` was asked for.
        """
        last = ends.next - 1
        metrics = (
            ("last_enqueued_sequence_number", long(last)),
            ("last_enqueued_offset", string(str(last))),
            ("last_enqueued_time_utc", timestamp(milliseconds(ends.last_enqueued_at or NEVER))),
            ("runtime_info_retrieval_time_utc", timestamp(milliseconds(now))),
        )
        return delivery_annotations_section(metrics) + self.write(logged)

    def _turn_to(self, origin: Origin) -> None:
        """Have what is kept of `origin` at hand; a run of messages often has the same."""
        if origin not in self._origins:
            if len(self._origins) >= MAX_ORIGINS:
                self._origins.clear()
            is_fact = origin.source is Source.FACT
            self._origins[origin] = None if is_fact else _connection(connection_annotations(origin))
        self._origin, self._connection = origin, self._origins[origin]

    def _write_fact(self, logged: Logged) -> bytes:
        event = decode_event(logged, self.hub_name)
        annotations = {name: text for name, text in event.annotations.items() if name != "iothub-enqueuedtime"}
        sections = standard_section(event.properties) + application_texts(event.application)
        times = _times(event.enqueued_at)
        return _joined(event.sequence_number, times, _connection(annotations), Bag(b"", 0, sections), event.body)


def _joined(sequence: int, times: bytes, connection: _Connection, bag: Bag, body: bytes) -> bytes:
    annotations, pairs = connection
    added, more, sections, _, _ = bag
    digits = b"%d" % sequence
    length, size = len(digits), len(body)
    covered = _FIXED + length + len(annotations) + len(added)
    return b"".join(
        (
            _HEAD.pack(_MAP, covered, 2 * (_PAIRS + pairs + more), _OFFSET, length),
            digits,
            _SEQUENCE,
            sequence.to_bytes(8, "big"),
            times,
            annotations,
            added,
            sections,
            _SMALL_DATA[size] if size < 256 else _LARGE_DATA.pack(_DATA, size),
            body,
        )
    )


def _times(enqueued_at: float) -> bytes:
    ms = milliseconds(enqueued_at)
    return _TIMES.pack(_TIME, ms, _HUB_TIME, ms)


def _connection(annotations: dict[str, str]) -> _Connection:
    return annotation_pairs(annotations), len(annotations)
