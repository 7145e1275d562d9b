"""The durable event log: `stream.db` behind the EventLog port."""

import asyncio
import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from ironhub.core.batching import BatchThread
from ironhub.core.clock import Clock
from ironhub.core.errors import HubError, InvalidArgument, Unavailable
from ironhub.core.ids import DeviceId
from ironhub.core.sealing import Sealer
from ironhub.messaging.telemetry.model import Batch, Damage, Entry, PartitionEnds
from ironhub.messaging.telemetry.ports import Stored
from ironhub.streams.embedded.committer import GroupCommit, LogStats
from ironhub.streams.embedded.file import LogFile
from ironhub.streams.embedded.reader import FileReader
from ironhub.streams.embedded.schema import Connect, connect, prepare
from ironhub.streams.gather import Gather
from ironhub.streams.settings import LogSettings, partition_of
from ironhub.streams.tail import Block, Tail
from ironhub.streams.waiting import Waiters

log = logging.getLogger(__name__)

T = TypeVar("T")
_MAX_REPORTED: Final = 1000


async def open_log(
    path: Path,
    sealer: Sealer,
    clock: Clock,
    settings: LogSettings,
    *,
    on_damage: Callable[[Damage], None] | None = None,
    connect: Connect = connect,
) -> "EmbeddedLog":
    """Return the log at `path`, created if it is missing; it belongs to the running event loop.

    `on_damage` is called once for each piece of damage that a reader meets, in the event loop's thread.

    Raises:
        CorruptStore: the file is no event log, damaged where it cannot be done without, or of a newer release.
        Unavailable: the disk refuses.
    """
    loop = asyncio.get_running_loop()
    file, reader = await loop.run_in_executor(None, _open, path, sealer, clock, settings, connect)
    return EmbeddedLog(path, file, reader, clock, settings, on_damage or _nobody, connect)


class EmbeddedLog:
    """messaging.telemetry.ports.EventLog on one SQLite file. Made by `open_log`."""

    def __init__(
        self,
        path: Path,
        file: LogFile,
        reader: FileReader,
        clock: Clock,
        settings: LogSettings,
        on_damage: Callable[[Damage], None],
        connect: Connect,
    ) -> None:
        self._path = path
        self._file = file
        self._reader = reader
        self._connect = connect
        self._on_damage = on_damage
        self._reported: dict[tuple[int, int], None] = {}
        self._partitions = len(file.ends)
        self._tail = Tail(self._partitions, settings.max_cached)
        self._waiters = Waiters(self._partitions)
        self._commits = GroupCommit(file, clock, settings, self._committed)
        self._reads: BatchThread[Callable[[], None]] = BatchThread("ironhub-log-read", _run_all)
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self.append = self._commits.append
        """See `EventLog.append`; bound once, because it is called for every message."""

    @property
    def partitions(self) -> int:
        """How many partitions there are."""
        return self._partitions

    @property
    def stats(self) -> LogStats:
        """Counters and health, kept up to date."""
        return self._commits.stats

    def partition_of(self, device_id: DeviceId) -> int:
        """Return the partition of a device."""
        return partition_of(device_id, self._partitions)

    async def read(self, partition: int, start: int, *, max_entries: int = 1000, max_bytes: int = 1 << 20) -> Batch:
        """See `EventLog.read`. Raises Unavailable: the disk cannot be read."""
        ends = self._file.ends[partition]
        start = max(start, ends.first)
        if start >= ends.next:
            return Batch((), start, ())
        batch = self._tail.read(partition, start, max_entries=max_entries, max_bytes=max_bytes)
        if batch is None:
            gather = Gather(partition, start, max_entries=max_entries, max_bytes=max_bytes)
            await self._in_reader(partial(self._reader.read, gather, partition, ends.next))
            batch = gather.batch(first=self._file.ends[partition].first)
            self._report(batch.damage)
        return batch

    async def wait(self, partition: int, start: int, timeout: float) -> bool:
        """See `EventLog.wait`; False at once when the log is closed."""
        if self._file.ends[partition].next > max(start, self._file.ends[partition].first):
            return True
        return not self._closed and await self._waiters.wait(partition, start, timeout)

    async def ends(self, partition: int) -> PartitionEnds:
        """Return the partition's bounds."""
        return self._file.ends[partition]

    async def seek(self, partition: int, enqueued_at: float) -> int:
        """See `EventLog.seek`. Raises Unavailable: the disk cannot be read."""
        ends = self._file.ends[partition]
        if ends.first == ends.next:
            return ends.next
        if ends.last_enqueued_at is not None and enqueued_at > ends.last_enqueued_at:  # None: it is damaged
            return ends.next
        found = await self._in_reader(partial(self._reader.seek, partition, enqueued_at, ends.first, ends.next))
        return max(found, self._file.ends[partition].first)

    async def position(self, group: str, partition: int) -> int | None:
        """Return where the consumer group reads on, or None when it never stored a position."""
        return self._file.positions.get((group, partition))

    async def set_position(self, group: str, partition: int, next_sequence: int) -> None:
        """Store where the consumer group reads on. Raises Unavailable."""
        await self._stored(partial(self._commits.set_position, group, partition, next_sequence))

    async def relayed(self) -> int:
        """Return the highest outbox id whose fact is in the log."""
        return self._file.relayed

    async def relay(self, facts: Sequence[tuple[int, int, Entry]]) -> None:
        """See `EventLog.relay`. Raises Unavailable."""
        await self._stored(partial(self._commits.relay, facts))

    async def committed(self) -> None:
        """Return when what was appended before this call is on disk and its appenders know. Raises Unavailable."""
        await self._stored(lambda stored: self._commits.append(0, (), stored))

    async def trim(self) -> None:
        """Drop what is too old or too much now, instead of within `trim_interval`."""
        await self._commits.trim()

    async def backup_to(self, target: Path) -> None:
        """Write a copy of the log, as it is now, to the new file `target`, while it is used.

        Raises:
            InvalidArgument: there is a file already.
            Unavailable: a disk refuses.
        """
        await self._loop.run_in_executor(None, self._backup, target)

    async def close(self) -> None:
        """Commit and acknowledge what was appended, then close the file. What is appended later is refused."""
        if self._closed:
            return
        self._closed = True
        await self._commits.close()
        self._waiters.dismiss()
        self._reads.put(self._reader.close)
        await self._loop.run_in_executor(None, self._reads.close)

    def _committed(self, blocks: Sequence[Block]) -> None:
        for block in blocks:
            self._tail.add(block)
            self._waiters.wake(block.partition, block.first + len(block.entries))

    def _report(self, damage: Sequence[Damage]) -> None:
        for piece in damage:
            if (piece.partition, piece.first) in self._reported:
                continue
            self._reported[piece.partition, piece.first] = None
            if len(self._reported) > _MAX_REPORTED:
                del self._reported[next(iter(self._reported))]
            self.stats.damaged += 1
            log.error("event_log_damaged", extra=piece._asdict())
            self._on_damage(piece)

    async def _stored(self, submit: Callable[[Stored], None]) -> None:
        done: asyncio.Future[None] = self._loop.create_future()

        def stored(error: HubError | None) -> None:
            if not done.done():
                done.set_result(None) if error is None else done.set_exception(error)

        submit(stored)
        await done

    async def _in_reader(self, job: Callable[[], T]) -> T:
        if self._closed:
            raise Unavailable("the event log is closed")
        done: asyncio.Future[T] = self._loop.create_future()
        self._reads.put(partial(_answer, self._loop, done, job))
        return await done

    def _backup(self, target: Path) -> None:
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            with closing(self._connect(self._path)) as source, closing(sqlite3.connect(target)) as copy:
                source.backup(copy)
        except FileExistsError as error:
            raise InvalidArgument(f"{target.name} exists already") from error
        except (OSError, sqlite3.Error) as error:
            target.unlink(missing_ok=True)
            raise Unavailable("the event log cannot be copied", detail=str(error)) from error


def _open(
    path: Path, sealer: Sealer, clock: Clock, settings: LogSettings, connect: Connect
) -> tuple[LogFile, FileReader]:
    partitions = prepare(path, settings.partitions)
    file = LogFile(path, sealer, clock, settings, partitions, connect)
    try:
        return file, FileReader(path, sealer, connect)
    except sqlite3.Error as error:
        file.close()
        raise Unavailable(f"{path.name} cannot be opened for reading", detail=str(error)) from error


def _run_all(jobs: list[Callable[[], None]]) -> None:
    for job in jobs:
        job()


def _answer(loop: asyncio.AbstractEventLoop, done: asyncio.Future[T], job: Callable[[], T]) -> None:
    """Run `job` here and hand its outcome to who awaits `done` in `loop`, if anybody still does."""
    try:
        outcome = partial(_succeed, done, job())
    except Exception as error:  # noqa: BLE001 whoever asked gets it
        outcome = partial(_fail, done, error)
    try:
        loop.call_soon_threadsafe(outcome)
    except RuntimeError:
        log.warning("event_log_loop_is_gone")


def _succeed(done: asyncio.Future[T], result: T) -> None:
    if not done.done():
        done.set_result(result)


def _fail(done: asyncio.Future[T], error: Exception) -> None:
    if not done.done():
        done.set_exception(error)


def _nobody(damage: Damage) -> None:
    """Nobody wants to know but the log."""
