"""Reading past every kind of damage."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.fakes.log_files import change, open_file, work
from tests.fakes.streams import PRESS, entries, sealer

from ironhub.core.errors import Unavailable
from ironhub.core.sealing import Sealer
from ironhub.messaging.telemetry.model import Batch, Damage, Entry
from ironhub.streams.embedded.reader import FileReader
from ironhub.streams.embedded.schema import connect
from ironhub.streams.gather import Gather

CHUNKS = 6
IN_CHUNK = 3
ALL = CHUNKS * IN_CHUNK


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log with 6 chunks of 3 entries in partition 1, and others around it."""
    path = tmp_path / "stream.db"
    file = open_file(path)
    for number in range(CHUNKS):
        first = number * IN_CHUNK
        file.commit(work({0: entries(1), 1: entries(first, first + 1, first + 2), 2: entries(2)}))
    file.close()
    return path


def read(path: Path, start: int = 0, until: int = ALL, keys: Sealer | None = None, **bounds: int) -> Batch:
    limits = {"max_entries": 1000, "max_bytes": 1 << 20} | bounds
    gather = Gather(1, start, **limits)
    reader = FileReader(path, keys or sealer(), connect)
    try:
        reader.read(gather, 1, until)
    finally:
        reader.close()
    return gather.batch(first=0)


def numbers(batch: Batch) -> list[int]:
    for each in batch.entries:
        assert each.entry == entries(each.sequence_number)[0]
    return [each.sequence_number for each in batch.entries]


def without(*lost: int) -> list[int]:
    return [number for number in range(ALL) if number // IN_CHUNK not in lost]


def test_it_reads_from_anywhere_to_the_end(path: Path) -> None:
    for start in range(ALL):
        batch = read(path, start)
        assert numbers(batch) == list(range(start, ALL))
        assert (batch.next, batch.damage) == (ALL, ())


def test_what_is_committed_later_than_asked_for_is_not_read(path: Path) -> None:
    assert numbers(read(path, until=6)) == [0, 1, 2, 3, 4, 5]


def test_bounds_hold_over_chunks(path: Path) -> None:
    batch = read(path, 2, max_entries=5)
    assert (numbers(batch), batch.next) == ([2, 3, 4, 5, 6], 7)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE chunk_1 SET body = substr(body, 1, length(body) - 1) WHERE first = 6",
        "UPDATE chunk_1 SET body = zeroblob(length(body)) WHERE first = 6",
        "UPDATE chunk_1 SET body = '' WHERE first = 6",
        "UPDATE chunk_1 SET entries = 2 WHERE first = 6",
        "UPDATE chunk_1 SET entries = 1000000 WHERE first = 6",
        "UPDATE chunk_1 SET enqueued_at = 'noon' WHERE first = 6",
        "UPDATE chunk_1 SET checksum = -1 WHERE first = 6",
        "UPDATE chunk_1 SET (body, checksum) = (SELECT body, checksum FROM chunk_1 WHERE first = 3) WHERE first = 6",
        "UPDATE chunk_1 SET first = 7 WHERE first = 6",
        "DELETE FROM chunk_1 WHERE first = 6",
    ],
)
def test_a_damaged_or_missing_chunk_is_told_and_passed(path: Path, damage: str) -> None:
    change(path, damage)
    batch = read(path)
    assert numbers(batch) == without(2)
    assert batch.next == ALL
    assert sum(each.entries for each in batch.damage) == IN_CHUNK
    assert batch.damage[0][:2] == (1, 6)


def test_damage_at_both_ends_and_in_a_row_is_told(path: Path) -> None:
    change(path, "UPDATE chunk_1 SET checksum = 0 WHERE first IN (0, 6)")
    change(path, "DELETE FROM chunk_1 WHERE first IN (9, 15)")
    batch = read(path)
    assert numbers(batch) == without(0, 2, 3, 5)
    assert batch.damage == (
        Damage(1, 0, 3, "a chunk's checksum does not match"),
        Damage(1, 6, 6, "a chunk's checksum does not match"),  # how long it was is not known: it reaches to the next
        Damage(1, 15, 3, "chunks are missing"),
    )


def test_a_read_that_starts_within_damage_tells_the_rest_of_it(path: Path) -> None:
    change(path, "UPDATE chunk_1 SET checksum = 0 WHERE first = 6")
    batch = read(path, 7)
    assert batch.damage == (Damage(1, 7, 2, "a chunk's checksum does not match"),)
    assert numbers(batch) == list(range(9, ALL))


def test_a_log_without_any_chunk_left_is_all_damage(path: Path) -> None:
    change(path, "DELETE FROM chunk_1")
    assert read(path) == ((), ALL, (Damage(1, 0, ALL, "chunks are missing"),))


def test_the_wrong_key_is_told_for_each_chunk(path: Path) -> None:
    batch = read(path, keys=sealer(2))
    assert batch.entries == ()
    assert [each[:3] for each in batch.damage] == [(1, number * IN_CHUNK, IN_CHUNK) for number in range(CHUNKS)]


def test_much_damage_is_told_piece_by_piece(tmp_path: Path) -> None:
    path = tmp_path / "stream.db"
    file = open_file(path)
    for number in range(80):
        file.commit(work({1: entries(number)}))
    file.close()
    change(path, "UPDATE chunk_1 SET checksum = 0 WHERE first < 79")
    first = read(path, until=80)
    assert (len(first.damage), first.next) == (64, 64)
    assert numbers(read(path, first.next, until=80)) == [79]


def leaf_pages(path: Path) -> list[bytes]:
    with closing(sqlite3.connect(path)) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    whole = path.read_bytes()
    return [whole[at : at + size] for at in range(0, len(whole), size)]


def test_a_page_that_is_broken_costs_only_what_is_on_it(tmp_path: Path) -> None:
    path = tmp_path / "stream.db"
    file = open_file(path)
    for number in range(60):  # some five chunks to a page
        file.commit(work({1: [Entry(PRESS, b"", b"%d" % number + b"x" * 1500)]}))
    file.close()
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'chunk_1'").fetchone()
    pages = leaf_pages(path)
    interior = pages[root - 1]
    assert interior[0] == 5  # the root of a table of more than one page
    cell = int.from_bytes(interior[12 + 6 : 12 + 8], "big")  # its fourth pointer
    leaf = int.from_bytes(interior[cell : cell + 4], "big")
    with path.open("r+b") as raw:
        raw.seek((leaf - 1) * len(interior))
        raw.write(b"\xee" * len(interior))
    batch = read(path, until=60)
    (damage,) = batch.damage
    assert damage.reason == "pages of the file are damaged"
    assert 2 <= damage.entries <= 6
    found = [each.sequence_number for each in batch.entries]
    assert found == [number for number in range(60) if not damage.first <= number < damage.first + damage.entries]
    assert all(each.entry.body.startswith(b"%dx" % each.sequence_number) for each in batch.entries)
    tail = read(path, damage.first + 1, until=60)
    assert [each.sequence_number for each in tail.entries] == list(range(damage.first + damage.entries, 60))


def test_a_last_page_that_is_broken_ends_the_read_not_the_reader(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'chunk_1'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as raw:
        raw.seek((root - 1) * size)
        raw.write(b"\xee" * size)
    assert read(path) == ((), ALL, (Damage(1, 0, ALL, "pages of the file are damaged"),))


def test_a_disk_that_cannot_be_read_is_no_damage(path: Path) -> None:
    reader = FileReader(path, sealer(), connect)
    reader.close()
    with pytest.raises(Unavailable):
        reader.read(Gather(1, 0, max_entries=1, max_bytes=1), 1, ALL)
    with pytest.raises(Unavailable):
        reader.seek(1, 0.0, 0, ALL)


def test_a_reader_cannot_write(path: Path) -> None:
    reader = FileReader(path, sealer(), connect)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM chunk_1")
    reader.close()


def test_seeking_needs_no_look_at_every_chunk(path: Path) -> None:
    change(path, "UPDATE chunk_1 SET enqueued_at = first")
    statements: list[str] = []
    reader = FileReader(path, sealer(), connect)
    reader._connection.set_trace_callback(statements.append)
    assert [reader.seek(1, float(at), 0, ALL) for at in (-1, 0, 1, 3, 4, 15, 16)] == [0, 0, 3, 3, 6, 15, ALL]
    statements.clear()
    reader.seek(1, 7.0, 0, 1 << 40)
    assert len(statements) < 45
    reader.close()
