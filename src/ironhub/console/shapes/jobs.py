"""Jobs as callers send them and see them."""

import json
from typing import Any

from pydantic import Field

from ironhub.console.shapes import Given, Taken, example
from ironhub.console.shapes.instants import shown_if_known, shown_instant
from ironhub.console.shapes.messaging import MethodTaken
from ironhub.core.errors import InvalidArgument
from ironhub.core.pages import Page
from ironhub.dialects.azure.timestamps import decode_instant
from ironhub.messaging.jobs.model import (
    DEFAULT_EXECUTION_TIME,
    Job,
    JobDraft,
    JobKind,
    JobStatus,
    JobWork,
    Target,
    TargetStatus,
    TwinChange,
)


class TwinUpdateTaken(Taken):
    """What is merged into each twin; null: leave the section as it is."""

    tags: dict[str, Any] | None = None
    desired: dict[str, Any] | None = None
    if_match: str | None = Field(default=None, max_length=128)
    """The etag that each twin must have; null: any."""


class NewJob(Taken):
    """A job to be created: a twin update or a method, and for which devices."""

    model_config = example(job_id="night", condition="tags.hall = 'B2'", method={"name": "reboot"})

    job_id: str = Field(max_length=200)
    condition: str = Field(max_length=8192, examples=["tags.hall = 'b'"])
    """What would stand after WHERE in a query of devices; "*": all."""
    twin_update: TwinUpdateTaken | None = None
    method: MethodTaken | None = None
    starts_at: str | None = Field(default=None, max_length=64)
    """ISO 8601; null: now."""
    max_execution_time: float = DEFAULT_EXECUTION_TIME
    """Seconds from its start; whoever has had no turn by then has failed."""

    def draft(self) -> JobDraft:
        """Return it as the job service takes it. Raises InvalidArgument, TimestampInvalid."""
        return JobDraft(
            job_id=self.job_id,
            work=self._work(),
            condition=self.condition,
            starts_at=None if self.starts_at is None else decode_instant(self.starts_at),
            max_execution_time=self.max_execution_time,
        )

    def _work(self) -> JobWork:
        if (self.twin_update is None) == (self.method is None):
            raise InvalidArgument("give either twin_update or method")
        if self.method is not None:
            return self.method.call()
        assert self.twin_update is not None
        return TwinChange(self.twin_update.tags, self.twin_update.desired, self.twin_update.if_match)


class JobCountsGiven(Given):
    """How many devices are how far."""

    total: int
    pending: int
    running: int
    succeeded: int
    failed: int
    cancelled: int


class JobGiven(Given):
    """A job and how far it is."""

    job_id: str
    kind: JobKind
    status: JobStatus
    condition: str
    created_at: str
    starts_at: str
    started_at: str | None
    ended_at: str | None
    max_execution_time: float
    devices: JobCountsGiven
    collected: bool
    """Whether all devices that are meant are known, so that their total stays."""
    error_code: str | None
    reason: str | None
    """Why it failed."""

    @classmethod
    def of(cls, job: Job) -> "JobGiven":
        """Return what callers see of `job`."""
        return cls(
            job_id=job.job_id,
            kind=job.kind,
            status=job.status,
            condition=job.condition,
            created_at=shown_instant(job.created_at),
            starts_at=shown_instant(job.starts_at),
            started_at=shown_if_known(job.started_at),
            ended_at=shown_if_known(job.ended_at),
            max_execution_time=job.max_execution_time,
            devices=JobCountsGiven(**job.counts._asdict()),
            collected=job.collected,
            error_code=job.error_code or None,
            reason=job.reason or None,
        )


class JobPage(Given):
    """Some jobs, the newest first; pass `after` for the next page."""

    jobs: tuple[JobGiven, ...]
    after: str | None

    @classmethod
    def of(cls, page: Page[Job]) -> "JobPage":
        """Return what callers see of `page`."""
        return cls(jobs=tuple(map(JobGiven.of, page.items)), after=page.after)


class JobDeviceGiven(Given):
    """What became of one device of a job."""

    device_id: str
    status: TargetStatus
    started_at: str | None
    ended_at: str | None
    answer_status: int | None
    """What the device said, of a method that it answered."""
    answer_payload: Any
    """Null also when it was too long to be kept."""
    error_code: str | None
    error: str | None

    @classmethod
    def of(cls, target: Target) -> "JobDeviceGiven":
        """Return what callers see of `target`."""
        answer = target.answer
        return cls(
            device_id=target.device_id,
            status=target.status,
            started_at=shown_if_known(target.started_at),
            ended_at=shown_if_known(target.ended_at),
            answer_status=None if answer is None else answer.status,
            answer_payload=json.loads(answer.payload) if answer is not None and answer.payload else None,
            error_code=target.error_code or None,
            error=target.error or None,
        )


class JobDevicePage(Given):
    """Some devices of a job, ordered by id; pass `after` for the next page."""

    devices: tuple[JobDeviceGiven, ...]
    after: str | None

    @classmethod
    def of(cls, page: Page[Target]) -> "JobDevicePage":
        """Return what callers see of `page`."""
        return cls(devices=tuple(map(JobDeviceGiven.of, page.items)), after=page.after)
