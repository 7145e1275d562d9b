"""heads/work.py"""

import asyncio

import pytest

from ironhub.core.errors import HubError, InvalidArgument
from ironhub.heads.background import Background
from ironhub.heads.work import SerialWork, Step


def work_of() -> tuple[SerialWork, Background, list[str]]:
    heard: list[str] = []
    background = Background()

    def failed(error: HubError) -> None:
        heard.append(error.code)

    return SerialWork(background, done=lambda: heard.append("done"), failed=failed), background, heard


def saying(heard: list[str], word: str) -> Step:
    async def step() -> None:
        await asyncio.sleep(0)
        heard.append(word)

    return step


async def test_steps_are_done_one_after_the_other_in_order() -> None:
    work, background, heard = work_of()
    for word in "abc":
        work.add(saying(heard, word))
    assert len(work) == 3
    await background.drain(5.0)
    assert heard == ["a", "done", "b", "done", "c", "done"]
    assert len(work) == 0


async def test_a_refusal_is_told_and_the_rest_is_done() -> None:
    work, background, heard = work_of()

    async def refuse() -> None:
        raise InvalidArgument("no")

    work.add(refuse)
    work.add(saying(heard, "b"))
    await background.drain(5.0)
    assert heard == ["argument.invalid", "done", "b", "done"]


async def test_a_step_may_add_another_one() -> None:
    work, background, heard = work_of()

    async def step() -> None:
        work.add(saying(heard, "later"))

    work.add(step)
    await background.drain(5.0)
    assert heard == ["done", "later", "done"]


async def test_a_bug_in_a_step_is_told_and_does_not_stop_those_behind_it(caplog: pytest.LogCaptureFixture) -> None:
    work, background, heard = work_of()

    async def bug() -> None:
        raise ValueError("a bug")

    work.add(bug)
    work.add(saying(heard, "b"))
    await background.drain(5.0)
    assert heard == ["hub.error", "done", "b", "done"]
    assert "device_request_failed" in caplog.text


async def test_a_hub_that_stops_begins_none_of_the_steps_it_had_no_time_for() -> None:
    work, background, heard = work_of()
    begun = asyncio.Event()

    async def hang() -> None:
        begun.set()
        await asyncio.Event().wait()

    work.add(hang)
    work.add(saying(heard, "b"))
    await begun.wait()
    await background.drain(0.0)
    assert (len(background), heard) == (0, [])


async def test_work_can_begin_again_after_it_was_empty() -> None:
    work, background, heard = work_of()
    for word in "ab":
        work.add(saying(heard, word))
        await background.drain(5.0)
    assert heard == ["a", "done", "b", "done"]


async def test_what_has_not_begun_can_be_dropped_and_more_may_follow() -> None:
    work, background, heard = work_of()
    work.forget()
    for word in "abc":
        work.add(saying(heard, word))
    await asyncio.sleep(0)  # "a" has begun
    work.forget()
    work.add(saying(heard, "d"))
    await background.drain(5.0)
    assert heard == ["a", "done", "d", "done"]
