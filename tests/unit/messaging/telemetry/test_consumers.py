import asyncio

import pytest
from tests.fakes.clock import START, FakeClock, FakeEntropy
from tests.fakes.grants import by_device, by_operator, by_policy

from ironhub.access.model import Permission, PermissionDenied
from ironhub.core.errors import HubError, InvalidArgument
from ironhub.core.ids import identity
from ironhub.identity.model import Right
from ironhub.messaging.telemetry.consumers import (
    DEFAULT_GROUP,
    MAX_GROUPS,
    MAX_READERS,
    ConsumerGroupDeleted,
    ConsumerGroupNeeded,
    ConsumerGroupNotFound,
    Consumers,
    ReaderEpochNeeded,
    ReaderEpochTooLow,
    TooManyConsumerGroups,
    TooManyReaders,
)
from ironhub.messaging.telemetry.model import ConsumerGroup
from ironhub.storage.memory.stores import memory_stores

READ = by_policy(Permission.TELEMETRY_READ, Right.SERVICE_CONNECT)
WRITE = by_operator(Permission.CONSUMER_GROUP_WRITE)


class Reader:
    """Writes down what it is told."""

    def __init__(self, name: str = "reader") -> None:
        self.name = name
        self.lost: list[tuple[int, int | None]] = []
        self.over: list[HubError] = []

    def stolen(self, *, newer: int, own: int | None) -> None:
        self.lost.append((newer, own))

    def ended(self, error: HubError) -> None:
        self.over.append(error)


@pytest.fixture
def consumers() -> Consumers:
    return Consumers(memory_stores(FakeEntropy()).consumer_groups, FakeClock())


async def names(consumers: Consumers) -> list[str]:
    return [group.name for group in await consumers.list(READ)]


async def test_every_hub_has_the_default_group(consumers: Consumers) -> None:
    assert list(await consumers.list(READ)) == [ConsumerGroup("$Default", None)]
    for name in ("$Default", "$default"):
        assert (await consumers.get(READ, name)).name == DEFAULT_GROUP
        assert (await consumers.create(WRITE, name)).created_at is None
        with pytest.raises(ConsumerGroupNeeded):
            await consumers.delete(WRITE, name)


async def test_a_group_is_created_once_and_keeps_its_spelling(consumers: Consumers) -> None:
    created = await consumers.create(WRITE, "Billing")
    assert created == ConsumerGroup("Billing", START)
    assert await consumers.create(WRITE, "BILLING") == created == await consumers.get(READ, "billing")
    assert await names(consumers) == ["$Default", "Billing"]


async def test_a_deleted_group_is_gone(consumers: Consumers) -> None:
    await consumers.create(WRITE, "Billing")
    await consumers.delete(WRITE, "billing")
    for missing in (consumers.get(READ, "Billing"), consumers.delete(WRITE, "Billing")):
        with pytest.raises(ConsumerGroupNotFound):
            await missing


@pytest.mark.parametrize("name", ["a", "7", "a.b_c-d", "A" * 50, "a--b"])
async def test_names_that_are_good(consumers: Consumers, name: str) -> None:
    assert (await consumers.create(WRITE, name)).name == name


@pytest.mark.parametrize("name", ["", "A" * 51, "-a", "a-", ".", "a b", "a/b", "$x", "é", "a\n", "a%41"])
async def test_names_that_are_not(consumers: Consumers, name: str) -> None:
    with pytest.raises(InvalidArgument, match="letters, digits"):
        await consumers.create(WRITE, name)


async def test_the_number_of_groups_is_bounded_also_when_many_are_created_at_once(consumers: Consumers) -> None:
    creating = (consumers.create(WRITE, f"g{number}") for number in range(MAX_GROUPS + 5))
    answers = await asyncio.gather(*creating, return_exceptions=True)
    assert sum(isinstance(answer, TooManyConsumerGroups) for answer in answers) == 6
    assert len(await consumers.list(READ)) == MAX_GROUPS
    assert (await consumers.create(WRITE, "G3")).name == "g3"


async def test_readers_without_an_epoch_share_a_partition_up_to_a_bound(consumers: Consumers) -> None:
    readers = [Reader() for _ in range(MAX_READERS)]
    for reader in readers:
        await consumers.enter(READ, "$Default", 0, reader)
    with pytest.raises(TooManyReaders, match=r"receivers per partition in a consumer group which is 5\."):
        await consumers.enter(READ, "$default", 0, Reader())
    await consumers.enter(READ, "$Default", 1, Reader())
    assert consumers.count_readers("$DEFAULT") == MAX_READERS + 1
    assert consumers.readers() == {"$default": MAX_READERS + 1}
    consumers.leave("$DEFAULT", 0, readers[0])
    await consumers.enter(READ, "$Default", 0, Reader())
    assert [reader.lost for reader in readers] == [[]] * MAX_READERS


@pytest.mark.parametrize("newer", [3, 4])
async def test_an_epoch_as_high_or_higher_takes_the_partition(consumers: Consumers, newer: int) -> None:
    older, younger = Reader(), Reader()
    await consumers.enter(READ, "$Default", 0, older, epoch=3)
    await consumers.enter(READ, "$Default", 0, younger, epoch=newer)
    assert (older.lost, younger.lost, consumers.count_readers("$Default")) == ([(newer, 3)], [], 1)
    consumers.leave("$Default", 0, older)
    with pytest.raises(ReaderEpochNeeded):
        await consumers.enter(READ, "$Default", 0, Reader())


async def test_a_lower_epoch_is_refused_and_told_who_has_the_partition(consumers: Consumers) -> None:
    holder = Reader("first")
    await consumers.enter(READ, "$Default", 0, holder, epoch=7)
    with pytest.raises(ReaderEpochTooLow) as caught:
        await consumers.enter(READ, "$Default", 0, Reader("second"), epoch=6)
    assert "Receiver 'first' with a higher epoch '7' already exists" in str(caught.value)
    assert "Receiver 'second' with epoch 6 cannot be created" in str(caught.value)
    assert holder.lost == []


async def test_a_reader_without_an_epoch_is_refused_where_one_has_an_epoch(consumers: Consumers) -> None:
    await consumers.enter(READ, "$Default", 0, Reader(), epoch=0)
    with pytest.raises(ReaderEpochNeeded, match="created with epoch of '0', and so non-epoch receiver is not allowed"):
        await consumers.enter(READ, "$Default", 0, Reader())
    await consumers.enter(READ, "$Default", 1, Reader())


async def test_an_epoch_takes_the_partition_from_all_who_have_none(consumers: Consumers) -> None:
    plain = [Reader(), Reader()]
    for reader in plain:
        await consumers.enter(READ, "$Default", 0, reader)
    await consumers.enter(READ, "$Default", 0, Reader(), epoch=0)
    assert [reader.lost for reader in plain] == [[(0, None)]] * 2
    assert consumers.count_readers("$Default") == 1


async def test_a_partition_that_was_left_is_free_for_any_epoch(consumers: Consumers) -> None:
    reader = Reader()
    await consumers.enter(READ, "$Default", 0, reader, epoch=9)
    consumers.leave("$Default", 0, reader)
    consumers.leave("$Default", 0, reader)
    await consumers.enter(READ, "$Default", 0, Reader(), epoch=1)
    assert consumers.count_readers("$Default") == 1


async def test_groups_know_nothing_of_each_other(consumers: Consumers) -> None:
    await consumers.create(WRITE, "billing")
    await consumers.enter(READ, "$Default", 0, Reader(), epoch=9)
    await consumers.enter(READ, "Billing", 0, Reader())
    with pytest.raises(ConsumerGroupNotFound):
        await consumers.enter(READ, "alarms", 0, Reader())


async def test_a_deleted_group_ends_its_readers_and_no_others(consumers: Consumers) -> None:
    await consumers.create(WRITE, "billing")
    mine, other = [Reader(), Reader()], Reader()
    for partition, reader in enumerate(mine):
        await consumers.enter(READ, "Billing", partition, reader)
    await consumers.enter(READ, "$Default", 0, other)
    await consumers.delete(WRITE, "BILLING")
    assert [[type(error) for error in reader.over] for reader in mine] == [[ConsumerGroupDeleted]] * 2
    assert (other.over, consumers.count_readers("billing"), consumers.count_readers("$Default")) == ([], 0, 1)


async def test_nobody_enters_a_group_while_it_is_deleted(consumers: Consumers) -> None:
    await consumers.create(WRITE, "billing")
    reader = Reader()
    async with asyncio.TaskGroup() as both:
        both.create_task(consumers.delete(WRITE, "billing"))
        entering = both.create_task(_entered(consumers, reader))
    assert entering.result() is False or len(reader.over) == 1
    assert consumers.count_readers("billing") == 0


async def _entered(consumers: Consumers, reader: Reader) -> bool:
    try:
        await consumers.enter(READ, "billing", 0, reader)
    except ConsumerGroupNotFound:
        return False
    return True


async def test_reading_needs_the_right_to_read_all_and_changing_a_right_of_its_own(consumers: Consumers) -> None:
    device = by_device(Permission.TELEMETRY_SEND, identity("press-7"))
    one = by_operator(Permission.TELEMETRY_READ, identity("press-7"))
    for grant in (device, one, WRITE):
        for call in (
            consumers.list(grant),
            consumers.get(grant, "$Default"),
            consumers.enter(grant, "$Default", 0, Reader()),
        ):
            with pytest.raises(PermissionDenied):
                await call
    for grant in (device, READ, by_operator(Permission.CONSUMER_GROUP_WRITE, identity("press-7"))):
        for change in (consumers.create(grant, "billing"), consumers.delete(grant, "billing")):
            with pytest.raises(PermissionDenied):
                await change
    with pytest.raises(PermissionDenied):
        by_policy(Permission.CONSUMER_GROUP_WRITE, *Right)
