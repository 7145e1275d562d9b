"""What one read of a log collects, within its bounds, and what it has to leave out."""

from collections.abc import Sequence
from itertools import islice
from typing import Final

from ironhub.messaging.telemetry.model import Batch, Damage, Entry, Logged

MAX_DAMAGE: Final = 64
"""How much damage one read may pass by before it returns."""


class Gather:
    """Fills one `Batch`, from sequence number `start` on. Takes runs of entries in ascending order."""

    def __init__(self, partition: int, start: int, *, max_entries: int, max_bytes: int) -> None:
        self.next = start
        """The sequence number that is wanted next."""
        self.full = False
        self._partition = partition
        self._max_entries = max_entries
        self._bytes_left = max_bytes
        self._entries: list[Logged] = []
        self._damage: list[Damage] = []

    def take(self, first: int, enqueued_at: float, entries: Sequence[Entry]) -> None:
        """Take what is wanted of `entries`, which begin at `first`, as far as there is room; at least one."""
        for entry in islice(entries, max(0, self.next - first), None):
            self._bytes_left -= len(entry.properties) + len(entry.body)
            if self._entries and self._bytes_left < 0:
                self.full = True
                return
            self._entries.append(Logged(self._partition, self.next, enqueued_at, entry))
            self.next += 1
            if len(self._entries) >= self._max_entries:
                self.full = True
                return

    def skip(self, until: int, reason: str) -> None:
        """Leave out everything up to `until`, because of `reason`."""
        self._damage.append(Damage(self._partition, self.next, until - self.next, reason))
        self.next = until
        self.full = self.full or len(self._damage) >= MAX_DAMAGE

    def batch(self, *, first: int) -> Batch:
        """Return what was collected; what lies before `first`, the oldest entry still kept, is old and not damaged."""
        damage = tuple(each for each in self._damage if each.first + each.entries > first)
        return Batch(tuple(self._entries), self.next, damage)
