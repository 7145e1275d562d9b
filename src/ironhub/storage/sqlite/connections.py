"""How each connection to hub.db is set up."""

import os
import sqlite3
from pathlib import Path
from typing import Final
from urllib.parse import quote

BUSY_TIMEOUT: Final = 5.0
"""Seconds to wait for another process (a backup, a shell) that holds the file."""
CACHE_KIB: Final = 32_768
"""Memory for pages, at most, per connection."""
MAX_IDLE_WAL: Final = 64 * 1024 * 1024
"""Bytes that the write-ahead log keeps on the disk when it is empty."""
_STATEMENTS: Final = 256

_COMMON: Final = (
    f"PRAGMA cache_size = -{CACHE_KIB}",
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
)


def create_file(path: Path) -> None:
    """Make the file, readable for its owner only, unless it is there. Raises OSError."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))


def open_writer(path: Path) -> sqlite3.Connection:
    """Return a connection that writes to a file that is there.

    What is committed is on the disk: with less than `synchronous = FULL` a loss of power takes acknowledged rows.
    """
    connection = _connect(path, "rw")
    try:
        _set_up(
            connection,
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            f"PRAGMA journal_size_limit = {MAX_IDLE_WAL}",
            *_COMMON,
        )
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Return a connection that cannot write, and that has read already: what it needs on the disk is there."""
    connection = _connect(path, "ro")
    try:
        _set_up(connection, "PRAGMA query_only = ON", *_COMMON, "PRAGMA schema_version")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}",
        uri=True,
        timeout=BUSY_TIMEOUT,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_STATEMENTS,
    )


def _set_up(connection: sqlite3.Connection, *pragmas: str) -> None:
    for pragma in pragmas:
        connection.execute(pragma).fetchall()
