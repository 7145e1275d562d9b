"""Between the gate's word on a device and the session it opens there: what every protocol head does then.

What it protects: promise 2, "revoked is gone", for those who are let in at the very moment; and the hub, from two
clients of one id that throw each other out at full speed.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, Self, TypeVar

from ironhub.core.clock import Clock
from ironhub.messaging.sessions.ports import LiveSession
from ironhub.messaging.sessions.service import LiveSessions

T = TypeVar("T")


class Admission(Generic[T]):
    """What the gate says of somebody for whom there is no session yet."""

    __slots__ = ("_ask", "_sessions", "found", "judged_at")

    def __init__(self, sessions: LiveSessions, ask: Callable[[], Awaitable[T]], found: T, judged_at: int) -> None:
        self._sessions = sessions
        self._ask = ask
        self.found = found
        """What `ask` returned last."""
        self.judged_at = judged_at
        """`LiveSessions.notices` as it was before."""

    @classmethod
    async def begin(cls, sessions: LiveSessions, ask: Callable[[], Awaitable[T]]) -> Self:
        """Ask the gate, by `ask`, which raises AuthenticationFailed; then wait for what there is to wait for."""
        judged_at = sessions.notices
        return cls(sessions, ask, await ask(), judged_at)

    async def renew(self, is_over: Callable[[], bool]) -> None:
        """Ask again if some right has ended meanwhile, until none has: perhaps it was this one.

        Nothing that was sent ahead rests on an old judgement then. Who is gone by `is_over` is not asked about.
        """
        while self.judged_at != self._sessions.notices and not is_over():
            self.judged_at = self._sessions.notices
            self.found = await self._ask()


async def delay_takeover(before: LiveSession | None, clock: Clock, delay: float) -> None:
    """Wait until `before`, the session that will be taken over, is `delay` seconds old.

    Two clients of one id would throw each other out at full speed for ever: each round costs them a pause.
    """
    if before is not None:
        age = clock.monotonic() - before.opened_at
        if age < delay:
            await asyncio.sleep(delay - age)
