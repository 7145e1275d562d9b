"""The newest entries in memory."""

from tests.fakes.streams import entries

from ironhub.streams.tail import Block, Tail

WIDE = {"max_entries": 100, "max_bytes": 1 << 20}


def block(partition: int, *numbers: int, size: int = 10) -> Block:
    return Block(partition, numbers[0], float(numbers[0]), entries(*numbers), size)


def read(tail: Tail, partition: int, start: int) -> list[int] | None:
    batch = tail.read(partition, start, max_entries=100, max_bytes=1 << 20)
    return None if batch is None else [each.sequence_number for each in batch.entries]


def test_an_empty_tail_knows_nothing() -> None:
    assert Tail(2, 100).read(1, 0, **WIDE) is None


def test_it_reads_over_blocks_and_from_their_middle() -> None:
    tail = Tail(2, 100)
    tail.add(block(0, 5, 6))
    tail.add(block(0, 7))
    tail.add(block(0, 8, 9))
    assert [read(tail, 0, start) for start in (4, 5, 6, 8, 9, 10)] == [
        None, [5, 6, 7, 8, 9], [6, 7, 8, 9], [8, 9], [9], None
    ]  # fmt: skip
    batch = tail.read(0, 6, max_entries=2, max_bytes=1 << 20)
    assert batch is not None
    assert batch.next == 8
    assert [each.enqueued_at for each in batch.entries] == [5.0, 7.0]


def test_the_oldest_blocks_of_all_partitions_make_room() -> None:
    tail = Tail(2, 35)
    tail.add(block(0, 0))
    tail.add(block(1, 0))
    tail.add(block(1, 1))
    assert read(tail, 0, 0) == [0]
    tail.add(block(1, 2))
    assert read(tail, 0, 0) is None
    tail.add(block(1, 3, size=35))
    assert read(tail, 1, 2) is None
    assert read(tail, 1, 3) == [3]


def test_a_block_that_does_not_fit_is_not_kept() -> None:
    tail = Tail(1, 5)
    tail.add(block(0, 0))
    assert read(tail, 0, 0) is None


def test_a_gap_makes_it_forget_what_was_before() -> None:
    tail = Tail(2, 100)
    tail.add(block(0, 0))
    tail.add(block(1, 0))
    tail.add(block(0, 5))
    assert [read(tail, 0, 0), read(tail, 1, 0), read(tail, 0, 5)] == [None, None, [5]]
