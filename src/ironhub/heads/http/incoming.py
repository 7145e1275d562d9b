"""The body of a request as it comes: between the conversation that reads the socket and the call that stores it."""

import asyncio
from collections import deque
from collections.abc import Callable

from ironhub.heads.http.errors import BodyIncomplete


class IncomingBody:
    """An asynchronous iterator over the pieces of one body, for one reader. Belongs to the event loop's thread."""

    def __init__(self, announced: int | None, taken: Callable[[], None]) -> None:
        """Take what the conversation knows.

        Args:
            announced: bytes it will have; None: that shows when it ends.
            taken: called whenever the reader took a piece, so that more may be read from the peer.
        """
        self.announced = announced
        self.waiting = 0
        """Bytes that came and were not taken yet."""
        self._taken = taken
        self._pieces: deque[bytes] = deque()
        self._ended = False
        self._lost = ""
        self._news = asyncio.Event()

    def put(self, piece: bytes) -> None:
        """Add what came."""
        self._pieces.append(piece)
        self.waiting += len(piece)
        self._news.set()

    def end(self) -> None:
        """All of it came."""
        self._ended = True
        self._news.set()

    def lose(self, reason: str) -> None:
        """No more will come; the reader learns that what it has is not all, unless it is."""
        if not self._ended:
            self._lost = reason
            self._pieces.clear()
            self.waiting = 0
            self._news.set()

    def __aiter__(self) -> "IncomingBody":
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece. Raises BodyIncomplete."""
        while True:
            if self._lost:
                raise BodyIncomplete(self._lost)
            if self._pieces:
                piece = self._pieces.popleft()
                self.waiting -= len(piece)
                self._taken()
                return piece
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
