"""The newest entries of a log in memory: whoever reads along at the end asks neither the disk nor the keys."""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

from ironhub.messaging.telemetry.model import Batch, Entry
from ironhub.streams.gather import Gather

_first = attrgetter("first")


class Block(NamedTuple):
    """A run of entries that were committed together."""

    partition: int
    first: int
    enqueued_at: float
    entries: Sequence[Entry]
    size: int
    """Bytes of memory, about."""


class Tail:
    """Keeps the newest blocks, `max_bytes` of them over all partitions. Within a partition there is no gap."""

    def __init__(self, partitions: int, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._size = 0
        self._blocks: list[deque[Block]] = [deque() for _ in range(partitions)]
        self._order: deque[int] = deque()

    def add(self, block: Block) -> None:
        """Take the newest block of its partition; the oldest ones of all make room."""
        blocks = self._blocks[block.partition]
        if blocks and blocks[-1].first + len(blocks[-1].entries) != block.first:
            self._forget()
        blocks.append(block)
        self._order.append(block.partition)
        self._size += block.size
        while self._size > self._max_bytes:
            self._size -= self._blocks[self._order.popleft()].popleft().size

    def read(self, partition: int, start: int, *, max_entries: int, max_bytes: int) -> Batch | None:
        """Return entries from `start` on, or None when that one is not here."""
        blocks = self._blocks[partition]
        place = bisect_right(blocks, start, key=_first) - 1
        if place < 0 or start >= blocks[-1].first + len(blocks[-1].entries):
            return None
        gather = Gather(partition, start, max_entries=max_entries, max_bytes=max_bytes)
        while place < len(blocks) and not gather.full:
            gather.take(blocks[place].first, blocks[place].enqueued_at, blocks[place].entries)
            place += 1
        return gather.batch(first=0)

    def _forget(self) -> None:
        self._size = 0
        self._order.clear()
        for blocks in self._blocks:
            blocks.clear()
