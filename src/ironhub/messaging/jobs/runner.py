"""Starts jobs at their time, goes on with those that ran when the hub stopped, and ends those that were cancelled."""

import asyncio
import logging
from typing import Final

from ironhub.core.bus import Bus, JobsChanged, Notice, PolicyChanged
from ironhub.core.errors import HubError
from ironhub.messaging.jobs.model import Job
from ironhub.messaging.jobs.run import RETRY_AFTER, JobRun, Tools, patiently

log: Final = logging.getLogger(__name__)

MAX_PAUSE: Final = 30.0
"""Seconds between two looks for what is due, when nothing is known to be due earlier."""


class JobRunner:
    """The jobs that run on this node. Hear of devices first: `run` belongs where devices can connect."""

    def __init__(self, tools: Tools, bus: Bus) -> None:
        self._tools = tools
        self._bus = bus
        self._runs: dict[int, tuple[JobRun, asyncio.Task[None]]] = {}
        self._look = asyncio.Event()
        bus.subscribe(self._notice)

    @property
    def running(self) -> int:
        """How many jobs run."""
        return len(self._runs)

    async def run(self) -> None:
        """Run what is due, until cancelled; jobs that run then are gone on with when it is called again."""
        self._tools.begin()
        try:
            for job in await patiently(self._tools.store.running_jobs):
                run = JobRun(job, self._tools)
                await run.recover()
                self._begin(run)
            while True:
                self._look.clear()
                await self._start_due()
                await self._wait()
        finally:
            tasks = [task for _, task in self._runs.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _start_due(self) -> None:
        room = max(self._tools.settings.max_active - len(self._runs), 0)
        now = self._tools.clock.now()
        for job in await patiently(self._tools.store.start_jobs, now=now, limit=room):
            self._begin(JobRun(job, self._tools))

    def _begin(self, run: JobRun) -> None:
        job: Job = run.job
        log.info("job_runs", extra={"job": job.job_id})
        task = asyncio.create_task(self._kept(run))
        self._runs[job.number] = run, task

    async def _kept(self, run: JobRun) -> None:
        try:
            await run.run()
        finally:
            del self._runs[run.job.number]
            self._look.set()
        log.info("job_ended", extra={"job": run.job.job_id})
        self._bus.publish(JobsChanged(run.job.number))

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(await self._pause()):
                await self._look.wait()
        except TimeoutError:
            return

    async def _pause(self) -> float:
        try:
            due = await self._tools.store.next_start()
        except HubError:
            return RETRY_AFTER
        if due is None or len(self._runs) >= self._tools.settings.max_active:
            return MAX_PAUSE
        return min(max(due - self._tools.clock.now(), 0.05), MAX_PAUSE)

    def _notice(self, notice: Notice) -> None:
        match notice:
            case JobsChanged(ended=None):
                self._look.set()
            case JobsChanged(ended=number) if number in self._runs:
                self._runs[number][1].cancel()
            case PolicyChanged(name):
                for run, _ in self._runs.values():
                    if run.standing.who.by_policy and run.standing.who.name.lower() == name.lower():
                        run.standing.doubt()
