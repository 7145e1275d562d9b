"""Group commit: what is appended while the disk is busy is committed together, and acknowledged when it is there."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from ironhub.core.batching import BatchThread
from ironhub.core.clock import Clock
from ironhub.core.errors import HubError, Unavailable
from ironhub.messaging.telemetry.model import Entry
from ironhub.messaging.telemetry.ports import Stored
from ironhub.streams.chunks import size_of
from ironhub.streams.embedded.file import LogFile, Work, new_work
from ironhub.streams.settings import LogSettings
from ironhub.streams.tail import Block

log = logging.getLogger(__name__)

FLUSH_BYTES: Final = 4 << 20
"""Bytes that are not made to wait for others any more."""

GATHER: Final = 0.1
"""How long to wait behind a commit, as a share of what it took: whoever was just acknowledged sends again at once, and
on a slow disk a commit that begins without them leaves half of what is in flight for the next one."""
MAX_GATHER: Final = 0.05
"""Seconds of it at most."""


@dataclass(slots=True)
class LogStats:
    """What the log did and how it is. Counts go up only."""

    appended: int = 0
    """Appends that were committed."""
    entries: int = 0
    """Messages and facts that were committed."""
    bytes: int = 0
    """Their bodies and properties, and what they cost besides."""
    refused: int = 0
    """Appends that were answered with an error."""
    commits: int = 0
    commit_seconds: float = 0.0
    """Time spent packing and committing."""
    damaged: int = 0
    """Pieces of damage that readers met."""
    healthy: bool = True
    """False from a refusal of the disk until it takes a commit again."""
    last_error: str = ""
    """What the disk said last; for our own log and `ironhub doctor`."""


class GroupCommit:
    """Collects appends in the event loop's thread and commits them in one of its own, one commit at a time."""

    def __init__(
        self, file: LogFile, clock: Clock, settings: LogSettings, on_commit: Callable[[Sequence[Block]], None]
    ) -> None:
        self.stats = LogStats()
        self._file = file
        self._clock = clock
        self._settings = settings
        self._on_commit = on_commit
        self._loop = asyncio.get_running_loop()
        self._thread: BatchThread[Callable[[], None]] = BatchThread("ironhub-log-commit", _run_all)
        self._work = new_work(len(file.ends))
        self._bytes = 0  # waiting or being committed
        self._waiting = 0  # waiting
        self._timer: asyncio.Handle | None = None
        self._busy = False
        self._quiet_until = 0.0
        self._closed = False
        self._idle: asyncio.Future[None] | None = None
        self._trimmer: asyncio.Handle = self._loop.call_later(settings.trim_interval, self._trim_again)

    def append(self, partition: int, entries: Sequence[Entry], stored: Stored) -> None:
        """Take `entries` into the next commit; see `EventLog.append`."""
        size = size_of(entries)
        if self._closed or self._bytes + size > self._settings.max_pending:
            self._refuse(stored)
            return
        work = self._work
        work.entries[partition].extend(entries)
        work.sizes[partition] += size
        self._submit(stored, size)

    def set_position(self, group: str, partition: int, next_sequence: int, stored: Stored) -> None:
        """Take a position into the next commit."""
        if self._closed:
            self._refuse(stored)
            return
        self._work.positions.append((group, partition, next_sequence))
        self._submit(stored, 0)

    def relay(self, facts: Sequence[tuple[int, int, Entry]], stored: Stored) -> None:
        """Take facts and the mark that they are here into the next commit."""
        size = size_of([entry for _, _, entry in facts])
        if self._closed or self._bytes + size > self._settings.max_pending:
            self._refuse(stored)
            return
        self._work.facts.extend(facts)
        self._submit(stored, size)

    async def trim(self) -> None:
        """Drop what is too old or too much now; returns when it is gone, or the disk refused."""
        done = self._loop.create_future()
        self._thread.put(partial(self._trim, partial(_settle, done)))
        await done

    async def close(self) -> None:
        """Commit and answer what was appended; what comes later is refused. Closes the file."""
        if self._closed:
            return
        self._closed = True
        self._trimmer.cancel()
        if self._busy or self._work.callbacks:
            self._idle = self._loop.create_future()
            if self._timer is not None:
                self._timer.cancel()
                self._flush()
            await self._idle
        self._thread.put(self._file.close)
        await self._loop.run_in_executor(None, self._thread.close)

    def _submit(self, stored: Stored, size: int) -> None:
        self._work.callbacks.append(stored)
        self._bytes += size
        self._waiting += size
        if self._busy:
            return
        if self._timer is None:
            self._arm()
        elif self._waiting > FLUSH_BYTES:
            self._timer.cancel()
            self._flush()

    def _refuse(self, stored: Stored) -> None:
        self.stats.refused += 1
        reason = "is closed" if self._closed else "has more to write than it may keep in memory"
        self._loop.call_soon(_tell_all, (stored,), Unavailable(f"the event log {reason}"))

    def _arm(self) -> None:
        wait = 0.0 if self._closed else self._quiet_until - self._loop.time()
        self._timer = self._loop.call_later(wait, self._flush) if wait > 0 else self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        work, self._work = self._work, new_work(len(self._work.entries))
        size, self._waiting = self._waiting, 0
        self._timer, self._busy = None, True
        # Whoever is alone and waits for each acknowledgement is not made to wait for company that never comes.
        alone = len(work.callbacks) == 1
        self._quiet_until = 0.0 if alone else self._loop.time() + self._settings.commit_interval
        self._thread.put(partial(self._commit, work, size))

    def _done(self, work: Work, size: int, blocks: Sequence[Block], error: HubError | None, seconds: float) -> None:
        self._busy = False
        self._bytes -= size
        self._count(work, blocks, error, seconds)
        self._on_commit(blocks)
        _tell_all(work.callbacks, error)
        if len(work.callbacks) > 1:
            pause = min(MAX_GATHER, GATHER * seconds) if self._settings.commit_interval else 0.0
            self._quiet_until = max(self._quiet_until, self._loop.time() + pause)
        if self._work.callbacks:
            if self._timer is None and not self._busy:
                self._arm()
        elif self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def _count(self, work: Work, blocks: Sequence[Block], error: HubError | None, seconds: float) -> None:
        if error is None:
            self.stats.entries += sum(len(block.entries) for block in blocks)
            self.stats.bytes += sum(block.size for block in blocks)
            self.stats.appended += len(work.callbacks)
            self.stats.commits += 1
            self.stats.commit_seconds += seconds
        else:
            self.stats.refused += len(work.callbacks)
        self._note(error)

    def _note(self, error: HubError | None) -> None:
        if error is not None:
            self.stats.last_error = error.detail or str(error)
        if self.stats.healthy == (error is None):
            return
        self.stats.healthy = error is None
        if error is None:
            log.info("event_log_recovered")
        else:
            log.error("event_log_unavailable", extra={"code": error.code, "detail": error.detail})

    def _trim_again(self) -> None:
        self._thread.put(partial(self._trim, self._rearm_trimmer))

    def _rearm_trimmer(self) -> None:
        if not self._closed:
            self._trimmer = self._loop.call_later(self._settings.trim_interval, self._trim_again)

    # What follows runs in the committing thread.

    def _commit(self, work: Work, size: int) -> None:
        started = self._clock.monotonic()
        blocks: list[Block] = []
        error = None
        try:
            blocks = self._file.commit(work)
        except HubError as refusal:
            error = Unavailable("the event log cannot store right now", detail=refusal.detail or str(refusal))
        except Exception as bug:  # one bad entry must not end the thread that everybody waits for
            log.exception("event_log_commit_failed")
            error = Unavailable("the event log cannot store this", detail=repr(bug))
        seconds = self._clock.monotonic() - started
        self._hand_back(partial(self._done, work, size, blocks, error, seconds))
        self._attempt(self._file.settle)

    def _trim(self, done: Callable[[], None]) -> None:
        if not self.stats.healthy and self._attempt(self._file.probe):
            self._hand_back(partial(self._note, None))
        if self._attempt(self._file.trim):
            self._thread.put(partial(self._trim, done))  # behind the commits that came meanwhile
        else:
            self._hand_back(done)

    def _attempt(self, step: Callable[[], bool]) -> bool:
        try:
            return step()
        except HubError as refusal:
            self._hand_back(partial(self._note, refusal))
        except Exception:  # as above
            log.exception("event_log_upkeep_failed")
        return False

    def _hand_back(self, answer: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(answer)
        except RuntimeError:
            log.warning("event_log_loop_is_gone")


def _run_all(jobs: list[Callable[[], None]]) -> None:
    for job in jobs:
        job()


def _tell_all(callbacks: Sequence[Stored], error: HubError | None) -> None:
    for stored in callbacks:
        try:
            stored(error)
        except (Exception, asyncio.CancelledError):  # a connection that is gone costs itself only
            log.exception("event_log_callback_failed")


def _settle(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
