"""The reading side of the log's file: a connection and a thread of its own, never in the way of a commit."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from ironhub.core.errors import CorruptStore, Unavailable
from ironhub.core.sealing import Sealer
from ironhub.streams.chunks import Chunk, Origins, open_chunk
from ironhub.streams.embedded.schema import Connect, is_damage, of
from ironhub.streams.gather import Gather

_FROM: Final = """SELECT first, entries, enqueued_at, checksum, body FROM chunk_N
    WHERE first >= coalesce((SELECT max(first) FROM chunk_N WHERE first <= :start), :start) AND first < :until
    ORDER BY first"""
_AFTER: Final = """SELECT first, entries, enqueued_at, checksum, body FROM chunk_N
    WHERE first >= ? AND first < ? ORDER BY first LIMIT 1"""
_TIME_AFTER: Final = "SELECT first, enqueued_at FROM chunk_N WHERE first >= ? AND first < ? ORDER BY first LIMIT 1"


class FileReader:
    """Reads what is committed. All methods block and belong to one thread."""

    def __init__(self, path: Path, sealer: Sealer, connect: Connect) -> None:
        self._sealer = sealer
        self._origins = Origins()
        self._connection = connect(path)
        self._connection.execute("PRAGMA query_only=ON")

    def read(self, gather: Gather, partition: int, until: int) -> None:
        """Fill `gather` with committed entries before `until`; damage is left out and told.

        Raises:
            Unavailable: the disk cannot be read.
        """
        while gather.next < until and not gather.full:
            try:
                self._read(gather, partition, until)
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise Unavailable("the event log cannot be read", detail=str(error)) from error
                gather.skip(self._next_readable(partition, gather.next, until), "pages of the file are damaged")

    def seek(self, partition: int, enqueued_at: float, first: int, until: int) -> int:
        """Return the first sequence number enqueued at or after `enqueued_at`, between `first` and `until`.

        Raises:
            Unavailable: the disk cannot be read.
        """
        low, high = first, until
        search = of(_TIME_AFTER, partition)
        try:
            while low < high:  # halving sequence numbers needs no index by time
                middle = (low + high) // 2
                row = self._connection.execute(search, (middle, until)).fetchone()
                if row is None or row[1] >= enqueued_at:
                    high = middle
                else:
                    low = row[0] + 1
            row = self._connection.execute(search, (low, until)).fetchone()
        except sqlite3.DatabaseError as error:
            raise Unavailable("the event log cannot be searched", detail=str(error)) from error
        return until if row is None else int(row[0])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _read(self, gather: Gather, partition: int, until: int) -> None:
        reason = missing = "chunks are missing"
        where = {"start": gather.next, "until": until}
        with closing(self._connection.execute(of(_FROM, partition), where)) as rows:
            for row in rows:
                chunk = Chunk(partition, *row)
                if chunk.first > gather.next:
                    gather.skip(chunk.first, reason)
                    reason = missing
                if not gather.full:
                    try:
                        gather.take(chunk.first, chunk.enqueued_at, open_chunk(chunk, self._sealer, self._origins))
                    except CorruptStore as error:
                        reason = str(error)
                if gather.full:
                    return
        if gather.next < until:
            gather.skip(until, reason)

    def _next_readable(self, partition: int, start: int, until: int) -> int:
        """Return where the first chunk begins that can be read again behind the unreadable `start`."""
        low, step = start, 1
        while low + step < until and self._begin_of(partition, low + step, until) is None:
            step *= 2
        high = min(low + step, until)
        while high - low > 1:
            middle = (low + high) // 2
            if self._begin_of(partition, middle, until) is None:
                low = middle
            else:
                high = middle
        found = self._begin_of(partition, high, until)
        return until if found is None else found

    def _begin_of(self, partition: int, start: int, until: int) -> int | None:
        try:
            row = self._connection.execute(of(_AFTER, partition), (start, until)).fetchone()
        except sqlite3.DatabaseError:
            return None
        return until if row is None else int(row[0])
