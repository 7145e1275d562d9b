"""What errors of SQLite mean to the hub."""

import sqlite3

import pytest

from ironhub.core.errors import CorruptStore, HubError, Unavailable
from ironhub.storage.sqlite.errors import translated

MEANINGS: list[tuple[int, type[HubError] | None]] = [
    (sqlite3.SQLITE_FULL, Unavailable),
    (sqlite3.SQLITE_READONLY, Unavailable),
    (sqlite3.SQLITE_READONLY_DIRECTORY, Unavailable),
    (sqlite3.SQLITE_IOERR_FSYNC, Unavailable),
    (sqlite3.SQLITE_IOERR_WRITE, Unavailable),
    (sqlite3.SQLITE_BUSY, Unavailable),
    (sqlite3.SQLITE_CANTOPEN, Unavailable),
    (sqlite3.SQLITE_CORRUPT, CorruptStore),
    (sqlite3.SQLITE_NOTADB, CorruptStore),
    (sqlite3.SQLITE_ERROR, None),
    (sqlite3.SQLITE_MISUSE, None),
    (sqlite3.SQLITE_CONSTRAINT, None),
]


@pytest.mark.parametrize(("code", "meaning"), MEANINGS)
def test_each_kind_of_error_has_a_meaning(code: int, meaning: type[HubError] | None) -> None:
    error = sqlite3.OperationalError("what SQLite says")
    error.sqlite_errorcode, error.sqlite_errorname = code, "SQLITE_NAME"
    found = translated(error)
    assert (None if found is None else type(found)) is meaning
    if found is not None:
        assert found.detail == "SQLITE_NAME: what SQLite says"
        assert "what SQLite says" not in str(found)


def test_an_error_of_the_system_means_that_the_disk_is_out_of_order() -> None:
    assert isinstance(translated(PermissionError("no")), Unavailable)


def test_a_mistake_of_ours_stays_one() -> None:
    assert translated(sqlite3.ProgrammingError("no code at all")) is None
    assert translated(ValueError("x")) is None
