"""Jobs: the same twin update or method call for many devices, now or later."""

from typing import Annotated, Final

from fastapi import APIRouter, Query

from ironhub.access.model import Permission
from ironhub.console.auth import Authenticated
from ironhub.console.routes import router
from ironhub.console.shapes.jobs import JobDevicePage, JobGiven, JobPage, NewJob
from ironhub.dialects.azure.timestamps import TimestampInvalid
from ironhub.messaging.jobs.model import (
    JobExists,
    JobIdInvalid,
    JobKind,
    JobNotFound,
    JobOver,
    JobStatus,
    TargetStatus,
    TooManyActiveJobs,
    TooManyScheduledJobs,
)
from ironhub.messaging.jobs.service import MAX_PAGE
from ironhub.twins.model import TwinInvalid
from ironhub.twins.queries.model import QueryInvalid

routes: Final[APIRouter] = router(
    "/jobs",
    "jobs",
    JobNotFound,
    JobExists,
    JobIdInvalid,
    JobOver,
    TooManyActiveJobs,
    TooManyScheduledJobs,
    QueryInvalid,
    TwinInvalid,
    TimestampInvalid,
)

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]
After = Annotated[str | None, Query(max_length=200)]


@routes.post("", status_code=201)
async def create_job(caller: Authenticated, new: NewJob) -> JobGiven:
    """Create a job, which begins at its time by itself."""
    grant = caller.may(Permission.JOB_WRITE)
    return JobGiven.of(await caller.services.jobs.create(grant, new.draft()))


@routes.get("")
async def list_jobs(
    caller: Authenticated,
    kind: JobKind | None = None,
    status: JobStatus | None = None,
    after: After = None,
    limit: Limit = 100,
) -> JobPage:
    """Return a page of jobs, the newest first."""
    grant = caller.may(Permission.JOB_READ)
    return JobPage.of(await caller.services.jobs.list(grant, kind=kind, status=status, after=after, limit=limit))


@routes.get("/{job_id}")
async def read_job(caller: Authenticated, job_id: str) -> JobGiven:
    """Return one job and how far it is."""
    grant = caller.may(Permission.JOB_READ)
    return JobGiven.of(await caller.services.jobs.get(grant, job_id))


@routes.post("/{job_id}/cancel")
async def cancel_job(caller: Authenticated, job_id: str) -> JobGiven:
    """End a job: no device has its turn any more once this is answered."""
    grant = caller.may(Permission.JOB_WRITE)
    return JobGiven.of(await caller.services.jobs.cancel(grant, job_id))


@routes.get("/{job_id}/devices")
async def list_job_devices(
    caller: Authenticated, job_id: str, status: TargetStatus | None = None, after: After = None, limit: Limit = 100
) -> JobDevicePage:
    """Return a page of the job's devices and what became of each, ordered by id."""
    grant = caller.may(Permission.JOB_READ)
    page = await caller.services.jobs.targets(grant, job_id, status=status, after=after, limit=limit)
    return JobDevicePage.of(page)
