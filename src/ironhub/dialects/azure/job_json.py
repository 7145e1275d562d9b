"""Scheduled jobs over REST: request, response, and the words for kinds and statuses.

Source: azure "Schedule jobs on multiple devices"; what the vendor's SDKs send (a full twin as `updateTwin`, null for
what was not given) and read.
"""

from typing import Any, Final

from ironhub.core.errors import InvalidArgument
from ironhub.core.strict_json import decode_json, decode_json_object, encode_json
from ironhub.dialects.azure.if_match import decode_if_match
from ironhub.dialects.azure.method_json import decode_method_call
from ironhub.dialects.azure.payloads import MAX_TWIN_DEPTH
from ironhub.dialects.azure.timestamps import decode_instant, instant
from ironhub.dialects.azure.twin_json import decode_twin_wish
from ironhub.messaging.jobs.model import (
    DEFAULT_EXECUTION_TIME,
    Job,
    JobCounts,
    JobDraft,
    JobKind,
    JobStatus,
    JobWork,
    TwinChange,
)
from ironhub.messaging.methods.model import MethodCall

ITEM_TYPE: Final = "jobResponse"
"""What a list of jobs says that it holds."""
KIND_NAMES: Final = {JobKind.TWIN_UPDATE: "scheduleUpdateTwin", JobKind.METHOD: "scheduleDeviceMethod"}
STATUS_NAMES: Final = {status: status.value for status in JobStatus}
_KINDS: Final = {
    "scheduleupdatetwin": JobKind.TWIN_UPDATE,
    "scheduletwinupdate": JobKind.TWIN_UPDATE,  # as the vendor's examples of queries call it
    "scheduledevicemethod": JobKind.METHOD,
}
_STATUSES: Final = {**{status.value: status for status in JobStatus}, "enqueued": JobStatus.QUEUED}


def decode_job(data: bytes, job_id: str) -> JobDraft:
    """Return the job that the body of a PUT to `job_id` asks for.

    A twin update must say which twin it replaces (`etag`, usually "*"), and a job for whom it is: nobody changes all
    devices by leaving something out.

    Raises:
        JsonInvalid, InvalidArgument, TimestampInvalid.
    """
    body = decode_json_object(data, max_depth=MAX_TWIN_DEPTH + 1)
    if body.get("jobId") not in (None, job_id):
        raise InvalidArgument("jobId is another than the one in the address")
    condition = body.get("queryCondition")
    if not isinstance(condition, str) or not condition.strip():
        raise InvalidArgument("queryCondition is missing: give what stands after WHERE, or * for all devices")
    return JobDraft(
        job_id=job_id,
        work=_work(body),
        condition=condition,
        starts_at=_start(body),
        max_execution_time=_seconds(body),
    )


def encode_job(job: Job) -> dict[str, Any]:
    """Return the job as back ends see it."""
    shown: dict[str, Any] = {
        "jobId": job.job_id,
        "queryCondition": job.condition,
        "createdTime": instant(job.created_at),
        "startTime": instant(job.starts_at),
        "maxExecutionTimeInSeconds": int(job.max_execution_time),
        "type": KIND_NAMES[job.kind],
        **_encode_work(job.work),
        "status": STATUS_NAMES[job.status],
        "deviceJobStatistics": _statistics(job.counts),
    }
    if job.ended_at is not None:
        shown["endTime"] = instant(job.ended_at)
    if job.status is JobStatus.FAILED:
        shown |= {"failureReason": job.reason, "statusMessage": job.reason}
    return shown


def decode_kind(text: str) -> JobKind | None:
    """Return the kind of job that a list is asked for, or None: one that there are no jobs of here."""
    return _KINDS.get(text.lower())


def decode_status(text: str) -> JobStatus | None:
    """Return the status that a list is asked for, or None: one that no job has here."""
    return _STATUSES.get(text.lower())


def _work(body: dict[str, Any]) -> JobWork:
    kind = body.get("type")
    match decode_kind(kind) if isinstance(kind, str) else None:
        case JobKind.TWIN_UPDATE:
            return _twin_change(_object(body, "updateTwin"))
        case JobKind.METHOD:
            return decode_method_call(encode_json(_object(body, "cloudToDeviceMethod")))
    raise InvalidArgument(f"type must be one of {', '.join(KIND_NAMES.values())}")


def _twin_change(twin: dict[str, Any]) -> TwinChange:
    etag = twin.get("etag")
    if not isinstance(etag, str) or not etag:
        raise InvalidArgument("updateTwin.etag is missing: give the etag that each twin must have, or * for any")
    wish = decode_twin_wish(encode_json(twin))
    return TwinChange(wish.tags, wish.desired, decode_if_match(etag))


def _encode_work(work: JobWork) -> dict[str, Any]:
    if isinstance(work, MethodCall):
        method = {
            "methodName": work.name,
            "payload": decode_json(work.payload),
            "responseTimeoutInSeconds": int(work.response_timeout),
            "connectTimeoutInSeconds": int(work.connect_timeout),
        }
        return {"cloudToDeviceMethod": method}
    twin: dict[str, Any] = {"etag": work.if_match or "*"}
    if work.tags is not None:
        twin["tags"] = work.tags
    if work.desired is not None:
        twin["properties"] = {"desired": work.desired}
    return {"updateTwin": twin}


def _statistics(counts: JobCounts) -> dict[str, int]:
    return {
        "deviceCount": counts.total,
        "failedCount": counts.failed,
        "succeededCount": counts.succeeded,
        "runningCount": counts.running,
        "pendingCount": counts.pending,
    }


def _object(body: dict[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    if not isinstance(value, dict):
        raise InvalidArgument(f"{name} is missing or no JSON object")
    return value


def _start(body: dict[str, Any]) -> float | None:
    value = body.get("startTime")
    if value in (None, ""):
        return None
    if not isinstance(value, str):
        raise InvalidArgument("startTime must be an instant as text")
    return decode_instant(value)


def _seconds(body: dict[str, Any]) -> float:
    value = body.get("maxExecutionTimeInSeconds")
    if value is None:
        return DEFAULT_EXECUTION_TIME
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        raise InvalidArgument("maxExecutionTimeInSeconds must be a number of seconds above 0")
    return float(value)
