"""heads/background.py"""

import asyncio
import logging

import pytest

from ironhub.heads.background import Background


async def test_drain_waits_for_what_runs() -> None:
    background, done = Background(), asyncio.Event()

    async def work() -> None:
        await asyncio.sleep(0)
        done.set()

    background.spawn(work())
    assert len(background) == 1
    await background.drain(5.0)
    assert done.is_set()
    assert len(background) == 0


async def test_what_does_not_end_in_time_is_cancelled() -> None:
    background = Background()

    async def work() -> None:
        await asyncio.Event().wait()

    background.spawn(work())
    await background.drain(0.01)
    assert len(background) == 0


async def test_an_error_is_logged_and_harms_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    background, done = Background(), asyncio.Event()

    async def bad() -> None:
        raise ValueError("a bug")

    async def good() -> None:
        done.set()

    with caplog.at_level(logging.ERROR):
        background.spawn(bad())
        background.spawn(good())
        await background.drain(5.0)
    assert done.is_set()
    assert "background_work_failed" in caplog.text


async def test_draining_nothing_returns_at_once() -> None:
    await Background().drain(5.0)
