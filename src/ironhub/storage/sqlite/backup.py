"""A copy of the database, whole and consistent, while the hub goes on."""

import os
import sqlite3
from pathlib import Path

from ironhub.core.errors import InvalidArgument, Unavailable
from ironhub.storage.sqlite.connections import create_file, open_reader
from ironhub.storage.sqlite.errors import translated


def back_up(source: Path, target: Path) -> None:
    """Copy the database at `source` to the new file `target`, as it stands at one instant; blocks until it is on disk.

    The file appears under its name only when it is whole. Writers go on meanwhile: it is one long read of SQLite's.

    Raises:
        InvalidArgument: there is a file of this name.
        Unavailable: it cannot be read or written.
    """
    if target.exists():
        raise InvalidArgument(f"{target} is there already")
    partial = target.with_name(f"{target.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        create_file(partial)
        _copy(source, partial)
        _sync(partial)
        partial.rename(target)
        _sync(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise translated(error) or Unavailable("the backup failed", detail=str(error)) from error
    finally:
        partial.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    """In a single step: SQLite begins anew whenever somebody writes between two."""
    reader = open_reader(source)
    copy = sqlite3.connect(target, isolation_level=None)
    try:
        reader.backup(copy)
    finally:
        copy.close()
        reader.close()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
