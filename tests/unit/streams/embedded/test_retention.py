"""Dropping what is too old or too much."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.log_files import change, open_file, work
from tests.fakes.streams import PRESS, entries

from ironhub.messaging.telemetry.model import Entry, PartitionEnds
from ironhub.streams.embedded import retention
from ironhub.streams.embedded.retention import used_bytes
from ironhub.streams.settings import LogSettings

BIG = [Entry(PRESS, b"", b"x" * 100_000)]


def used(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return used_bytes(connection)


def test_old_chunks_go_and_the_end_is_remembered(tmp_path: Path) -> None:
    path, clock = tmp_path / "stream.db", FakeClock()
    file = open_file(path, clock, LogSettings(max_age=100))
    file.commit(work({0: entries(1, 2), 1: entries(1)}))
    clock.advance(60)
    file.commit(work({0: entries(3)}))
    clock.advance(60)
    assert file.trim() is True
    assert file.trim() is False
    assert file.ends[:2] == [PartitionEnds(2, 3, clock.now() - 60), PartitionEnds(1, 1, clock.now() - 120)]
    file.close()
    file = open_file(path, clock)
    assert file.ends[:2] == [PartitionEnds(2, 3, clock.now() - 60), PartitionEnds(1, 1, clock.now() - 120)]
    file.close()


def test_beyond_its_bytes_the_oldest_of_all_partitions_go(tmp_path: Path) -> None:
    path, clock = tmp_path / "stream.db", FakeClock()
    file = open_file(path, clock, LogSettings(max_bytes=1_000_000))
    for number in range(30):
        clock.advance(1)
        file.commit(work({number % 2: BIG}))
    assert used(path) > 3_000_000
    while file.trim():
        pass
    assert 850_000 < used(path) <= 1_000_000
    kept = [each.next - each.first for each in file.ends]
    assert abs(kept[0] - kept[1]) <= 1
    size = path.stat().st_size
    for number in range(10):
        clock.advance(1)
        file.commit(work({number % 2: BIG}))
    assert path.stat().st_size == size  # free pages are used before the file grows
    file.close()


def test_one_run_drops_a_bounded_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "MAX_DROPPED", 3)
    clock = FakeClock()
    file = open_file(tmp_path / "stream.db", clock, LogSettings(max_age=1))
    for number in range(7):
        file.commit(work({number % 4: entries(1)}))
    clock.advance(5)
    runs = 0
    while file.trim():
        runs += 1
    assert runs == 3
    assert all(each.first == each.next for each in file.ends)
    file.close()


def test_a_damaged_time_does_not_keep_a_chunk_for_ever(tmp_path: Path) -> None:
    path, clock = tmp_path / "stream.db", FakeClock()
    file = open_file(path, clock)
    file.commit(work({0: entries(1)}))
    file.commit(work({0: entries(2)}))
    change(path, "UPDATE chunk_0 SET enqueued_at = 'noon', body = zeroblob(3) WHERE first = 0")
    assert file.trim() is True
    assert file.ends[0].first == 1
    file.close()


def test_nothing_to_drop_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "stream.db"
    file = open_file(path)
    file.commit(work({0: entries(1)}))
    before = (tmp_path / "stream.db-wal").stat().st_size
    assert file.trim() is False
    assert (tmp_path / "stream.db-wal").stat().st_size == before
    file.close()
