"""What jobs need: a store, those who know which devices a condition names, and the gate's word on their creators."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from ironhub.core.ids import DeviceId, Identity
from ironhub.core.pages import Page
from ironhub.identity.model import Principal, Remembered
from ironhub.messaging.jobs.model import Job, JobKind, JobStatus, Result, Target, TargetStatus

Recall = Callable[[Remembered], Awaitable[Principal]]
"""Returns a creator as the gate would admit them now. Raises AuthenticationFailed."""


class Conditions(Protocol):
    """Knows the query language."""

    def check(self, condition: str) -> None:
        """Raise a HubError that points at what is wrong with `condition`, if something is."""

    async def matching(self, condition: str, *, after: str | None, limit: int) -> Page[Identity]:
        """Return at most `limit` devices that `condition` names, ordered by id; `after` from the page before."""


class JobStore(Protocol):
    """Where jobs live. Whatever implements it passes tests/contracts/test_job_store.py.

    Every write is durable when it returns. A store also takes receipts (core.receipts) in the transactions of others:
    one is taken for a target that is RUNNING in a job that is RUNNING, and makes it SUCCEEDED.
    """

    async def add_job(self, job: Job, *, max_active: int, max_scheduled: int) -> Job:
        """Store it and return it with its number.

        Raises:
            JobExists; TooManyActiveJobs: it is to begin now and `max_active` others are QUEUED or RUNNING;
            TooManyScheduledJobs: it is to begin later, and `max_scheduled` others are.
        """

    async def get_job(self, job_id: str) -> Job | None:
        """Return the job, or None."""

    async def list_jobs(
        self, *, kind: JobKind | None, status: JobStatus | None, before: int | None, limit: int
    ) -> Sequence[Job]:
        """Return the newest jobs (of this kind and status) first, those with numbers below `before`."""

    async def running_jobs(self) -> Sequence[Job]:
        """Return the jobs that are RUNNING, oldest first."""

    async def start_jobs(self, *, now: float, limit: int) -> Sequence[Job]:
        """Make at most `limit` jobs whose time has come RUNNING, and return them; of the others that is due, QUEUED."""

    async def next_start(self) -> float | None:
        """Return when the next job that has not started is to begin; None: there is none."""

    async def add_targets(
        self, number: int, devices: Sequence[DeviceId], *, at: float, walked_to: str | None, collected: bool
    ) -> None:
        """Write down targets as PENDING, those that are there already but once, and where the search goes on.

        Nothing happens to a job that is not RUNNING.
        """

    async def begin_targets(self, number: int, *, at: float, limit: int) -> Sequence[DeviceId]:
        """Make the first PENDING targets RUNNING and return them; empty: none is left, or the job is not RUNNING."""

    async def finish_targets(self, number: int, results: Sequence[Result], *, at: float) -> None:
        """Store how it ended for targets that are RUNNING; for others nothing happens."""

    async def recover_targets(self, number: int, *, at: float, error: tuple[str, str] | None) -> None:
        """Of targets that are RUNNING nobody knows how it ended: make them FAILED with `error` (code and message), or
        PENDING again when that is None."""

    async def end_job(self, job_id: str, status: JobStatus, *, at: float, error: tuple[str, str] = ("", "")) -> Job:
        """End a job that has not ended, and return it; its targets follow with `settle_targets`.

        Raises:
            JobNotFound, JobOver.
        """

    async def settle_targets(self, *, at: float, limit: int) -> bool:
        """Give at most `limit` targets, PENDING or RUNNING in a job that has ended, that job's end: CANCELLED, or else
        FAILED with the job's error. Returns whether there may be more."""

    async def list_targets(
        self, number: int, *, status: TargetStatus | None, after: str | None, limit: int
    ) -> Page[Target]:
        """Return targets ordered by device; `after` from the page before."""

    async def forget_jobs(self, *, ended_before: float, limit: int) -> bool:
        """Delete at most `limit` targets of the job that ended first, before that instant, and with the last of them
        the job. Returns whether there may be more."""
