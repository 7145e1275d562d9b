"""Commits, and what is known after a failure."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.fakes.clock import START, FakeClock
from tests.fakes.log_files import Disk, change, connect_to_disk, open_file, work
from tests.fakes.streams import PRESS, entries, entry

from ironhub.core.errors import CorruptStore, Unavailable
from ironhub.messaging.telemetry.model import Entry, PartitionEnds
from ironhub.streams.chunks import size_of
from ironhub.streams.settings import LogSettings


@pytest.fixture(autouse=True)
def refusals() -> Iterator[list[tuple[str, bool]]]:
    Disk.refusals.clear()
    yield Disk.refusals
    Disk.refusals.clear()


def chunks(path: Path, partition: int = 0) -> list[tuple[int, int]]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.execute(f"SELECT first, entries FROM chunk_{partition} ORDER BY first"))


def test_what_is_committed_is_known_after_opening_again(tmp_path: Path) -> None:
    path = tmp_path / "stream.db"
    file = open_file(path)
    made = work({0: entries(1, 2), 3: entries(3)}, facts=[(9, 0, entry(4))])
    made.positions.append(("$default", 2, 77))
    blocks = file.commit(made)
    assert [(block.partition, block.first, len(block.entries)) for block in blocks] == [(0, 0, 3), (3, 0, 1)]
    file.close()
    again = open_file(path)
    assert again.ends == file.ends
    assert again.ends[0] == PartitionEnds(0, 3, START)
    assert again.relayed == 9
    assert again.positions == {("$default", 2): 77}
    again.close()


def test_one_commit_makes_one_chunk_for_each_partition_unless_it_grows_too_large(tmp_path: Path) -> None:
    path = tmp_path / "stream.db"
    file = open_file(path, settings=LogSettings(max_chunk=2 * size_of(entries(1))))
    file.commit(work({0: entries(1, 2), 1: entries(1, 2, 3, 4, 5)}))
    file.commit(work({0: [Entry(PRESS, b"", b"x" * 5000), entry(1)]}))
    assert chunks(path, 0) == [(0, 2), (2, 1), (3, 1)]
    assert chunks(path, 1) == [(0, 2), (2, 2), (4, 1)]
    file.close()


def test_a_refused_commit_uses_up_no_sequence_number(tmp_path: Path, refusals: list[tuple[str, bool]]) -> None:
    path = tmp_path / "stream.db"
    file = open_file(path, connect=connect_to_disk)
    for word in ("BEGIN", "INSERT", "COMMIT"):
        refusals.append((word, False))
        with pytest.raises(Unavailable, match=r"stream\.db cannot be written"):
            file.commit(work({0: entries(1)}))
        assert file.ends[0].next == 0
    file.commit(work({0: entries(2)}))
    assert chunks(path) == [(0, 1)]
    file.close()


def test_a_commit_of_unknown_outcome_is_looked_up_on_the_disk(tmp_path: Path, refusals: list[tuple[str, bool]]) -> None:
    path = tmp_path / "stream.db"
    file = open_file(path, connect=connect_to_disk)
    refusals.append(("COMMIT", True))
    made = work({0: entries(1, 2)}, facts=[(5, 1, entry(3))])
    with pytest.raises(Unavailable):
        file.commit(made)
    blocks = file.commit(work({0: entries(4)}, facts=[(5, 1, entry(3)), (6, 1, entry(6))]))
    assert [(block.partition, block.first) for block in blocks] == [(0, 2), (1, 1)]
    assert chunks(path, 0) == [(0, 2), (2, 1)]
    assert chunks(path, 1) == [(0, 1), (1, 1)]
    file.close()


def test_after_a_failure_nothing_is_written_before_the_journal_is_settled(
    tmp_path: Path, refusals: list[tuple[str, bool]]
) -> None:
    file = open_file(tmp_path / "stream.db", connect=connect_to_disk)
    refusals += [("COMMIT", True), ("PRAGMA wal_checkpoint(TRUNCATE)", False)]
    for _ in range(2):
        with pytest.raises(Unavailable):
            file.commit(work({0: entries(1)}))
    assert refusals == []
    file.commit(work({0: entries(2)}))
    assert file.ends[0].next == 2
    file.close()


def test_it_waits_for_whoever_holds_the_file_and_then_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusals: list[tuple[str, bool]]
) -> None:
    monkeypatch.setattr("ironhub.streams.embedded.schema.BUSY_SECONDS", 0.01)
    path = tmp_path / "stream.db"
    file = open_file(path, connect=connect_to_disk)
    file.commit(work({0: entries(1)}))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM chunk_0").fetchall()
        file.commit(work({0: entries(2)}))
        refusals.append(("COMMIT", False))
        for _ in range(2):  # refused; then the reader of an old state is in the way of settling
            with pytest.raises(Unavailable):
                file.commit(work({0: entries(3)}))
    file.commit(work({0: entries(4)}))
    assert file.ends[0].next == 3
    file.close()


def test_a_second_writer_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "stream.db"
    one, two = open_file(path), open_file(path)
    one.commit(work({0: entries(1)}))
    with pytest.raises(Unavailable):
        two.commit(work({0: entries(2, 3)}))
    two.commit(work({0: entries(2, 3)}))
    assert chunks(path) == [(0, 1), (1, 2)]
    one.close()
    two.close()


def test_the_journal_is_settled_when_enough_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "stream.db"
    file = open_file(path)
    file.commit(work({0: [Entry(PRESS, b"", b"x" * (1 << 20))]}))
    assert file.settle() is False
    before = path.stat().st_size
    for _ in range(9):
        file.commit(work({0: [Entry(PRESS, b"", b"x" * (1 << 20))]}))
    file.settle()
    assert path.stat().st_size > before + (8 << 20)
    file.close()


def test_a_probe_writes_and_changes_nothing(tmp_path: Path, refusals: list[tuple[str, bool]]) -> None:
    path = tmp_path / "stream.db"
    file = open_file(path, connect=connect_to_disk)
    file.commit(work(facts=[(4, 0, entry(4))]))
    before = (tmp_path / "stream.db-wal").stat().st_size
    assert file.probe() is True
    assert (tmp_path / "stream.db-wal").stat().st_size > before
    refusals.append(("UPDATE mark", False))
    with pytest.raises(Unavailable):
        file.probe()
    file.close()
    file = open_file(path)
    assert file.relayed == 4
    file.close()


def test_settling_and_trimming_tell_when_the_disk_refuses(tmp_path: Path, refusals: list[tuple[str, bool]]) -> None:
    clock = FakeClock()
    file = open_file(tmp_path / "stream.db", clock, connect=connect_to_disk)
    file.commit(work({0: [Entry(PRESS, b"", b"x" * (9 << 20))]}))
    refusals.append(("PRAGMA wal_checkpoint(PASSIVE)", False))
    with pytest.raises(Unavailable):
        file.settle()
    clock.advance(LogSettings().max_age + 1)
    refusals.append(("DELETE", False))
    with pytest.raises(Unavailable):
        file.trim()
    assert file.ends[0].first == 1  # readers were told already; it is true again when the file was opened anew
    assert file.trim() is True
    assert file.trim() is False
    assert chunks(tmp_path / "stream.db") == []
    file.close()


@pytest.mark.parametrize("name", ["partitions", "relayed"])
def test_a_file_that_lost_its_own_numbers_is_damaged(tmp_path: Path, name: str) -> None:
    path = tmp_path / "stream.db"
    open_file(path).close()
    change(path, "DELETE FROM mark WHERE name = ?", name)
    with pytest.raises(CorruptStore, match=name):
        open_file(path)


def test_broken_pages_where_it_must_write_are_damage(tmp_path: Path) -> None:
    path = tmp_path / "stream.db"
    file = open_file(path)
    file.commit(work({0: entries(1)}))
    file.close()
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'chunk_0'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as raw:
        raw.seek((root - 1) * size)
        raw.write(b"\xee" * size)
    with pytest.raises(CorruptStore, match="damaged"):
        open_file(path)
