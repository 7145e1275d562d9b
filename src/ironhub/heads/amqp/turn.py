"""One turn of the event loop on one connection: what is done when all that came together was routed, and one write."""

import asyncio
from collections.abc import Callable


class Turn:
    """Collects what is to be done at the end of the turn; bytes that are being read end it, or else a call soon."""

    __slots__ = ("_at_end", "_callbacks", "_reading", "_soon")

    def __init__(self, at_end: Callable[[], None]) -> None:
        """`at_end` calls `run` and sends what there is; the loop calls it, never while events are routed."""
        self._at_end = at_end
        self._callbacks: list[Callable[[], None]] = []
        self._reading = False
        self._soon = False

    def begin_reading(self) -> None:
        """Events are routed from here on; whoever does so runs the callbacks and sends."""
        self._reading = True

    def end_reading(self) -> None:
        """They are routed."""
        self._reading = False

    def soon(self) -> None:
        """Have the end of the turn called, once for however many ask for it."""
        if not (self._reading or self._soon):
            self._soon = True
            asyncio.get_running_loop().call_soon(self._end)

    def add(self, callback: Callable[[], None]) -> None:
        """Call it once at the end of this turn, or of the next one that comes."""
        self._callbacks.append(callback)

    def run(self) -> None:
        """Do what was collected, and what is added meanwhile."""
        while self._callbacks:
            callbacks, self._callbacks = self._callbacks, []
            for callback in callbacks:
                callback()

    def _end(self) -> None:
        self._soon = False
        self._at_end()
