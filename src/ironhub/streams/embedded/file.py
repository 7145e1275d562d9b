"""The writing side of the log's file: one connection, one thread, and what is known of the partitions."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ironhub.core.clock import Clock
from ironhub.core.errors import CorruptStore, HubError, Unavailable
from ironhub.core.sealing import Sealer
from ironhub.messaging.telemetry.model import Entry, PartitionEnds
from ironhub.messaging.telemetry.ports import Stored
from ironhub.streams.chunks import Chunk, seal_chunk, size_of, split
from ironhub.streams.embedded import retention
from ironhub.streams.embedded.schema import Connect, is_damage, mark, of
from ironhub.streams.embedded.state import load_ends, load_positions
from ironhub.streams.settings import LogSettings
from ironhub.streams.tail import Block

_CHECKPOINT_BYTES: Final = 8 << 20
_INSERT: Final = "INSERT INTO chunk_N (first, entries, enqueued_at, checksum, body) VALUES (?, ?, ?, ?, ?)"
_SET_POSITION: Final = "INSERT OR REPLACE INTO position (reader, partition, next) VALUES (?, ?, ?)"
_PROBE: Final = "UPDATE mark SET value = value + 1 WHERE name = 'probes'"  # an equal value would not be written
_SET_RELAYED: Final = "UPDATE mark SET value = ? WHERE name = 'relayed'"


@dataclass(slots=True)
class Work:
    """What one commit takes: all of it or nothing."""

    entries: list[list[Entry]]
    """By partition."""
    sizes: list[int]
    """Bytes of memory, by partition."""
    callbacks: list[Stored] = field(default_factory=list)
    positions: list[tuple[str, int, int]] = field(default_factory=list)
    """(consumer group, partition, next sequence number)."""
    facts: list[tuple[int, int, Entry]] = field(default_factory=list)
    """(outbox id, partition, entry)."""


def new_work(partitions: int) -> Work:
    """Return an empty one."""
    return Work([[] for _ in range(partitions)], [0] * partitions)


class LogFile:
    """Commits to the file of a log. All methods block; after the constructor they belong to one thread.

    `ends`, `relayed` and `positions` tell what is committed, and may be read from any thread.
    """

    def __init__(
        self, path: Path, sealer: Sealer, clock: Clock, settings: LogSettings, partitions: int, connect: Connect
    ) -> None:
        self._path = path
        self._sealer = sealer
        self._clock = clock
        self._settings = settings
        self._connect = connect
        self._partitions = partitions
        self._unchecked = 0
        self._connection: sqlite3.Connection | None = None
        self.ends: list[PartitionEnds] = []
        self.relayed = 0
        self.positions: dict[tuple[str, int], int] = {}
        self._open()

    def commit(self, work: Work) -> list[Block]:
        """Return what was written, when it is on the disk.

        Raises:
            HubError: the disk refused; nothing of `work` counts, and its sequence numbers are given again.
        """
        connection = self._healthy()
        relayed = self._take_facts(work)
        blocks: list[Block] = []
        chunks = [chunk for partition in range(len(work.entries)) for chunk in self._seal(work, partition, blocks)]
        self._write(connection, chunks, work.positions, relayed)
        for block in blocks:
            end = PartitionEnds(self.ends[block.partition].first, block.first + len(block.entries), block.enqueued_at)
            self.ends[block.partition] = end
        self.relayed = relayed
        self.positions.update({(group, partition): next_ for group, partition, next_ in work.positions})
        return blocks

    def trim(self) -> bool:
        """Drop chunks that are too old or too many, a bounded number of them; return whether there may be more.

        Raises:
            HubError: the disk refused, or holds something else than was written.
        """
        connection = self._healthy()
        try:
            doomed = retention.choose(connection, self.ends, self._clock.now(), self._settings)
            for partition, first in doomed.items():
                # Readers are told first: what they do not find there is old then, and not damaged.
                self.ends[partition] = self.ends[partition]._replace(first=min(first, self.ends[partition].next))
            retention.drop(connection, {partition: self.ends[partition] for partition in doomed})
        except sqlite3.Error as error:
            raise self._broken(error) from error
        return bool(doomed)

    def probe(self) -> bool:
        """Write something small, to learn whether the disk takes it. Returns True.

        Raises:
            HubError: it does not.
        """
        connection = self._healthy()
        try:
            connection.execute(_PROBE)
        except sqlite3.Error as error:
            raise self._broken(error) from error
        return True

    def settle(self) -> bool:
        """Move what was committed from the journal to its place when there is enough of it. Returns False: no more.

        Raises:
            HubError: the disk refused, or holds something else than was written.
        """
        if self._unchecked > _CHECKPOINT_BYTES:
            self._unchecked = 0
            try:
                self._healthy().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            except sqlite3.Error as error:
                raise self._broken(error) from error
        return False

    def close(self) -> None:
        """Close the file, which holds everything committed; or let go of a connection that failed. Never raises."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _take_facts(self, work: Work) -> int:
        relayed = self.relayed
        for outbox_id, partition, entry in work.facts:
            if outbox_id > relayed:
                work.entries[partition].append(entry)
                work.sizes[partition] += size_of((entry,))
                relayed = outbox_id
        return relayed

    def _seal(self, work: Work, partition: int, blocks: list[Block]) -> Iterable[Chunk]:
        entries, size = work.entries[partition], work.sizes[partition]
        if not entries:
            return
        _, first, last_at = self.ends[partition]
        enqueued_at = self._clock.now()
        if last_at is not None and last_at > enqueued_at:
            enqueued_at = last_at  # the wall clock was set back
        blocks.append(Block(partition, first, enqueued_at, entries, size))
        runs = split(entries, self._settings.max_chunk) if size > self._settings.max_chunk else (entries,)
        for run in runs:
            yield seal_chunk(partition, first, enqueued_at, run, self._sealer)
            first += len(run)

    def _write(
        self,
        connection: sqlite3.Connection,
        chunks: Sequence[Chunk],
        positions: Sequence[tuple[str, int, int]],
        relayed: int,
    ) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
            for chunk in chunks:
                connection.execute(of(_INSERT, chunk.partition), chunk[1:])
            if positions:
                connection.executemany(_SET_POSITION, positions)
            if relayed != self.relayed:
                connection.execute(_SET_RELAYED, (relayed,))
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._broken(error) from error
        self._unchecked += sum(len(chunk.body) for chunk in chunks)

    def _healthy(self) -> sqlite3.Connection:
        return self._connection or self._open()

    def _open(self) -> sqlite3.Connection:
        """Connect anew and learn from the disk what is committed.

        Whether a commit that failed is there or not is unknown until now. What a failed sync left in the journal may be
        in the page cache only, and no later sync would bring it to the disk: the checkpoint writes it again.
        """
        try:
            connection = self._connect(self._path)
            try:
                _settle_all(connection)
                self.ends = load_ends(connection, self._partitions)
                self.relayed, self.positions = mark(connection, "relayed"), load_positions(connection)
            except BaseException:
                connection.close()
                raise
        except sqlite3.Error as error:
            raise self._broken(error) from error
        self._connection = connection
        return connection

    def _broken(self, error: sqlite3.Error) -> HubError:
        self.close()  # the next use makes a new connection
        detail = f"{type(error).__name__}: {error}"
        if is_damage(error):
            return CorruptStore(f"{self._path.name} is damaged", detail=detail)
        return Unavailable(f"{self._path.name} cannot be written", detail=detail)


def _settle_all(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        raise Unavailable("somebody else holds the event log")
