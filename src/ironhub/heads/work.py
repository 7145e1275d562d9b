"""Requests of one device, done one after the other in the order they came."""

import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from ironhub.core.errors import HubError
from ironhub.heads.background import Background

log: Final = logging.getLogger(__name__)

Step = Callable[[], Awaitable[None]]


class SerialWork:
    """A queue of steps and, while there are any, one task that does them. Costs next to nothing while it is empty."""

    __slots__ = ("_background", "_done", "_failed", "_queue", "_working")

    def __init__(self, background: Background, *, done: Callable[[], None], failed: Callable[[HubError], None]) -> None:
        self._background = background
        self._done = done
        self._failed = failed
        self._queue: deque[Step] | None = None
        self._working = False

    def __len__(self) -> int:
        return len(self._queue or ())

    def add(self, step: Step) -> None:
        """Do `step` when everything before it is done.

        `done` is called after each, whatever became of it; `failed` with its HubError, or with one that stands for a
        bug: nobody must wait for ever for an answer that will not come.
        """
        if self._queue is None:
            self._queue = deque()
        self._queue.append(step)
        if not self._working:
            self._start(self._queue)

    def forget(self) -> None:
        """Drop the steps that have not begun."""
        if self._queue is not None:
            self._queue.clear()

    def _start(self, queue: deque[Step]) -> None:
        self._working = True
        self._background.spawn(self._work(queue))

    async def _work(self, queue: deque[Step]) -> None:
        try:
            while queue:
                await self._attempt(queue.popleft())
            self._queue = None
        finally:
            self._working = False

    async def _attempt(self, step: Step) -> None:
        try:
            await step()
        except HubError as error:
            self._failed(error)
        except Exception:
            log.exception("device_request_failed")
            self._failed(HubError("something broke in the hub"))
        self._done()
