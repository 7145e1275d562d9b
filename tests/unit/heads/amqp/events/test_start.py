"""Where in a partition a reader begins."""

import pytest
from tests.fakes.clock import START, FakeClock
from tests.fakes.grants import by_operator
from tests.fakes.streams import entries, stored

from ironhub.access.model import Permission
from ironhub.dialects.azure.amqp_filters import Earliest, FromOffset, FromSequence, FromTime, Latest, Start
from ironhub.dialects.azure.amqp_values import milliseconds
from ironhub.heads.amqp.events.start import resolve_start
from ironhub.messaging.telemetry.service import TelemetryService
from ironhub.streams.inproc import MemoryLog
from ironhub.streams.settings import LogSettings

READ = by_operator(Permission.TELEMETRY_READ)


async def place(log: MemoryLog, start: Start) -> int:
    return await resolve_start(start, TelemetryService(log), READ, 0)


async def filled(clock: FakeClock, *seconds: float) -> MemoryLog:
    """A log with an event at each of these times."""
    log = MemoryLog(clock, LogSettings(partitions=1, max_age=1000))
    for number, at in enumerate(seconds):
        clock.set_now(at)
        await stored(log, 0, entries(number))
    return log


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (Earliest(), 2),
        (Latest(), 6),
        (FromOffset(4, inclusive=False), 5),
        (FromOffset(4, inclusive=True), 4),
        (FromSequence(4, inclusive=False), 5),
        (FromSequence(4, inclusive=True), 4),
        (FromOffset(0, inclusive=True), 2),  # no longer kept
        (FromSequence(5, inclusive=False), 6),
        (FromOffset(6, inclusive=False), 6),  # beyond the end
        (FromOffset(10**18, inclusive=True), 6),
        (FromTime(0.0, inclusive=False), 2),
        (FromTime(-5.0, inclusive=True), 2),
        (FromTime(START + 3, inclusive=True), 3),
        (FromTime(START + 3, inclusive=False), 4),
        (FromTime(START + 2.999, inclusive=False), 3),
        (FromTime(1e15, inclusive=False), 6),
    ],
)
async def test_what_is_kept_of_what_was_asked_for(start: Start, expected: int) -> None:
    clock = FakeClock()
    log = await filled(clock, *(START + number for number in range(6)))
    clock.set_now(START + 1001.5)
    await log.trim()
    assert await place(log, start) == expected


async def test_an_empty_partition_begins_at_its_end() -> None:
    log = await filled(FakeClock())
    for start in (Earliest(), Latest(), FromOffset(3, inclusive=True), FromTime(START, inclusive=False)):
        assert await place(log, start) == 0


@pytest.mark.parametrize("micros", [0, 1, 400, 499, 500, 999])
async def test_after_a_millisecond_is_what_readers_are_told_came_later(micros: int) -> None:
    """A reader that goes on after the time of the last event it saw gets neither that one again nor misses another."""
    times = [START + (ms * 1000 + micros) / 1e6 for ms in range(20)]
    log = await filled(FakeClock(), *times)
    for number, at in enumerate(times):
        shown = milliseconds(at) / 1000
        assert await place(log, FromTime(shown, inclusive=False)) == number + 1
        assert await place(log, FromTime(shown, inclusive=True)) == number
