"""What SQLite's errors mean to the hub."""

import sqlite3
from typing import Final

from ironhub.core.errors import CorruptStore, HubError, Unavailable

_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_OUT_OF_ORDER: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)


class Clash(Exception):
    """A row of this key is there already, or the row it belongs to is not; a store answers with its port's error."""


def translated(error: Exception) -> HubError | None:
    """Return what an error of the driver or the system means for whoever called; None: it is a mistake of ours.

    The low byte of SQLite's code is the kind, the rest is detail (https://sqlite.org/rescode.html).
    """
    code = getattr(error, "sqlite_errorcode", None)
    kind = None if code is None else code & 0xFF
    detail = f"{getattr(error, 'sqlite_errorname', type(error).__name__)}: {error}"
    if kind in _DAMAGED:
        return CorruptStore("the database hub.db is damaged", detail=detail)
    if kind in _OUT_OF_ORDER or isinstance(error, OSError):
        return Unavailable("the database hub.db cannot be used right now", detail=detail)
    return None
