"""The stream ports within one process: the bus, and an event log that forgets everything when the process ends."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ironhub.core.bus import Notice
from ironhub.core.clock import Clock
from ironhub.core.errors import HubError, Unavailable
from ironhub.core.ids import DeviceId
from ironhub.messaging.telemetry.model import Batch, Entry, PartitionEnds
from ironhub.messaging.telemetry.ports import Stored
from ironhub.streams.chunks import size_of
from ironhub.streams.gather import Gather
from ironhub.streams.settings import LogSettings, partition_of
from ironhub.streams.tail import Block
from ironhub.streams.waiting import Waiters

log = logging.getLogger(__name__)


class InprocBus:
    """core.bus.Bus for one node: `publish` has told everybody when it returns, unless a handler called it."""

    def __init__(self) -> None:
        self._handlers: dict[object, Callable[[Notice], None]] = {}
        self._notices: deque[Notice] = deque()
        self._delivering = False

    def publish(self, notice: Notice) -> None:
        """Tell every subscriber, in order; a handler that raises is logged and stops nobody else."""
        self._notices.append(notice)
        if self._delivering:
            return  # a handler publishes: everybody hears the notice at hand first
        self._delivering = True
        try:
            while self._notices:
                self._deliver(self._notices.popleft())
        finally:
            self._delivering = False

    def subscribe(self, handler: Callable[[Notice], None]) -> Callable[[], None]:
        """Call `handler` with each later notice until the returned function is called."""
        token = object()
        self._handlers[token] = handler

        def unsubscribe() -> None:
            self._handlers.pop(token, None)

        return unsubscribe

    def _deliver(self, notice: Notice) -> None:
        for token in tuple(self._handlers):
            handler = self._handlers.get(token)
            if handler is None:
                continue  # it left while this notice was told to others
            try:
                handler(notice)
            except Exception:
                log.exception("bus_handler_failed", extra={"notice": type(notice).__name__})


@dataclass(slots=True)
class _Partition:
    blocks: deque[Block] = field(default_factory=deque)
    next: int = 0
    enqueued_at: float | None = None

    @property
    def first(self) -> int:
        return self.blocks[0].first if self.blocks else self.next


class MemoryLog:
    """messaging.telemetry.ports.EventLog in memory: the plainest statement of what is meant. Each append is a chunk."""

    def __init__(self, clock: Clock, settings: LogSettings) -> None:
        self._clock = clock
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._partitions = [_Partition() for _ in range(settings.partitions)]
        self._positions: dict[tuple[str, int], int] = {}
        self._waiters = Waiters(settings.partitions)
        self._relayed = 0
        self._closed = False

    @property
    def partitions(self) -> int:
        """How many partitions there are."""
        return len(self._partitions)

    def partition_of(self, device_id: DeviceId) -> int:
        """Return the partition of a device."""
        return partition_of(device_id, len(self._partitions))

    def append(self, partition: int, entries: Sequence[Entry], stored: Stored) -> None:
        """See `EventLog.append`; what is in memory counts as stored."""
        error: HubError | None = None
        if self._closed:
            error = Unavailable("the event log is closed")
        elif size_of(entries) > self._settings.max_pending:
            error = Unavailable("the event log has more to write than it may keep in memory")
        elif entries:
            self._add(partition, tuple(entries))
        self._loop.call_soon(_tell, stored, error)

    async def read(self, partition: int, start: int, *, max_entries: int = 1000, max_bytes: int = 1 << 20) -> Batch:
        """See `EventLog.read`."""
        kept = self._partitions[partition]
        gather = Gather(partition, max(start, kept.first), max_entries=max_entries, max_bytes=max_bytes)
        for block in kept.blocks:
            if not gather.full:
                gather.take(block.first, block.enqueued_at, block.entries)
        return gather.batch(first=kept.first)

    async def wait(self, partition: int, start: int, timeout: float) -> bool:
        """See `EventLog.wait`; False at once when the log is closed."""
        kept = self._partitions[partition]
        if kept.next > max(start, kept.first):
            return True
        return not self._closed and await self._waiters.wait(partition, start, timeout)

    async def ends(self, partition: int) -> PartitionEnds:
        """Return the partition's bounds."""
        kept = self._partitions[partition]
        return PartitionEnds(kept.first, kept.next, kept.enqueued_at)

    async def seek(self, partition: int, enqueued_at: float) -> int:
        """See `EventLog.seek`."""
        kept = self._partitions[partition]
        return next((block.first for block in kept.blocks if block.enqueued_at >= enqueued_at), kept.next)

    async def position(self, group: str, partition: int) -> int | None:
        """Return where the consumer group reads on, or None when it never stored a position."""
        return self._positions.get((group, partition))

    async def set_position(self, group: str, partition: int, next_sequence: int) -> None:
        """Store where the consumer group reads on. Raises Unavailable: closed."""
        self._refuse_when_closed()
        self._positions[group, partition] = next_sequence

    async def relayed(self) -> int:
        """Return the highest outbox id whose fact is in the log."""
        return self._relayed

    async def relay(self, facts: Sequence[tuple[int, int, Entry]]) -> None:
        """See `EventLog.relay`. Raises Unavailable: closed."""
        self._refuse_when_closed()
        for outbox_id, partition, entry in facts:
            if outbox_id > self._relayed:
                self._add(partition, (entry,))
                self._relayed = outbox_id

    async def trim(self) -> None:
        """Drop what is too old or too much."""
        cutoff = self._clock.now() - self._settings.max_age
        for kept in self._partitions:
            while kept.blocks and kept.blocks[0].enqueued_at < cutoff:
                kept.blocks.popleft()
        excess = sum(block.size for kept in self._partitions for block in kept.blocks) - self._settings.max_bytes
        while excess > 0:
            oldest = min(
                (kept for kept in self._partitions if kept.blocks), key=lambda kept: kept.blocks[0].enqueued_at
            )
            excess -= oldest.blocks.popleft().size

    async def close(self) -> None:
        """Acknowledge what was appended; what is appended later is refused."""
        self._closed = True
        self._waiters.dismiss()
        await asyncio.sleep(0)

    def _add(self, partition: int, entries: Sequence[Entry]) -> None:
        kept = self._partitions[partition]
        kept.enqueued_at = max(self._clock.now(), kept.enqueued_at or 0.0)
        kept.blocks.append(Block(partition, kept.next, kept.enqueued_at, entries, size_of(entries)))
        kept.next += len(entries)
        self._waiters.wake(partition, kept.next)

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise Unavailable("the event log is closed")


def _tell(stored: Stored, error: HubError | None) -> None:
    try:
        stored(error)
    except Exception:
        log.exception("event_log_callback_failed")
