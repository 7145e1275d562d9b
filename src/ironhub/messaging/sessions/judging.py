"""Judging live sessions anew: many at once, each in a bounded time, and an end for whoever fails.

What it protects: a right that cannot be shown is no right. A judge that breaks, or has no answer in time, ends the
session in question and keeps nobody else from being judged.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import Final, Generic, TypeVar

S = TypeVar("S")

log: Final = logging.getLogger(__name__)

JUDGEMENTS_AT_ONCE: Final = 64
"""So that ten thousand sessions share the store's batches instead of waiting for one answer after the other."""
JUDGEMENT_TIMEOUT: Final = 0.75
"""Seconds; what has no answer by then counts as no right, or a stuck disk would keep the revoked connected."""
RIGHT_ENDED: Final = "its right has ended"


class Judgements(Generic[S]):
    """The judgements under way on this node, and the tasks that they wait for."""

    def __init__(self, is_good: Callable[[S], Awaitable[bool]], end: Callable[[S], None]) -> None:
        """`is_good` decides, `in_time` where it asks somebody; `end` ends what is not good."""
        self._is_good = is_good
        self._end = end
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, sessions: Sequence[S]) -> None:
        """Judge `sessions`, in this order, some of them at the same time."""
        remaining = iter(sessions)
        for _ in range(min(len(sessions), JUDGEMENTS_AT_ONCE)):
            self.keep(self._judge_each(remaining))

    def keep(self, work: Coroutine[None, None, None]) -> None:
        """Run `work` to its end."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _judge_each(self, sessions: Iterator[S]) -> None:
        for session in sessions:
            if not await self._is_good(session):
                try:
                    self._end(session)
                except Exception:
                    log.exception("session_not_ended")  # and the others are judged all the same
            await asyncio.sleep(0)  # a judge that never waits would let nobody else be served meanwhile


async def in_time(judgement: Awaitable[bool]) -> bool:
    """Return the judgement; False when it fails, or takes longer than `JUDGEMENT_TIMEOUT`."""
    try:
        async with asyncio.timeout(JUDGEMENT_TIMEOUT):
            return await judgement
    except Exception:
        log.exception("session_judgement_failed")
        return False
