"""What is particular to the log in memory; what it shares with others is in contracts/test_event_log.py."""

import asyncio
import logging

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.streams import PRESS, bodies, entries, entry, stored

from ironhub.core.bus import Notice, PolicyChanged
from ironhub.core.errors import HubError, Unavailable
from ironhub.messaging.telemetry.model import PartitionEnds
from ironhub.streams.chunks import size_of
from ironhub.streams.inproc import InprocBus, MemoryLog
from ironhub.streams.settings import LogSettings


async def test_beyond_its_bytes_it_drops_the_oldest_of_all_partitions() -> None:
    clock = FakeClock()
    log = MemoryLog(clock, LogSettings(max_bytes=2 * size_of(entries(1))))
    for number in range(5):
        await stored(log, number % 2, entries(number))
        clock.advance(1)
    await log.trim()
    assert await bodies(log, 0) == [(2, entry(4).body)]
    assert await bodies(log, 1) == [(1, entry(3).body)]
    assert await log.ends(0) == PartitionEnds(2, 3, clock.now() - 1)
    await log.close()


async def test_it_has_as_many_partitions_as_it_is_told() -> None:
    log = MemoryLog(FakeClock(), LogSettings(partitions=7))
    assert log.partitions == 7
    assert [(await log.ends(partition)).next for partition in range(7)] == [0] * 7
    await log.close()


async def test_relaying_wakes_readers() -> None:
    log = MemoryLog(FakeClock(), LogSettings())
    waiting = asyncio.ensure_future(log.wait(0, 0, 30))
    await asyncio.sleep(0)
    await log.relay([(1, 0, entry(1))])
    assert await waiting
    await stored(log, 0, entries(2))
    assert await log.seek(0, 0) == 0
    assert await log.position("x", 0) is None
    await log.close()


async def test_a_raising_callback_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    log = MemoryLog(FakeClock(), LogSettings())
    with caplog.at_level(logging.ERROR):
        log.append(0, entries(1), lambda error: 1 / 0)  # type: ignore[arg-type]
        await log.close()
    assert [record.message for record in caplog.records] == ["event_log_callback_failed"]


async def test_a_closed_log_refuses_and_its_readers_go_home() -> None:
    log = MemoryLog(FakeClock(), LogSettings(max_pending=1000))
    answers: list[HubError | None] = []
    log.append(0, [], answers.append)
    log.append(0, entries(1, 2, 3, 4), answers.append)
    waiting = asyncio.ensure_future(log.wait(0, 0, 30))
    await asyncio.sleep(0)
    await log.close()
    log.append(0, entries(1), answers.append)
    await asyncio.sleep(0)
    assert [each is None for each in answers] == [True, False, False]
    assert await waiting is False
    assert await log.wait(0, 0, 30) is False
    for refused in (log.set_position("a", 0, 1), log.relay([])):
        with pytest.raises(Unavailable):
            await refused


async def test_what_it_holds_is_read_within_bounds() -> None:
    log = MemoryLog(FakeClock(), LogSettings(max_age=-1))
    at = log.partition_of(PRESS.identity.device_id)
    for number in range(4):
        await stored(log, at, entries(number))
    assert await log.wait(at, 3, 0)
    assert (await log.read(at, 0, max_entries=2)).next == 2
    await log.set_position("a", at, 2)
    assert await log.position("a", at) == 2
    await log.relay([(3, at, entry(4)), (3, at, entry(4))])
    assert (await log.relayed(), (await log.ends(at)).next) == (3, 5)
    await log.trim()
    assert await log.read(at, 0) == ((), 5, ())
    await log.close()


def test_a_broken_handler_is_logged_and_who_left_hears_nothing(caplog: pytest.LogCaptureFixture) -> None:
    bus = InprocBus()
    heard: list[Notice] = []

    def broken(notice: Notice) -> None:
        leave()
        bus.publish(PolicyChanged("two"))
        leave_too()
        raise RuntimeError("no")

    leave_too = bus.subscribe(broken)
    leave = bus.subscribe(heard.append)
    bus.publish(PolicyChanged("one"))
    assert heard == []
    assert [record.message for record in caplog.records] == ["bus_handler_failed"]


def test_the_bus_has_told_everybody_when_publish_returns() -> None:
    bus = InprocBus()
    heard: list[Notice] = []
    bus.subscribe(heard.append)
    bus.publish(PolicyChanged("one"))
    assert heard == [PolicyChanged("one")]
