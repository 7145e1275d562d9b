"""Sessions judged anew: whoever fails, or cannot be judged, is ended; the others are judged all the same."""

import asyncio
import logging

import pytest

from ironhub.messaging.sessions import judging
from ironhub.messaging.sessions.judging import JUDGEMENTS_AT_ONCE, Judgements, in_time


async def test_who_fails_is_ended_and_who_breaks_keeps_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    ended: list[int] = []
    done = asyncio.Event()

    async def is_good(number: int) -> bool:
        return number % 3 == 0

    def end(number: int) -> None:
        ended.append(number)
        if len(ended) == 200:
            done.set()
        if number == 1:
            raise RuntimeError("it cannot be ended")

    Judgements(is_good, end).begin(range(300))
    async with asyncio.timeout(5):
        await done.wait()
    assert sorted(ended) == [number for number in range(300) if number % 3]
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == ["session_not_ended"]


async def test_a_bounded_number_is_judged_at_a_time() -> None:
    asked: list[int] = []
    go_on = asyncio.Event()

    async def is_good(number: int) -> bool:
        asked.append(number)
        await go_on.wait()
        return True

    judgements = Judgements(is_good, asked.remove)
    judgements.begin(range(2 * JUDGEMENTS_AT_ONCE))
    for _ in range(3):
        await asyncio.sleep(0)
    assert asked == list(range(JUDGEMENTS_AT_ONCE))
    go_on.set()
    async with asyncio.timeout(5):
        while len(asked) < 2 * JUDGEMENTS_AT_ONCE:
            await asyncio.sleep(0)


async def test_a_judge_that_breaks_or_is_silent_has_shown_no_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "JUDGEMENT_TIMEOUT", 0.01)

    async def breaks() -> bool:
        raise RuntimeError("the disk is full")

    async def good() -> bool:
        return True

    silent: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    assert await in_time(good())
    assert not await in_time(breaks())
    assert not await in_time(silent)
