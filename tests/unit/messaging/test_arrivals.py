import asyncio
from collections import deque

import pytest
from tests.fakes.trouble import settle, until

from ironhub.messaging.arrivals import Arrivals


class Queue:
    """What is kept elsewhere, and how often somebody looked."""

    def __init__(self, *items: str) -> None:
        self.items = deque(items)
        self.looks = 0

    async def look(self) -> str | None:
        self.looks += 1
        found = self.items.popleft() if self.items else None
        await asyncio.sleep(0)
        return found


async def test_what_was_there_from_the_beginning_is_found_without_being_told() -> None:
    queue, arrivals = Queue("a", "b"), Arrivals(pause=0.0)
    assert [await arrivals.take(queue.look) for _ in range(3)] == ["a", "b", None]


async def test_however_many_wait_one_look_settles_that_nothing_is_there() -> None:
    queue, arrivals = Queue(), Arrivals(pause=0.0)
    assert await asyncio.gather(*(arrivals.take(queue.look) for _ in range(100))) == [None] * 100
    assert queue.looks == 1
    arrivals.tell()
    await asyncio.gather(*(arrivals.take(queue.look) for _ in range(100)))
    assert queue.looks == 2


async def test_each_item_goes_to_one_of_those_who_look_at_once() -> None:
    queue, arrivals = Queue("a", "b"), Arrivals(pause=0.0)
    taken = await asyncio.gather(*(arrivals.take(queue.look) for _ in range(5)))
    assert taken == ["a", "b", None, None, None]


async def test_everybody_who_waits_is_told_until_they_leave() -> None:
    arrivals, heard = Arrivals(), list[str]()
    leave = arrivals.subscribe(lambda: heard.append("one"))
    arrivals.subscribe(lambda: heard.append("two"))
    arrivals.tell()
    assert (heard, len(arrivals)) == (["one", "two"], 2)
    leave()
    leave()
    arrivals.tell()
    assert (heard, len(arrivals)) == (["one", "two", "two"], 1)


async def test_what_comes_while_somebody_looks_is_not_missed() -> None:
    queue, arrivals = Queue(), Arrivals(pause=0.0)
    taking = asyncio.create_task(arrivals.take(queue.look))
    await until(lambda: queue.looks == 1)
    arrivals.tell()
    queue.items.append("late")
    assert await taking == "late"


async def test_a_look_that_fails_is_made_again() -> None:
    queue, arrivals = Queue("a"), Arrivals(pause=0.0)

    async def broken() -> str | None:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        await arrivals.take(broken)
    assert await arrivals.take(queue.look) == "a"


async def test_being_told_often_of_nothing_costs_few_looks() -> None:
    queue, arrivals = Queue(), Arrivals(pause=3600.0)
    assert await arrivals.take(queue.look) is None
    for _ in range(1000):
        arrivals.tell()
    waiting = [asyncio.create_task(arrivals.take(queue.look)) for _ in range(3)]
    await settle()
    assert queue.looks == 1
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)


async def test_a_short_rest_ends_by_itself() -> None:
    queue, arrivals = Queue(), Arrivals(pause=0.001)
    assert await arrivals.take(queue.look) is None
    queue.items.append("a")
    arrivals.tell()
    async with asyncio.timeout(10.0):
        assert await arrivals.take(queue.look) == "a"
