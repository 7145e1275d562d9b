"""Packing, sealing and checking chunks."""

import struct
import zlib

import pytest
from tests.fakes.streams import ARM, PRESS, entries, sealer

from ironhub.core.errors import CorruptStore
from ironhub.core.sealing import UnknownKey
from ironhub.messaging.telemetry.model import Entry
from ironhub.streams.chunks import Chunk, Origins, open_chunk, seal_chunk, size_of, split, verify_checksum

MIXED = [Entry(PRESS, b"a=1", b"one", 1), Entry(ARM, b"", b"\xff", 300), Entry(PRESS, b"c", b"", 0)]


def chunk(key: int = 1) -> Chunk:
    return seal_chunk(3, 40, 1234.5, MIXED, sealer(key))


def test_a_chunk_opens_to_what_was_put_in() -> None:
    assert chunk()[:4] == (3, 40, 3, 1234.5)
    assert list(open_chunk(chunk(), sealer())) == MIXED


def test_whoever_opens_many_chunks_meets_the_same_origins_again() -> None:
    origins = Origins()
    first, again = open_chunk(chunk(), sealer(), origins), open_chunk(chunk(), sealer(), origins)
    assert list(first) == list(again) == MIXED
    assert [entry.origin for entry in first] == [PRESS, ARM, PRESS]
    assert all(one.origin is other.origin for one, other in zip(first, again, strict=True))


def test_a_bounded_number_of_origins_is_kept() -> None:
    origins = Origins(limit=1)
    for _ in range(3):
        assert list(open_chunk(chunk(), sealer(), origins)) == MIXED
    assert len(origins._known) == 1


def test_nothing_of_an_entry_is_readable_in_the_stored_bytes() -> None:
    assert b"press-7" not in chunk().body
    assert b"a=1" not in chunk().body


def test_the_checksum_needs_no_key() -> None:
    verify_checksum(chunk(key=9))


def test_a_chunk_of_an_old_key_opens_as_long_as_the_key_is_kept() -> None:
    assert list(open_chunk(chunk(key=1), sealer(1, 2))) == MIXED
    with pytest.raises(UnknownKey):
        open_chunk(chunk(key=2), sealer(1))


def test_another_key_under_the_same_id_does_not_open_it() -> None:
    forged = seal_chunk(3, 40, 1234.5, MIXED, sealer(1))
    other = type(sealer())({1: bytes(32)}, None)  # type: ignore[arg-type]
    with pytest.raises(CorruptStore, match="does not open"):
        open_chunk(forged, other)


@pytest.mark.parametrize(
    "change",
    [
        {"partition": 2},
        {"first": 41},
        {"size": 2},
        {"enqueued_at": 1234.6},
        {"checksum": 1},
        {"checksum": None},
        {"body": b""},
        {"body": "text"},
        {"body": None},
        {"size": None},
        {"size": -1},
        {"first": 1 << 70},
        {"enqueued_at": "noon"},
    ],
)
def test_a_field_that_is_not_what_was_written_is_found(change: dict[str, object]) -> None:
    with pytest.raises(CorruptStore):
        open_chunk(chunk()._replace(**change), sealer())  # type: ignore[arg-type]


def test_a_chunk_that_somebody_moved_and_checksummed_anew_does_not_open() -> None:
    elsewhere = seal_chunk(3, 41, 1234.5, MIXED, sealer())
    moved = elsewhere._replace(body=chunk().body)
    # Find the checksum as an attacker would: from the stored bytes alone.
    fields = struct.pack(">HQId", moved.partition, moved.first, moved.size, moved.enqueued_at)
    moved = moved._replace(checksum=zlib.crc32(fields + moved.body))
    verify_checksum(moved)
    with pytest.raises(CorruptStore, match="does not open"):
        open_chunk(moved, sealer())


def sealed_text(packed: bytes, size: int = 1) -> Chunk:
    header = struct.pack(">HQId", 0, 0, size, 1.0)
    body = sealer().seal(packed, b"ironhub chunk 1" + header)
    return Chunk(0, 0, size, 1.0, zlib.crc32(header + body), body)


@pytest.mark.parametrize("packed", [b"", b"\xc1", b"\x90", b"\x95\x90\x91\x00\x91\xc4\x00\x91\xc4\x00\x91\x00"])
def test_what_opens_but_holds_no_entries_is_refused(packed: bytes) -> None:
    with pytest.raises(CorruptStore, match="does not hold entries"):
        open_chunk(sealed_text(packed), sealer())


def test_another_number_of_entries_than_the_chunk_says_is_refused() -> None:
    with pytest.raises(CorruptStore, match="number of entries"):
        open_chunk(sealed_text(b"\x95\x90\x90\x90\x90\x90"), sealer())


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(CorruptStore, match="does not hold entries"):
        open_chunk(sealed_text(b"\x95\x90\x90\x91\xc4\x00\x90\x90"), sealer())


def test_size_counts_bodies_properties_and_something_for_each_entry() -> None:
    assert size_of([]) == 0
    assert size_of([Entry(PRESS, b"", b"x" * 100)]) - size_of([Entry(PRESS, b"", b"")]) == 100
    assert size_of([Entry(PRESS, b"y" * 7, b"")]) - size_of([Entry(PRESS, b"", b"")]) == 7
    assert size_of(MIXED) == sum(size_of([each]) for each in MIXED)


def test_a_run_is_cut_where_it_grows_too_large() -> None:
    one = size_of(entries(1))
    assert [len(run) for run in split(entries(1, 2, 3, 4, 5), 2 * one)] == [2, 2, 1]
    assert [len(run) for run in split(entries(1, 2), 2 * one)] == [2]
    assert [len(run) for run in split(entries(1, 2, 3), 1)] == [1, 1, 1]
