"""What the log's file says about itself when it is opened."""

import sqlite3
from typing import Final

from ironhub.core.errors import CorruptStore
from ironhub.messaging.telemetry.model import PartitionEnds
from ironhub.streams.chunks import Chunk, verify_checksum
from ironhub.streams.embedded.schema import of

SAFE_JUMP: Final = 1 << 20
"""More entries than any chunk holds: sequence numbers go on that far behind a last chunk that is damaged."""

_LAST: Final = "SELECT first, entries, enqueued_at, checksum, body FROM chunk_N ORDER BY first DESC LIMIT 1"
_KEPT: Final = "SELECT first, next, enqueued_at FROM kept WHERE partition = ?"


def load_ends(connection: sqlite3.Connection, partitions: int) -> list[PartitionEnds]:
    """Return the bounds of all partitions: from their last chunks, or from what was kept when those were dropped."""
    return [_load_end(connection, partition) for partition in range(partitions)]


def load_positions(connection: sqlite3.Connection) -> dict[tuple[str, int], int]:
    """Return where each consumer group reads on, by group and partition."""
    rows = connection.execute("SELECT reader, partition, next FROM position")
    return {(reader, partition): next_ for reader, partition, next_ in rows}


def _load_end(connection: sqlite3.Connection, partition: int) -> PartitionEnds:
    kept = PartitionEnds(*(connection.execute(_KEPT, (partition,)).fetchone() or (0, 0, None)))
    row = connection.execute(of(_LAST, partition)).fetchone()
    if row is None:
        return kept
    chunk = Chunk(partition, *row)
    try:
        verify_checksum(chunk)
    except CorruptStore:
        # How many entries it held is not known, and a sequence number is never given twice.
        return kept._replace(next=max(kept.next, chunk.first + SAFE_JUMP))
    return PartitionEnds(kept.first, max(kept.next, chunk.first + chunk.size), chunk.enqueued_at)
