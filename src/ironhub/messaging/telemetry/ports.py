"""What telemetry needs of the streams: a durable, partitioned log."""

from collections.abc import Callable, Sequence
from typing import Protocol

from ironhub.core.errors import HubError
from ironhub.core.facts import Fact
from ironhub.core.ids import DeviceId
from ironhub.messaging.telemetry.model import Batch, ConsumerGroup, Entry, PartitionEnds

Stored = Callable[[HubError | None], None]
"""Called once, in the event loop's thread: None when the entries are on disk, an error when none of them is."""


class EventLog(Protocol):
    """The durable log. Whatever implements it passes tests/contracts/test_event_log.py.

    An entry is acknowledged (`stored(None)`) only after its commit is on disk; entries of one device keep their order.
    """

    @property
    def partitions(self) -> int:
        """How many partitions there are; fixed for the life of a log."""

    def partition_of(self, device_id: DeviceId) -> int:
        """Return the partition of a device: a stable hash, the same on every node and after every restart."""

    def append(self, partition: int, entries: Sequence[Entry], stored: Stored) -> None:
        """Queue `entries` for the next group commit; from the event loop's thread. Never blocks, never raises.

        `stored(Unavailable)` when the disk refused or the queue is over its bound in bytes.
        """

    async def read(self, partition: int, start: int, *, max_entries: int = 1000, max_bytes: int = 1 << 20) -> Batch:
        """Return entries from sequence number `start` on (or the oldest kept, if that is later); empty at the end."""

    async def wait(self, partition: int, start: int, timeout: float) -> bool:
        """Return True as soon as `read(partition, start)` has entries, False after `timeout` seconds."""

    async def ends(self, partition: int) -> PartitionEnds:
        """Return the partition's bounds."""

    async def seek(self, partition: int, enqueued_at: float) -> int:
        """Return the sequence number of the first entry enqueued at or after `enqueued_at`, else the next one."""

    async def position(self, group: str, partition: int) -> int | None:
        """Return where the consumer group `group` reads on, or None when it never stored a position."""

    async def set_position(self, group: str, partition: int, next_sequence: int) -> None:
        """Store where the consumer group reads on; durable when it returns."""

    async def relayed(self) -> int:
        """Return the highest outbox id whose fact is in the log (0: none)."""

    async def relay(self, facts: Sequence[tuple[int, int, Entry]]) -> None:
        """Append facts as (outbox id, partition, entry), ids ascending, and remember the last id, in one commit.

        Ids at or below `relayed()` are skipped: a crash between this commit and the outbox's repeats nothing.
        """


class Outbox(Protocol):
    """Where stores leave facts in the transaction of the change they tell of. Part of the device store's contract."""

    async def pending_facts(self, limit: int) -> Sequence[tuple[int, Fact]]:
        """Return (outbox id, Fact), ids ascending, of facts not yet dropped."""

    async def drop_facts(self, up_to: int) -> None:
        """Forget the facts with ids up to and including `up_to`."""

    async def continue_after(self, number: int) -> None:
        """Forget the facts with ids up to and including `number`, and give no new fact such an id.

        A backup holds a log that is newer than its store: facts that were left later would carry ids the log has seen.
        """

    async def wait_for_facts(self, timeout: float) -> bool:
        """Return True as soon as there may be pending facts, False after `timeout` seconds."""


class ConsumerGroupStore(Protocol):
    """Where consumer groups live. Whatever implements it passes tests/contracts/test_consumer_group_store.py.

    Names compare case-insensitively. Every write is durable when it returns.
    """

    async def list_groups(self) -> Sequence[ConsumerGroup]:
        """Return all, in the order they were created."""

    async def get_group(self, name: str) -> ConsumerGroup | None:
        """Return one, or None."""

    async def add_group(self, group: ConsumerGroup) -> None:
        """Store it; when there is one of its name, that one stays."""

    async def delete_group(self, name: str) -> bool:
        """Forget it; returns False when there is none."""
