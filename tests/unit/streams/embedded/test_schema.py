"""The file itself: created once, recognised later, refused when it is something else."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ironhub.core.errors import CorruptStore, StoreTooNew, Unavailable
from ironhub.streams.embedded.schema import connect, is_damage, of, prepare


def test_a_new_file_is_private_and_keeps_its_number_of_partitions(tmp_path: Path) -> None:
    path = tmp_path / "stream.db"
    assert prepare(path, 7) == 7
    assert prepare(path, 4) == 7
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_commit_is_on_the_disk_when_it_returns(tmp_path: Path) -> None:
    prepare(tmp_path / "stream.db", 4)
    with closing(connect(tmp_path / "stream.db")) as connection:
        found = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")}
    assert found == {"journal_mode": "wal", "synchronous": 2}


def test_a_path_with_strange_letters_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a?mode=memory#%41 b.db"
    prepare(path, 4)
    assert path.stat().st_size > 0


@pytest.mark.parametrize("partitions", [0, -1, 1025])
def test_a_number_of_partitions_that_cannot_be_is_refused(tmp_path: Path, partitions: int) -> None:
    with pytest.raises(ValueError, match="partitions"):
        prepare(tmp_path / "stream.db", partitions)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "stream.db"
    path.write_bytes(b"these are notes, not a log" * 100)
    with pytest.raises(CorruptStore, match="not an event log"):
        prepare(path, 4)
    assert path.read_bytes().startswith(b"these are notes")


def test_another_program_s_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "stream.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE chunk (x)")
    with pytest.raises(CorruptStore, match="not an event log"):
        prepare(path, 4)


def test_a_log_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "stream.db"
    prepare(path, 4)
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(StoreTooNew, match="schema 99"):
        prepare(path, 4)


def test_a_directory_that_is_not_there_is_the_disk_s_refusal(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        prepare(tmp_path / "missing" / "stream.db", 4)


def test_a_locked_file_is_the_disk_s_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ironhub.streams.embedded.schema.BUSY_SECONDS", 0.01)
    path = tmp_path / "stream.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Unavailable):
            prepare(path, 4)
    assert prepare(path, 4) == 4


def test_only_wrong_content_is_damage() -> None:
    assert not is_damage(sqlite3.OperationalError("no code"))
    assert not is_damage(OSError(28, "no space left"))


def test_each_partition_has_a_table_of_its_own() -> None:
    assert of("SELECT first FROM chunk_N WHERE first IN (SELECT max(first) FROM chunk_N)", 12) == (
        "SELECT first FROM chunk_12 WHERE first IN (SELECT max(first) FROM chunk_12)"
    )
