"""Readers who wait."""

import asyncio

from ironhub.streams.waiting import Waiters


async def test_only_who_waits_for_what_came_is_woken() -> None:
    waiters = Waiters(2)
    near, far = (asyncio.ensure_future(waiters.wait(0, start, 30)) for start in (4, 5))
    other = asyncio.ensure_future(waiters.wait(1, 0, 30))
    await asyncio.sleep(0)
    waiters.wake(0, 5)
    waiters.wake(0, 5)
    assert await near is True
    assert not far.done()
    assert not other.done()
    waiters.dismiss()
    waiters.dismiss()
    assert [await far, await other] == [False, False]


async def test_a_wait_ends_after_its_time() -> None:
    assert await Waiters(1).wait(0, 0, 0.001) is False


async def test_a_cancelled_reader_leaves_nothing_behind() -> None:
    waiters = Waiters(1)
    waiting = asyncio.ensure_future(waiters.wait(0, 0, 30))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    waiters.wake(0, 1)
    assert waiting.cancelled()
