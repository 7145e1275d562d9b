"""Hands feedback to back ends in batches, each under a lock: what is not completed in time comes again.

Locks live in memory: after a restart of the hub everything that was not completed is there once more.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar, Final

from ironhub.access.model import Grant, Permission
from ironhub.core.bus import Bus, CommandsEnded, Notice
from ironhub.core.clock import Clock, Entropy
from ironhub.core.errors import HubError
from ironhub.messaging.arrivals import Arrivals
from ironhub.messaging.commands.model import Feedback, LockLost
from ironhub.messaging.commands.ports import CommandStore

log: Final = logging.getLogger(__name__)

LOCK_DURATION: Final = 60.0
"""Seconds a reader has to settle a batch."""
MAX_BATCH: Final = 64
"""Records."""
MAX_LOCKED: Final = 32
"""Batches that are out at a time, of all readers together."""
MAX_DELIVERIES: Final = 10
"""Of one record; then nobody wants it."""
_MIN_PAUSE: Final = 0.05


class TooManyBatches(HubError):
    """Readers hold more batches of feedback than they may."""

    code: ClassVar[str] = "feedback.too_many_batches"
    status: ClassVar[int] = 429
    next_step: ClassVar[str] = "Complete or abandon what you received before you ask for more."


@dataclass(frozen=True, slots=True)
class FeedbackBatch:
    """Records that one reader holds."""

    lock_token: str
    records: tuple[Feedback, ...]
    locked_until: float
    """Seconds since the epoch."""


class FeedbackReader:
    """Receives and settles feedback, oldest first; each record is with one reader at a time."""

    def __init__(self, store: CommandStore, bus: Bus, clock: Clock, entropy: Entropy) -> None:
        self.arrivals = Arrivals()
        """Tells who waits that there may be feedback which nobody holds."""
        self._store = store
        self._clock = clock
        self._entropy = entropy
        self._locked: dict[str, FeedbackBatch] = {}
        self._deliveries: dict[int, int] = {}
        """Of records that came back, by id."""
        self._leaving: set[int] = set()
        """Ids of records that nobody holds and that the store is about to forget."""
        self._changed = asyncio.Event()
        bus.subscribe(self._notice)

    async def receive(self, grant: Grant) -> FeedbackBatch | None:
        """Return the oldest records that nobody holds, locked for `LOCK_DURATION`; None: there are none.

        Raises:
            TooManyBatches: readers hold too much already.
        """
        grant.require_whole_hub(Permission.FEEDBACK_READ)
        now = self._clock.now()
        await self._unlock_overdue(now)
        if len(self._locked) >= MAX_LOCKED:
            raise TooManyBatches(f"{MAX_LOCKED} batches of feedback are out")
        taken = self._taken()
        found = await self._store.list_feedback(after=0, limit=MAX_BATCH + len(taken), now=now)
        taken |= self._taken()  # both: what was completed meanwhile may still stand in what was found
        free = tuple(record for record in found if record.record_id not in taken)[:MAX_BATCH]
        if not free:
            return None
        batch = FeedbackBatch(self._entropy.uuid(), free, now + LOCK_DURATION)
        self._locked[batch.lock_token] = batch
        self._changed.set()
        return batch

    async def complete(self, grant: Grant, lock_token: str) -> None:
        """Forget the records of a batch. Raises LockLost."""
        grant.require_whole_hub(Permission.FEEDBACK_READ)
        try:
            await self._forget(self._take(lock_token).records)
        finally:
            self.arrivals.tell()  # one batch fewer is out

    async def abandon(self, grant: Grant, lock_token: str) -> None:
        """Give a batch back, for whoever asks next. Raises LockLost."""
        grant.require_whole_hub(Permission.FEEDBACK_READ)
        await self._give_back(self._take(lock_token))

    async def run(self) -> None:
        """End the locks that are over, until cancelled, so that who waits hears of it."""
        while True:
            self._changed.clear()
            pause = await self._tidy()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._changed.wait()

    def _notice(self, notice: Notice) -> None:
        if isinstance(notice, CommandsEnded):
            self.arrivals.tell()

    async def _tidy(self) -> float | None:
        """Return the seconds until the next lock ends; None: none is held."""
        now = self._clock.now()
        try:
            await self._unlock_overdue(now)
        except HubError as error:
            log.warning("feedback_not_dropped", extra={"code": error.code})
        ends = [batch.locked_until for batch in self._locked.values()]
        return max(min(ends) - now, _MIN_PAUSE) if ends else None

    def _taken(self) -> set[int]:
        """Ids of records that are not to be handed out now."""
        return self._leaving.union(record.record_id for batch in self._locked.values() for record in batch.records)

    def _take(self, lock_token: str) -> FeedbackBatch:
        batch = self._locked.get(lock_token)
        if batch is None or batch.locked_until <= self._clock.now():
            raise LockLost("no batch of feedback is held under this lock")
        del self._locked[lock_token]
        return batch

    async def _unlock_overdue(self, now: float) -> None:
        for batch in [each for each in self._locked.values() if each.locked_until <= now]:
            self._locked.pop(batch.lock_token, None)
            await self._give_back(batch)

    async def _give_back(self, batch: FeedbackBatch) -> None:
        unwanted = []
        for record in batch.records:
            times = self._deliveries[record.record_id] = self._deliveries.get(record.record_id, 0) + 1
            if times >= MAX_DELIVERIES:
                unwanted.append(record)
        try:
            await self._forget(unwanted)
        finally:
            self.arrivals.tell()

    async def _forget(self, records: Sequence[Feedback]) -> None:
        ids = [record.record_id for record in records]
        for record_id in ids:
            self._deliveries.pop(record_id, None)
        if ids:
            self._leaving.update(ids)
            try:
                await self._store.drop_feedback_records(ids)
            finally:
                self._leaving.difference_update(ids)
