"""Jobs and their targets as rows, and back."""

import json
from typing import Any

from ironhub.core.ids import DeviceId
from ironhub.identity.model import Remembered
from ironhub.messaging.jobs.model import (
    UNSTARTED,
    Job,
    JobCounts,
    JobKind,
    JobStatus,
    JobWork,
    Target,
    TargetStatus,
    TwinChange,
)
from ironhub.messaging.methods.model import MethodAnswer, MethodCall
from ironhub.storage.sqlite.job_statements import COUNTS, JOB_COLUMNS
from ironhub.storage.sqlite.rows import json_object, json_text, reading
from ironhub.storage.sqlite.statements import Values
from ironhub.storage.sqlite.tables import Row


def job_values(job: Job) -> Values:
    """All columns but the number, which the database gives, and `settle_at`."""
    creator = job.creator
    return {
        "job_id": job.job_id,
        "kind": job.kind.value,
        "status": job.status.value,
        "work": json_text(_work_values(job.work)),
        "condition": job.condition,
        "creator": json_text([creator.name, creator.by_policy, creator.scope, creator.key_digest]),
        "created_at": job.created_at,
        "starts_at": job.starts_at,
        "max_execution_time": job.max_execution_time,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
        "error_code": job.error_code,
        "reason": job.reason,
        **job.counts._asdict(),
        "walked_to": job.walked_to,
        "collected": int(job.collected),
        "due_at": job.starts_at if job.status in UNSTARTED else None,
    }


def job_of(row: Row) -> Job:
    """The job in a row of `job_statements.JOB_COLUMNS`. Raises CorruptStore."""
    it: dict[str, Any] = dict(zip(JOB_COLUMNS, row, strict=True))
    with reading(f"job {it['job_number']}"):
        return Job(
            number=it["job_number"],
            job_id=it["job_id"],
            work=_work_of(it["kind"], json_object(it["work"])),
            condition=it["condition"],
            creator=_creator_of(it["creator"]),
            created_at=it["created_at"],
            starts_at=it["starts_at"],
            max_execution_time=it["max_execution_time"],
            status=JobStatus(it["status"]),
            started_at=it["started_at"],
            ended_at=it["ended_at"],
            error_code=it["error_code"],
            reason=it["reason"],
            counts=JobCounts(*(it[name] for name in COUNTS)),
            walked_to=it["walked_to"],
            collected=bool(it["collected"]),
        )


def target_of(row: Row) -> Target:
    """The target in a row of the whole table. Raises CorruptStore."""
    number, device, status, created_at, _, started_at, ended_at, answer_status, payload, error_code, error = row
    with reading(f"device {device} of job {number}"):
        return Target(
            device_id=DeviceId(device),
            status=TargetStatus(status),
            created_at=created_at,
            started_at=started_at,
            ended_at=ended_at,
            answer=None if answer_status is None else MethodAnswer(answer_status, payload),
            error_code=error_code,
            error=error,
        )


def _work_values(work: JobWork) -> Values:
    if isinstance(work, TwinChange):
        return work._asdict()
    return {
        "name": work.name,
        "payload": work.payload.decode(),
        "response_timeout": work.response_timeout,
        "connect_timeout": work.connect_timeout,
    }


def _work_of(kind: str, values: Values) -> JobWork:
    if JobKind(kind) is JobKind.TWIN_UPDATE:
        return TwinChange(**values)
    return MethodCall(**{**values, "payload": values["payload"].encode()})


def _creator_of(text: str) -> Remembered:
    return Remembered(*json.loads(text))
