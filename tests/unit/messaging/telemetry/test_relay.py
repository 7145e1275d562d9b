"""From the outbox into the log: once, in order, whatever refuses or dies in between."""

import asyncio
import logging
from collections.abc import Sequence

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.trouble import settle

from ironhub.core.errors import Unavailable
from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import identity
from ironhub.messaging.telemetry.facts import fact_of
from ironhub.messaging.telemetry.model import Entry
from ironhub.messaging.telemetry.relay import Relay, RelaySettings
from ironhub.streams.inproc import MemoryLog
from ironhub.streams.settings import LogSettings

QUICK = RelaySettings(max_facts=3, idle_timeout=30, min_backoff=0.001, max_backoff=0.004)


def fact(number: int) -> Fact:
    return Fact(FactKind.CONNECTED, identity(f"press-{number % 3}"), float(number), {"n": number})


class ListOutbox:
    """An outbox in memory that refuses when told to."""

    def __init__(self, *numbers: int) -> None:
        self.facts = [(number, fact(number)) for number in numbers]
        self.refuse_drops = 0
        self.filled = asyncio.Event()
        self.looks = 0

    def add(self, number: int) -> None:
        self.facts.append((number, fact(number)))
        self.filled.set()

    async def pending_facts(self, limit: int) -> Sequence[tuple[int, Fact]]:
        self.looks += 1
        return tuple(self.facts[:limit])

    async def drop_facts(self, up_to: int) -> None:
        if self.refuse_drops:
            self.refuse_drops -= 1
            raise Unavailable("the disk is full", detail="ENOSPC")
        self.facts = [each for each in self.facts if each[0] > up_to]

    async def continue_after(self, number: int) -> None:
        await self.drop_facts(number)

    async def wait_for_facts(self, timeout: float) -> bool:
        async with asyncio.timeout(timeout):
            while not self.facts:
                self.filled.clear()
                await self.filled.wait()
        return True


class RefusingLog(MemoryLog):
    """A log whose disk refuses a number of relays, and tells when it has so many facts."""

    refusals = 0

    async def relay(self, facts: Sequence[tuple[int, int, Entry]]) -> None:
        if self.refusals:
            self.refusals -= 1
            raise Unavailable("the disk is full")
        await super().relay(facts)


async def relayed_numbers(log: MemoryLog) -> list[int]:
    facts = [
        fact_of(each.entry) for partition in range(log.partitions) for each in (await log.read(partition, 0)).entries
    ]
    for partition in range(log.partitions):
        found = [fact_of(each.entry) for each in (await log.read(partition, 0)).entries]
        assert [each.at for each in found] == sorted(each.at for each in found)
        assert {log.partition_of(each.identity.device_id) for each in found} <= {partition}
    return sorted(each.data["n"] for each in facts)


async def until(log: MemoryLog, number: int, outbox: ListOutbox) -> None:
    async with asyncio.timeout(30):
        while await log.relayed() < number or outbox.facts:
            await asyncio.sleep(0)


async def test_facts_move_a_commit_s_worth_at_a_time() -> None:
    outbox, log = ListOutbox(2, 3, 5, 8), MemoryLog(FakeClock(), LogSettings())
    relay = Relay(outbox, log, QUICK)
    assert await relay.step() is True
    assert [number for number, _ in outbox.facts] == [8]
    assert await relay.step() is True
    assert await relay.step() is False
    assert await relayed_numbers(log) == [2, 3, 5, 8]
    await log.close()


async def test_what_could_not_be_dropped_is_not_relayed_twice() -> None:
    outbox, log = ListOutbox(1, 2), MemoryLog(FakeClock(), LogSettings())
    outbox.refuse_drops = 1
    relay = Relay(outbox, log, QUICK)
    with pytest.raises(Unavailable):
        await relay.step()
    outbox.add(3)
    assert await relay.step() is True
    assert outbox.facts == []
    assert await relayed_numbers(log) == [1, 2, 3]
    await log.close()


async def test_facts_wait_for_others_unless_they_fill_a_commit() -> None:
    outbox, log = ListOutbox(*range(1, 8)), MemoryLog(FakeClock(), LogSettings())
    patient = RelaySettings(max_facts=3, linger=1000)
    running = asyncio.ensure_future(Relay(outbox, log, patient).run())
    await until(log, 7, outbox)
    assert outbox.looks == 3  # and not a fourth time, to find nothing
    outbox.add(8)
    await settle()
    assert outbox.looks == 3
    running.cancel()
    await asyncio.wait([running])
    await log.close()


async def test_it_runs_on_through_refusals_and_wakes_for_new_facts(caplog: pytest.LogCaptureFixture) -> None:
    outbox, log = ListOutbox(1), RefusingLog(FakeClock(), LogSettings())
    log.refusals, outbox.refuse_drops = 4, 1
    with caplog.at_level(logging.WARNING):
        running = asyncio.ensure_future(Relay(outbox, log, QUICK).run())
        await until(log, 1, outbox)
        outbox.add(2)
        await until(log, 2, outbox)
    log.refusals = 1
    outbox.add(3)
    await until(log, 3, outbox)
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled()
    waits = [record.__dict__["seconds"] for record in caplog.records if record.message == "fact_relay_waits"]
    assert waits == [0.001, 0.002, 0.004, 0.004, 0.004, 0.001]
    assert {record.__dict__["detail"] for record in caplog.records} == {"the disk is full", "ENOSPC"}
    assert await relayed_numbers(log) == [1, 2, 3]
    await log.close()
