"""How far telemetry has come, with facts in between and behind."""

import pytest
from tests.fakes.clock import START, FakeClock
from tests.fakes.streams import entries, entry, stored

from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import identity
from ironhub.messaging.telemetry import ends as under_test
from ironhub.messaging.telemetry.ends import TelemetryEnds
from ironhub.messaging.telemetry.facts import entry_of
from ironhub.messaging.telemetry.model import Batch, PartitionEnds
from ironhub.streams.inproc import MemoryLog
from ironhub.streams.settings import LogSettings

FACT = entry_of(Fact(FactKind.TWIN_UPDATED, identity("press-7"), START, {}))


class CountingLog(MemoryLog):
    """Counts the entries that were read."""

    looked_at = 0

    async def read(self, partition: int, start: int, *, max_entries: int = 1000, max_bytes: int = 1 << 20) -> Batch:
        batch = await super().read(partition, start, max_entries=max_entries, max_bytes=max_bytes)
        self.looked_at += len(batch.entries)
        return batch


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def log(clock: FakeClock) -> CountingLog:
    return CountingLog(clock, LogSettings(partitions=1, max_age=100))


async def test_where_nothing_was_sent_it_is_empty(log: CountingLog) -> None:
    ends = TelemetryEnds(log)
    assert await ends.ends(0) == PartitionEnds(0, 0, None)
    await stored(log, 0, [FACT] * 3)
    assert await ends.ends(0) == PartitionEnds(0, 0, None)


async def test_facts_behind_the_last_telemetry_do_not_count(log: CountingLog, clock: FakeClock) -> None:
    ends = TelemetryEnds(log)
    await stored(log, 0, [FACT, *entries(1, 2)])
    assert await ends.ends(0) == PartitionEnds(0, 3, START)
    clock.advance(5)
    await stored(log, 0, [FACT] * 1000)
    assert await ends.ends(0) == PartitionEnds(0, 3, START)
    assert await TelemetryEnds(log).ends(0) == PartitionEnds(0, 3, START)
    await stored(log, 0, [FACT, entry(5), FACT])
    assert await ends.ends(0) == PartitionEnds(0, 1005, START + 5)


async def test_only_what_came_since_is_looked_at(log: CountingLog) -> None:
    ends = TelemetryEnds(log)
    await stored(log, 0, entries(*range(5000)))
    await ends.ends(0)
    assert log.looked_at <= under_test.FIRST_WINDOW
    log.looked_at = 0
    await ends.ends(0)
    assert log.looked_at == 0
    await stored(log, 0, entries(1, 2))
    await ends.ends(0)
    assert log.looked_at == 2


async def test_one_look_goes_back_so_far_and_no_farther(log: CountingLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "MAX_LOOK_BACK", 200)
    await stored(log, 0, [*entries(1), *[FACT] * 500])
    assert await TelemetryEnds(log).ends(0) == PartitionEnds(0, 0, None)
    assert log.looked_at == 200


async def test_telemetry_that_is_no_longer_kept_does_not_count(log: CountingLog, clock: FakeClock) -> None:
    ends = TelemetryEnds(log)
    await stored(log, 0, entries(1, 2))
    assert (await ends.ends(0)).next == 2
    clock.advance(50)
    await stored(log, 0, [FACT])
    clock.advance(60)
    await log.trim()
    assert await ends.ends(0) == PartitionEnds(2, 2, None)
    clock.advance(60)
    await log.trim()
    assert await ends.ends(0) == PartitionEnds(3, 3, None)


async def test_damage_at_the_end_stops_nothing(log: CountingLog, monkeypatch: pytest.MonkeyPatch) -> None:
    await stored(log, 0, entries(1, 2))

    async def torn(partition: int, start: int, *, max_entries: int = 1000, max_bytes: int = 1 << 20) -> Batch:
        return Batch((), start, ())

    monkeypatch.setattr(log, "read", torn)
    assert await TelemetryEnds(log).ends(0) == PartitionEnds(0, 0, None)
