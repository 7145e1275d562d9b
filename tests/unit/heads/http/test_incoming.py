"""A body on its way: pieces in order, the end told, and nobody left waiting."""

import asyncio

import pytest

from ironhub.heads.http.errors import BodyIncomplete
from ironhub.heads.http.incoming import IncomingBody


def body() -> tuple[IncomingBody, list[int]]:
    """A body, and how much waited each time a piece was taken."""
    levels: list[int] = []
    made = IncomingBody(None, lambda: levels.append(made.waiting))
    return made, levels


async def test_pieces_come_in_order_until_the_end() -> None:
    made, levels = body()
    made.put(b"one")
    made.put(b"two")
    made.end()
    assert made.waiting == 6
    assert [piece async for piece in made] == [b"one", b"two"]
    assert levels == [3, 0]
    assert [piece async for piece in made] == []


async def test_a_reader_waits_for_more() -> None:
    made, _ = body()
    reading = asyncio.ensure_future(anext(made))
    await asyncio.sleep(0)
    assert not reading.done()
    made.put(b"late")
    assert await reading == b"late"
    reading = asyncio.ensure_future(anext(made))
    await asyncio.sleep(0)
    made.end()
    with pytest.raises(StopAsyncIteration):
        await reading


async def test_a_reader_learns_that_no_more_will_come() -> None:
    made, _ = body()
    made.put(b"some")
    made.lose("gone")
    with pytest.raises(BodyIncomplete, match="gone"):
        await anext(made)
    assert made.waiting == 0
    waiting, _ = body()
    reading = asyncio.ensure_future(anext(waiting))
    await asyncio.sleep(0)
    waiting.lose("gone")
    with pytest.raises(BodyIncomplete):
        await reading


async def test_what_is_whole_is_not_lost_with_the_connection() -> None:
    made, _ = body()
    made.put(b"all")
    made.end()
    made.lose("gone")
    assert [piece async for piece in made] == [b"all"]
