"""What back ends do with jobs: create, read, list, cancel.

What it protects: a job does later, to many, what its creator may do at once to one. Creating one needs the right to the
work itself, over every device; and while it runs the creator's right is looked at again (run.py).
"""

import asyncio
from typing import Final

from ironhub.access.model import WHOLE_HUB, Grant, Permission
from ironhub.access.service import authorise, remember
from ironhub.core.bus import Bus, JobsChanged
from ironhub.core.clock import Clock
from ironhub.core.errors import InvalidArgument
from ironhub.core.pages import Page
from ironhub.identity.model import Principal
from ironhub.messaging.jobs.model import (
    MAX_CONDITION,
    MAX_EXECUTION_TIME,
    Job,
    JobDraft,
    JobKind,
    JobNotFound,
    JobSettings,
    JobStatus,
    JobWork,
    Target,
    TargetStatus,
    TwinChange,
    check_job_id,
)
from ironhub.messaging.jobs.ports import Conditions, JobStore
from ironhub.messaging.methods.model import MethodCall
from ironhub.messaging.methods.service import check_call
from ironhub.twins.rules import check_patch

MAX_PAGE: Final = 1000
NEEDED: Final = {JobKind.TWIN_UPDATE: Permission.TWIN_WRITE, JobKind.METHOD: Permission.METHOD_INVOKE}
"""What the work of each kind needs, besides the right to jobs."""


class JobService:
    """The jobs of one hub. Every answer comes after the change is durable."""

    def __init__(
        self, store: JobStore, conditions: Conditions, bus: Bus, clock: Clock, settings: JobSettings | None = None
    ) -> None:
        self._store = store
        self._conditions = conditions
        self._bus = bus
        self._clock = clock
        self._settings = settings or JobSettings()

    async def create(self, grant: Grant, draft: JobDraft) -> Job:
        """Store a job, which begins at its time by itself, and return it.

        Raises:
            JobIdInvalid, JobExists, InvalidArgument, TwinInvalid, TooManyActiveJobs, TooManyScheduledJobs; and what
            the language says of a condition that it does not understand.
        """
        grant.require_whole_hub(Permission.JOB_WRITE)
        job = self._job(grant.principal, draft)
        authorise(grant.principal, NEEDED[job.kind], WHOLE_HUB)
        _check_work(draft.work)
        self._conditions.check(draft.condition)
        return await asyncio.shield(self._create(job))

    async def get(self, grant: Grant, job_id: str) -> Job:
        """Return one job. Raises JobNotFound."""
        grant.require_whole_hub(Permission.JOB_READ)
        job = await self._store.get_job(job_id)
        if job is None:
            raise JobNotFound(f"there is no job {shown_id(job_id)}")
        return job

    async def list(
        self,
        grant: Grant,
        *,
        kind: JobKind | None = None,
        status: JobStatus | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> Page[Job]:
        """Return a page of jobs, the newest first. Raises InvalidArgument: `after` is from no page."""
        grant.require_whole_hub(Permission.JOB_READ)
        limit = _page_size(limit)
        found = await self._store.list_jobs(kind=kind, status=status, before=_number(after), limit=limit + 1)
        jobs = tuple(found[:limit])
        return Page(jobs, str(jobs[-1].number) if len(found) > limit else None)

    async def cancel(self, grant: Grant, job_id: str) -> Job:
        """End a job: nothing begins in it once this returns. Calls that a device has got are not called back.

        Raises:
            JobNotFound, JobOver.
        """
        grant.require_whole_hub(Permission.JOB_WRITE)
        return await asyncio.shield(self._cancel(shown_id(job_id)))

    async def targets(
        self,
        grant: Grant,
        job_id: str,
        *,
        status: TargetStatus | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> Page[Target]:
        """Return a page of the job's devices and what became of them, ordered by id. Raises JobNotFound."""
        job: Job = await self.get(grant, job_id)
        return await self._store.list_targets(job.number, status=status, after=after, limit=_page_size(limit))

    async def _create(self, job: Job) -> Job:
        settings = self._settings
        stored = await self._store.add_job(job, max_active=settings.max_active, max_scheduled=settings.max_scheduled)
        self._bus.publish(JobsChanged(None))
        return stored

    async def _cancel(self, job_id: str) -> Job:
        job = await self._store.end_job(job_id, JobStatus.CANCELLED, at=self._clock.now())
        self._bus.publish(JobsChanged(job.number))
        return job

    def _job(self, creator: Principal, draft: JobDraft) -> Job:
        _check_draft(draft)
        now = self._clock.now()
        later = draft.starts_at is not None and draft.starts_at > now
        return Job(
            job_id=check_job_id(draft.job_id),
            work=draft.work,
            condition=draft.condition,
            creator=remember(creator),
            created_at=now,
            starts_at=draft.starts_at if later and draft.starts_at is not None else now,
            max_execution_time=draft.max_execution_time,
            status=JobStatus.SCHEDULED if later else JobStatus.QUEUED,
        )


def shown_id(job_id: str) -> str:
    """Return an id as given if it can be one. Raises JobNotFound for all others: there is none of that id."""
    if not job_id.isascii() or not job_id.isprintable() or len(job_id) > 128:
        raise JobNotFound("there is no job of this id")
    return job_id


def _check_draft(draft: JobDraft) -> None:
    if not 0 < draft.max_execution_time <= MAX_EXECUTION_TIME:
        raise InvalidArgument(f"the execution time is more than 0 and at most {MAX_EXECUTION_TIME:.0f} seconds")
    if len(draft.condition) > MAX_CONDITION:
        raise InvalidArgument(f"a condition has at most {MAX_CONDITION} characters")


def _check_work(work: JobWork) -> None:
    match work:
        case MethodCall():
            check_call(work)
        case TwinChange(tags=tags, desired=desired):
            for section, patch in (("tags", tags), ("desired", desired)):
                if patch is not None:
                    check_patch(section, patch)


def _page_size(limit: int) -> int:
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidArgument(f"a page has 1 to {MAX_PAGE} entries")
    return limit


def _number(after: str | None) -> int | None:
    if after is None:
        return None
    if not after.isascii() or not after.isdigit() or len(after) > 18:
        raise InvalidArgument("this is not where any page ended")
    return int(after)
