"""Tests of console/following.py."""

import asyncio

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.grants import by_operator
from tests.unit.console.conftest import Desk

from ironhub.access.model import Permission
from ironhub.console.following import LogReader, decode_start
from ironhub.core.errors import InvalidArgument


def reader(desk: Desk) -> LogReader:
    return LogReader(desk.services.telemetry, by_operator(Permission.TELEMETRY_READ), desk.clock)


def test_where_to_begin() -> None:
    assert decode_start("latest", 1000.0) is None
    assert decode_start("earliest", 1000.0) == 0.0
    assert decode_start("90.5", 1000.0) == 909.5
    assert decode_start("5000", 1000.0) == 0.0
    with pytest.raises(InvalidArgument):
        decode_start("soon", 1000.0)


async def test_a_log_that_keeps_growing_does_not_keep_a_reader_that_does_not_follow(desk: Desk) -> None:
    await desk.tell("d", [b"1"])
    one = reader(desk)
    await one.seek(0.0)
    await desk.tell("d", [b"2"])
    seen = []
    async for logged in one.read(follow=False):
        seen.append(logged.entry.body)
        await desk.tell("d", [b"more"])
    assert seen[0] == b"1"
    assert len(seen) <= 2


async def test_the_time_ends_a_reader_even_while_messages_keep_coming(desk: Desk) -> None:
    one = reader(desk)
    await one.seek(None)
    await desk.tell("d", [b"x"])
    seen = 0
    async for _ in one.read(timeout=5.0):
        seen += 1
        desk.clock.advance(2)
        await desk.tell("d", [b"x"])
    assert seen == 3


async def test_a_reader_at_the_end_waits_for_any_partition(desk: Desk) -> None:
    one = reader(desk)
    await one.seek(None)
    first = asyncio.ensure_future(anext(one.read(count=1)))
    await asyncio.sleep(0)
    await desk.tell("somebody", [b"at last"])
    assert (await asyncio.wait_for(first, 10)).entry.body == b"at last"


async def test_a_hub_that_stops_ends_the_reading_at_once(desk: Desk) -> None:
    stopping = asyncio.Event()
    grant = by_operator(Permission.TELEMETRY_READ)
    one = LogReader(desk.services.telemetry, grant, desk.clock, stopping=stopping)
    await one.seek(None)
    reading = asyncio.ensure_future(anext(one.read(), None))
    await asyncio.sleep(0)
    stopping.set()
    assert await asyncio.wait_for(reading, 10) is None


async def test_a_reader_for_which_nothing_comes_ends_with_its_time(desk: Desk) -> None:
    one = reader(desk)
    await one.seek(None)
    assert [logged async for logged in one.read(timeout=0.0)] == []


class RunningClock(FakeClock):
    """Goes on by itself, a little at each look."""

    def monotonic(self) -> float:
        self.advance(0.004)
        return super().monotonic()


async def test_a_reader_looks_again_until_its_time_is_over(desk: Desk) -> None:
    one = LogReader(desk.services.telemetry, by_operator(Permission.TELEMETRY_READ), RunningClock())
    await one.seek(None)
    assert [logged async for logged in one.read(timeout=0.02)] == []
