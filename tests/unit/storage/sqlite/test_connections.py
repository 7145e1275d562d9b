"""How connections to hub.db are set up."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from ironhub.storage.sqlite.connections import create_file, open_reader, open_writer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A name with characters that mean something in an URI."""
    path = tmp_path / "a b?c#d%20.db"
    create_file(path)
    return path


def test_only_the_owner_may_read_the_file(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with closing(open_writer(path)) as writer:
        writer.execute("CREATE TABLE t (a)")
        for each in path.parent.iterdir():
            assert stat.S_IMODE(each.stat().st_mode) == 0o600


def test_a_commit_is_on_the_disk_when_it_returns(path: Path) -> None:
    with closing(open_writer(path)) as writer:
        assert writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert writer.execute("PRAGMA synchronous").fetchone() == (2,)
        assert writer.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_a_reader_cannot_write(path: Path) -> None:
    with closing(open_writer(path)) as writer, closing(open_reader(path)) as reader:
        writer.execute("CREATE TABLE t (a)")
        assert reader.execute("SELECT * FROM t").fetchall() == []
        with pytest.raises(sqlite3.OperationalError):
            reader.execute("INSERT INTO t VALUES (1)")


def test_a_file_that_is_gone_is_not_made_anew(path: Path) -> None:
    path.unlink()
    for open_it in (open_writer, open_reader):
        with pytest.raises(sqlite3.OperationalError):
            open_it(path)
    assert not path.exists()


def test_a_file_that_is_no_database_is_not_opened(path: Path) -> None:
    path.write_bytes(b"not a database " * 100)
    for open_it in (open_writer, open_reader):
        with pytest.raises(sqlite3.DatabaseError):
            open_it(path).execute("SELECT 1 FROM sqlite_master")
