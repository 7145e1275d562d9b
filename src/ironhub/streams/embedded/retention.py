"""Which chunks of the log's file are dropped, and dropping them. No scan: it begins at the oldest and stops early."""

import heapq
import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from typing import Final, NamedTuple

from ironhub.messaging.telemetry.model import PartitionEnds
from ironhub.streams.embedded.schema import of
from ironhub.streams.settings import LogSettings

MAX_DROPPED: Final = 512
"""Chunks that one run drops at most, so that no commit waits long for it."""

_ROW_OVERHEAD: Final = 64
_OLDEST: Final = "SELECT first, enqueued_at, length(body) FROM chunk_N ORDER BY first"  # length reads no body
_NEXT: Final = "SELECT first FROM chunk_N WHERE first > ? ORDER BY first LIMIT 1"
_DELETE: Final = "DELETE FROM chunk_N WHERE first < ?"
_KEEP: Final = "INSERT OR REPLACE INTO kept (partition, first, next, enqueued_at) VALUES (?, ?, ?, ?)"


class _Header(NamedTuple):
    enqueued_at: float
    partition: int
    first: int
    size: int


def used_bytes(connection: sqlite3.Connection) -> int:
    """Return the bytes of the file that hold something; free pages are used again before the file grows."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def choose(
    connection: sqlite3.Connection, ends: Sequence[PartitionEnds], now: float, settings: LogSettings
) -> dict[int, int]:
    """Return the partitions that lose chunks, each with the sequence number that becomes its first."""
    cutoff, excess = now - settings.max_age, used_bytes(connection) - settings.max_bytes
    dropped: dict[int, int] = {}
    with ExitStack() as stack:
        oldest = [stack.enter_context(closing(_headers(connection, partition))) for partition in range(len(ends))]
        for count, header in enumerate(heapq.merge(*oldest)):
            if count >= MAX_DROPPED or (header.enqueued_at >= cutoff and excess <= 0):
                break
            dropped[header.partition] = header.first
            excess -= header.size
    return {
        partition: _first_after(connection, partition, last, ends[partition].next)
        for partition, last in dropped.items()
    }


def drop(connection: sqlite3.Connection, ends: Mapping[int, PartitionEnds]) -> None:
    """Delete what lies before the first of each of `ends`, and remember these ends, in one transaction."""
    if not ends:
        return
    connection.execute("BEGIN IMMEDIATE")
    for partition, end in ends.items():
        connection.execute(of(_DELETE, partition), (end.first,))
        connection.execute(_KEEP, (partition, *end))
    connection.execute("COMMIT")


def _headers(connection: sqlite3.Connection, partition: int) -> Generator[_Header, None, None]:
    with closing(connection.execute(of(_OLDEST, partition))) as rows:
        for first, enqueued_at, size in rows:
            at = enqueued_at if isinstance(enqueued_at, float) else 0.0  # damaged: as old as can be
            yield _Header(at, partition, first, (size or 0) + _ROW_OVERHEAD)


def _first_after(connection: sqlite3.Connection, partition: int, dropped: int, default: int) -> int:
    row = connection.execute(of(_NEXT, partition), (dropped,)).fetchone()
    return default if row is None else int(row[0])
