"""Gives the devices of jobs that have ended their end, and forgets jobs when their time is over: in small steps."""

import asyncio
import logging
from typing import Final

from ironhub.core.bus import Bus, JobsChanged, Notice
from ironhub.core.clock import Clock
from ironhub.core.errors import HubError
from ironhub.messaging.jobs.model import JobSettings
from ironhub.messaging.jobs.ports import JobStore

log: Final = logging.getLogger(__name__)

STEP: Final = 500
"""Targets in one transaction: others that write wait no longer than that takes."""
PAUSE: Final = 0.01
"""Seconds between two steps, which belong to others."""
LOOK: Final = 60.0
"""Seconds between two looks, when nobody says that there is something to do."""


class JobTidier:
    """One per store."""

    def __init__(self, store: JobStore, bus: Bus, clock: Clock, settings: JobSettings | None = None) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings or JobSettings()
        self._look = asyncio.Event()
        bus.subscribe(self._notice)

    async def run(self) -> None:
        """Tidy up, until cancelled."""
        while True:
            self._look.clear()
            try:
                while await self.step():  # noqa: ASYNC110  # it waits for nobody: it lets others write
                    await asyncio.sleep(PAUSE)
            except HubError as error:
                log.warning("jobs_not_tidied", extra={"code": error.code})
            try:
                async with asyncio.timeout(LOOK):
                    await self._look.wait()
            except TimeoutError:
                continue

    async def step(self) -> bool:
        """Do a little; returns whether there may be more to do."""
        now = self._clock.now()
        settled = await self._store.settle_targets(at=now, limit=STEP)
        forgotten = await self._store.forget_jobs(ended_before=now - self._settings.history, limit=STEP)
        return settled or forgotten

    def _notice(self, notice: Notice) -> None:
        if isinstance(notice, JobsChanged) and notice.ended is not None:
            self._look.set()
