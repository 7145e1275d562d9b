"""The bounds of one read."""

from tests.fakes.streams import entries

from ironhub.messaging.telemetry.model import Damage
from ironhub.streams.gather import MAX_DAMAGE, Gather

WIDE = {"max_entries": 100, "max_bytes": 1 << 20}


def test_it_begins_in_the_middle_of_a_run() -> None:
    gather = Gather(1, 12, **WIDE)
    gather.take(10, 5.0, entries(10, 11, 12, 13))
    batch = gather.batch(first=0)
    assert [(each.partition, each.sequence_number, each.enqueued_at, each.entry) for each in batch.entries] == [
        (1, 12, 5.0, entries(12)[0]),
        (1, 13, 5.0, entries(13)[0]),
    ]
    assert batch.next == 14
    assert not gather.full


def test_it_is_full_at_the_last_entry_that_was_asked_for() -> None:
    gather = Gather(0, 0, max_entries=2, max_bytes=1 << 20)
    gather.take(0, 5.0, entries(0, 1, 2))
    assert gather.full
    assert gather.next == 2


def test_one_entry_is_returned_however_large_it_is() -> None:
    gather = Gather(0, 0, max_entries=10, max_bytes=0)
    gather.take(0, 5.0, entries(0, 1))
    assert gather.full
    assert gather.next == 1


def test_what_is_skipped_is_told_unless_it_is_old() -> None:
    gather = Gather(0, 3, **WIDE)
    gather.skip(5, "torn")
    gather.skip(9, "lost")
    assert gather.batch(first=0).damage == (Damage(0, 3, 2, "torn"), Damage(0, 5, 4, "lost"))
    assert gather.batch(first=5).damage == (Damage(0, 5, 4, "lost"),)
    assert gather.batch(first=0).next == 9


def test_one_read_passes_a_bounded_amount_of_damage() -> None:
    gather = Gather(0, 0, **WIDE)
    for number in range(1, MAX_DAMAGE):
        gather.skip(number, "torn")
    assert not gather.full
    gather.skip(MAX_DAMAGE, "torn")
    assert gather.full
