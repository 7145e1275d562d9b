"""How far telemetry has come in a partition, where facts follow it in the same log."""

from typing import Final, NamedTuple

from ironhub.messaging.telemetry.model import Logged, PartitionEnds, Source
from ironhub.messaging.telemetry.ports import EventLog

FIRST_WINDOW: Final = 64
"""Entries of the first look back from the end; each further one goes back four times as far."""
MAX_LOOK_BACK: Final = 65_536
"""Entries that one call looks through; who has more facts than that behind the last telemetry hears of a fact."""


class _Place(NamedTuple):
    sequence_number: int
    enqueued_at: float


class _Known(NamedTuple):
    until: int
    """Everything before it was looked at."""
    last: _Place | None
    """The newest telemetry there; None: none was found."""


class TelemetryEnds:
    """Remembers what it has seen, so that only what came since is looked at."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._known: dict[int, _Known] = {}

    async def ends(self, partition: int) -> PartitionEnds:
        """Return the bounds of a partition as if telemetry were all there is; empty where there is none.

        Raises:
            Unavailable: the disk cannot be read.
        """
        ends = await self._log.ends(partition)
        known = self._known.get(partition, _Known(0, None))
        if known.until < ends.next:
            found = await self._newest(partition, max(known.until, ends.first), ends.next)
            known = _Known(ends.next, found or known.last)
            self._known[partition] = known
        last = known.last
        if last is None or last.sequence_number < ends.first:
            return PartitionEnds(ends.first, ends.first, None)
        return PartitionEnds(ends.first, last.sequence_number + 1, last.enqueued_at)

    async def _newest(self, partition: int, floor: int, end: int) -> _Place | None:
        floor = max(floor, end - MAX_LOOK_BACK)
        window = FIRST_WINDOW
        while end > floor:
            begin = max(floor, end - window)
            found = await self._newest_of(partition, begin, end)
            if found is not None:
                return found
            end, window = begin, 4 * window
        return None

    async def _newest_of(self, partition: int, begin: int, end: int) -> _Place | None:
        found: _Place | None = None
        while begin < end:
            batch = await self._log.read(partition, begin, max_entries=end - begin)
            newest = next(filter(is_telemetry, reversed(batch.entries)), None)
            found = found if newest is None else _Place(newest.sequence_number, newest.enqueued_at)
            if batch.next <= begin:
                break
            begin = batch.next
        return found


def is_telemetry(logged: Logged) -> bool:
    """Tell whether a device sent it."""
    return logged.entry.origin.source is Source.TELEMETRY
