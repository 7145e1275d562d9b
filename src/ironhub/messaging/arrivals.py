"""Waiting at a queue that is kept elsewhere, without asking it again and again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

T = TypeVar("T")

MIN_PAUSE: Final = 0.05
"""Seconds between two looks into a queue that was empty at the first of them."""


class Arrivals:
    """Tells those who wait that something may have come, and lets them look one after the other.

    However many wait, one look settles that the queue is empty until the next `tell`; and however often it is told,
    the queue is not looked at more often than once in `pause` seconds in vain. Belongs to one event loop.
    """

    def __init__(self, pause: float = MIN_PAUSE) -> None:
        self._pause = pause
        self._told = 1
        self._empty_at = 0
        self._look_again_at = 0.0
        self._turn = asyncio.Lock()
        self._waiting: dict[object, Callable[[], None]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def tell(self) -> None:
        """Something may be there: call everybody who waits."""
        self._told += 1
        for wake in tuple(self._waiting.values()):
            wake()

    def subscribe(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake`, which must not block or raise, at each `tell` until the returned function is called."""
        token = object()
        self._waiting[token] = wake

        def leave() -> None:
            self._waiting.pop(token, None)

        return leave

    async def take(self, look: Callable[[], Awaitable[T | None]]) -> T | None:
        """Return what `look` finds; None: nothing is there, and every later arrival will be told."""
        async with self._turn:
            while self._empty_at != self._told:
                await self._rest()
                told = self._told
                found = await look()
                if found is not None:
                    return found
                self._empty_at = told
                self._look_again_at = asyncio.get_running_loop().time() + self._pause
        return None

    async def _rest(self) -> None:
        wait = self._look_again_at - asyncio.get_running_loop().time()
        if wait > 0:
            await asyncio.sleep(wait)
