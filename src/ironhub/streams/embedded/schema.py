"""The file of the durable log: its tables, its settings, and how a connection to it is made."""

import os
import sqlite3
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from ironhub.core.errors import CorruptStore, StoreTooNew, Unavailable

MAX_PARTITIONS: Final = 1024
BUSY_SECONDS: Final = 2.0
"""How long somebody else's lock is waited for before the disk counts as refusing."""

_APPLICATION_ID: Final = 0x49724C67
_VERSION: Final = 1
_PRIVATE: Final = 0o600
_PAGE_SIZE: Final = 8192  # measured: docs/decisions/0005-event-log.md
_CACHED_STATEMENTS: Final = 512
_JOURNAL_KEPT: Final = 64 << 20

Connect = Callable[[Path], sqlite3.Connection]

# A table for each partition, so that every insert is at the end of its table, where it costs least.
# The body comes last: whoever looks for a time or a number never touches its pages.
_CHUNKS: Final = """CREATE TABLE chunk_N (
    first INTEGER PRIMARY KEY, entries INTEGER NOT NULL, enqueued_at REAL NOT NULL,
    checksum INTEGER NOT NULL, body BLOB NOT NULL)"""
_TABLES: Final = (
    # What remains true of a partition when its chunks are dropped, as of the last time some were.
    """CREATE TABLE kept (
        partition INTEGER PRIMARY KEY, first INTEGER NOT NULL, next INTEGER NOT NULL, enqueued_at REAL)""",
    """CREATE TABLE position (
        reader TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL,
        PRIMARY KEY (reader, partition)) WITHOUT ROWID""",
    "CREATE TABLE mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
)


def connect(path: Path, factory: type[sqlite3.Connection] = sqlite3.Connection) -> sqlite3.Connection:
    """Return a connection that commits to the disk before it says so. The file must exist."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_SECONDS,
        factory=factory,
        cached_statements=_CACHED_STATEMENTS,
    )
    for setting in (
        "synchronous=FULL",
        "fullfsync=ON",  # macOS: its plain fsync stops at the drive's cache
        "wal_autocheckpoint=0",  # the committer does it when it has answered
        f"journal_size_limit={_JOURNAL_KEPT}",
    ):
        connection.execute(f"PRAGMA {setting}")
    return connection


def prepare(path: Path, partitions: int) -> int:
    """Make sure that there is a log at `path`, new with `partitions` of them; return how many it has.

    Raises:
        CorruptStore: the file is no event log.
        StoreTooNew: a newer release wrote it.
        Unavailable: the disk refuses.
    """
    try:
        path.touch(mode=_PRIVATE)
        connection = connect(path)
        try:
            return _prepare(connection, path, partitions)
        finally:
            connection.close()
    except (sqlite3.DatabaseError, OSError) as error:
        if is_damage(error):
            raise CorruptStore(f"{path.name} is not an event log, or damaged", detail=str(error)) from error
        raise Unavailable(f"{path.name} cannot be opened", detail=str(error)) from error


@cache
def of(statement: str, partition: int) -> str:
    """Return `statement`, which speaks of the table chunk_N, for the table of `partition`."""
    return statement.replace("chunk_N", f"chunk_{int(partition)}")


def mark(connection: sqlite3.Connection, name: str) -> int:
    """Return one of the log's numbers. Raises CorruptStore: it is not there."""
    row = connection.execute("SELECT value FROM mark WHERE name = ?", (name,)).fetchone()
    if row is None or not isinstance(row[0], int):
        raise CorruptStore(f"the event log does not know its number {name!r}")
    return row[0]


def is_damage(error: BaseException) -> bool:
    """Return whether SQLite says that the file's content is wrong, rather than that it cannot get at it."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _prepare(connection: sqlite3.Connection, path: Path, partitions: int) -> int:
    application, version = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _HEADER_FIELDS)
    if application == version == 0 and connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,):
        _create(connection, partitions)
        _sync_directory(path.parent)
    elif application != _APPLICATION_ID:
        raise CorruptStore(f"{path.name} is not an event log")
    elif version != _VERSION:
        raise StoreTooNew(f"{path.name} is at schema {version}, this version knows {_VERSION}")
    return mark(connection, "partitions")


_HEADER_FIELDS: Final = ("application_id", "user_version")


def _create(connection: sqlite3.Connection, partitions: int) -> None:
    if not 1 <= partitions <= MAX_PARTITIONS:
        raise ValueError(f"a log has 1 to {MAX_PARTITIONS} partitions")
    connection.execute(f"PRAGMA page_size={_PAGE_SIZE}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("BEGIN IMMEDIATE")
    for statement in _TABLES:
        connection.execute(statement)
    for partition in range(partitions):
        connection.execute(of(_CHUNKS, partition))
    connection.execute("INSERT INTO mark VALUES ('partitions', ?), ('relayed', 0), ('probes', 0)", (partitions,))
    connection.execute(f"PRAGMA application_id={_APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version={_VERSION}")
    connection.execute("COMMIT")


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
