"""What every event log keeps, whatever it is made of."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.streams import ARM, PRESS, bodies, entries, entry, sealer, stored

from ironhub.core.errors import HubError, Unavailable
from ironhub.core.ids import device_id
from ironhub.messaging.telemetry.model import Entry, Flag, PartitionEnds
from ironhub.streams.embedded.log import EmbeddedLog, open_log
from ironhub.streams.inproc import MemoryLog
from ironhub.streams.settings import LogSettings

SETTINGS = LogSettings(max_age=60, max_pending=1 << 20)


@dataclass
class Opened:
    log: EmbeddedLog | MemoryLog
    clock: FakeClock


@pytest.fixture(params=["memory", "embedded", "embedded without cache"])
async def opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opened]:
    clock = FakeClock()
    if request.param == "memory":
        memory = MemoryLog(clock, SETTINGS)
        yield Opened(memory, clock)
        await memory.close()
        return
    cached = 0 if "without" in request.param else SETTINGS.max_cached
    settings = LogSettings(max_age=60, max_pending=1 << 20, max_cached=cached)
    embedded = await open_log(tmp_path / "stream.db", sealer(), clock, settings)
    yield Opened(embedded, clock)
    await embedded.close()


async def test_what_is_appended_is_read_as_it_was_given(opened: Opened) -> None:
    batch = [
        Entry(PRESS, b"%24.ct=application%2Fjson&x=%zz", b"\x00\xff not text", Flag.RETAIN | Flag.WILL),
        Entry(ARM, b"", b""),
        Entry(PRESS, b"a", b"b" * 300_000),
    ]
    await stored(opened.log, 2, batch)
    read = await opened.log.read(2, 0, max_bytes=1 << 20)
    assert [each.entry for each in read.entries] == batch
    assert [(each.partition, each.sequence_number) for each in read.entries] == [(2, 0), (2, 1), (2, 2)]
    assert read.next == 3
    assert read.damage == ()


async def test_partitions_count_apart_from_each_other(opened: Opened) -> None:
    for partition in range(opened.log.partitions):
        await stored(opened.log, partition, entries(*range(partition)))
    for partition in range(opened.log.partitions):
        assert [number for number, _ in await bodies(opened.log, partition)] == list(range(partition))


async def test_the_order_of_appends_is_the_order_of_the_log_and_of_the_acknowledgements(opened: Opened) -> None:
    told: list[int] = []
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def stored_one(number: int, error: HubError | None) -> None:
        assert error is None
        told.append(number)
        if number == 299:
            done.set_result(None)

    for number in range(300):
        opened.log.append(1, entries(number), lambda error, number=number: stored_one(number, error))  # type: ignore[misc]
    assert told == []
    await asyncio.wait_for(done, 30)
    assert told == list(range(300))
    assert [body for _, body in await bodies(opened.log, 1)] == [each.body for each in entries(*range(300))]


async def test_an_empty_append_is_acknowledged(opened: Opened) -> None:
    await stored(opened.log, 0, [])
    assert await opened.log.ends(0) == PartitionEnds(0, 0, None)


async def test_a_callback_that_raises_stops_nobody_else(opened: Opened, caplog: pytest.LogCaptureFixture) -> None:
    def broken(error: HubError | None) -> None:
        raise RuntimeError("the transport is closed")

    with caplog.at_level(logging.ERROR):
        opened.log.append(0, entries(1), broken)
        await stored(opened.log, 0, entries(2))
        await stored(opened.log, 0, entries(3))
    assert [record.message for record in caplog.records] == ["event_log_callback_failed"]
    assert len(await bodies(opened.log, 0)) == 3


async def test_more_than_may_wait_is_refused_and_the_log_goes_on(opened: Opened) -> None:
    with pytest.raises(Unavailable):
        await stored(opened.log, 0, [Entry(PRESS, b"", b"x" * (1 << 20))])
    await stored(opened.log, 0, entries(1))
    assert await bodies(opened.log, 0) == [(0, entry(1).body)]


async def test_a_read_returns_no_more_than_asked_and_goes_on_where_it_stopped(opened: Opened) -> None:
    await stored(opened.log, 0, entries(*range(5)))
    await stored(opened.log, 0, entries(*range(5, 10)))
    first = await opened.log.read(0, 1, max_entries=6)
    assert [each.sequence_number for each in first.entries] == [1, 2, 3, 4, 5, 6]
    second = await opened.log.read(0, first.next, max_bytes=2 * len(entry(7).properties + entry(7).body))
    assert [each.sequence_number for each in second.entries] == [7, 8]
    assert [each.sequence_number for each in (await opened.log.read(0, 9, max_bytes=1)).entries] == [9]


@pytest.mark.parametrize("start", [3, 4, 1 << 40])
async def test_reading_at_or_behind_the_end_is_empty(opened: Opened, start: int) -> None:
    await stored(opened.log, 0, entries(0, 1, 2))
    assert await opened.log.read(0, start) == ((), start, ())


async def test_the_partition_of_a_device_never_changes(opened: Opened) -> None:
    found = [opened.log.partition_of(device_id(name)) for name in ("press-7", "press-8", "x", "Press-7", "a" * 128)]
    assert found == [0, 2, 0, 0, 1]  # the last two bits of the first 8 bytes of their SHA-256


async def test_enqueued_time_is_the_clock_s_and_never_goes_back(opened: Opened) -> None:
    start = opened.clock.now()
    for now in (start, start - 3600, start - 1, start + 5):
        opened.clock.set_now(now)
        await stored(opened.log, 0, entries(1))
    read = await opened.log.read(0, 0)
    assert [each.enqueued_at - start for each in read.entries] == [0, 0, 0, 5]
    assert (await opened.log.ends(0)).last_enqueued_at == start + 5


async def test_seek_finds_the_first_entry_of_a_time(opened: Opened) -> None:
    start = opened.clock.now()
    assert await opened.log.seek(0, start) == 0
    for _ in range(20):
        await stored(opened.log, 0, entries(1, 2, 3))
        opened.clock.advance(1)
    assert [await opened.log.seek(0, start + after) for after in (-9, 0, 0.5, 1, 18.5, 19, 19.5)] == [
        0, 0, 3, 3, 57, 57, 60
    ]  # fmt: skip


async def test_wait_returns_when_there_is_something(opened: Opened) -> None:
    waiting = asyncio.ensure_future(opened.log.wait(0, 1, 30))
    other = asyncio.ensure_future(opened.log.wait(1, 0, 0.05))
    await stored(opened.log, 0, entries(0))
    assert not waiting.done()
    await stored(opened.log, 0, entries(1))
    assert await asyncio.wait_for(waiting, 10) is True
    assert await other is False
    assert await opened.log.wait(0, 1, 0) is True
    assert await opened.log.wait(0, 2, 0) is False


async def test_closing_sends_waiting_readers_away_and_refuses_appends(opened: Opened) -> None:
    waiting = asyncio.ensure_future(opened.log.wait(0, 0, 30))
    await asyncio.sleep(0)
    await opened.log.close()
    await opened.log.close()
    assert await asyncio.wait_for(waiting, 10) is False
    assert await opened.log.wait(0, 0, 30) is False
    for refused in (
        stored(opened.log, 0, entries(1)),
        opened.log.set_position("$default", 0, 1),
        opened.log.relay([(1, 0, entry(1))]),
    ):
        with pytest.raises(Unavailable, match="closed"):
            await refused


async def test_closing_acknowledges_what_was_appended(opened: Opened) -> None:
    told: list[HubError | None] = []
    for number in range(50):
        opened.log.append(0, entries(number), told.append)
    await opened.log.close()
    assert told == [None] * 50


async def test_each_consumer_group_has_its_own_position(opened: Opened) -> None:
    assert await opened.log.position("$default", 0) is None
    await opened.log.set_position("$default", 0, 5)
    await opened.log.set_position("$default", 1, 6)
    await opened.log.set_position("reports", 0, 7)
    await opened.log.set_position("reports", 0, 8)
    assert [await opened.log.position(*at) for at in (("$default", 0), ("$default", 1), ("reports", 0))] == [5, 6, 8]


async def test_a_fact_is_relayed_once(opened: Opened) -> None:
    assert await opened.log.relayed() == 0
    await opened.log.relay([(3, 0, entry(3)), (4, 1, entry(4)), (7, 0, entry(7))])
    await opened.log.relay([(4, 1, entry(4)), (7, 0, entry(7)), (8, 0, entry(8))])
    assert await opened.log.relayed() == 8
    assert [body for _, body in await bodies(opened.log, 0)] == [entry(n).body for n in (3, 7, 8)]
    assert [body for _, body in await bodies(opened.log, 1)] == [entry(4).body]


async def test_two_relays_at_once_repeat_nothing(opened: Opened) -> None:
    facts = [(number, 0, entry(number)) for number in range(1, 20)]
    await asyncio.gather(opened.log.relay(facts[:15]), opened.log.relay(facts[5:]))
    assert [body for _, body in await bodies(opened.log, 0)] == [each.body for _, _, each in facts]


async def test_what_is_too_old_is_dropped_and_its_numbers_are_not_given_again(opened: Opened) -> None:
    for number in range(3):
        await stored(opened.log, 0, entries(number, number))
        opened.clock.advance(40)
    await opened.log.trim()
    assert await opened.log.ends(0) == PartitionEnds(4, 6, opened.clock.now() - 40)
    assert [number for number, _ in await bodies(opened.log, 0)] == [4, 5]
    opened.clock.advance(40)
    await opened.log.trim()
    assert await opened.log.ends(0) == PartitionEnds(6, 6, opened.clock.now() - 80)
    assert await opened.log.read(0, 0) == ((), 6, ())
    assert await opened.log.seek(0, 0) == 6
    await stored(opened.log, 0, entries(9))
    assert await bodies(opened.log, 0) == [(6, entry(9).body)]
