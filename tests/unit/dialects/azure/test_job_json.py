"""Tests of dialects/azure/job_json.py."""

from dataclasses import replace
from typing import Any

import pytest

from ironhub.core.errors import HubError, InvalidArgument
from ironhub.core.strict_json import JsonInvalid, encode_json
from ironhub.dialects.azure.job_json import decode_job, decode_kind, decode_status, encode_job
from ironhub.dialects.azure.timestamps import TimestampInvalid
from ironhub.identity.model import Remembered
from ironhub.messaging.jobs.model import Job, JobCounts, JobDraft, JobKind, JobStatus, TwinChange
from ironhub.messaging.methods.model import MethodCall

NODE_METHOD = {
    "jobId": "j1",
    "type": "scheduleDeviceMethod",
    "cloudToDeviceMethod": {"methodName": "reboot", "payload": None, "responseTimeoutInSeconds": 30},
    "startTime": "2026-05-28T20:26:40.000Z",
    "maxExecutionTimeInSeconds": 3600,
    "queryCondition": "deviceId IN ['a']",
}
PYTHON_TWIN = {
    "jobId": "j1",
    "type": "scheduleUpdateTwin",
    "updateTwin": {"etag": "*", "tags": {"a": 1}, "properties": {"desired": {"b": None}}},
    "queryCondition": "*",
    "startTime": "2026-05-28T20:26:40.000000Z",
    "maxExecutionTimeInSeconds": 60,
}
JOB = Job(
    number=7,
    job_id="j1",
    work=TwinChange({"a": 1}, {"b": None}, "*"),
    condition="*",
    creator=Remembered("service", True, "", "secret-digest"),
    created_at=0.0,
    starts_at=1.5,
    max_execution_time=60.0,
    status=JobStatus.RUNNING,
    started_at=2.0,
    counts=JobCounts(6, 1, 2, 3, 0, 0),
)


def decoded(body: dict[str, Any], job_id: str = "j1") -> JobDraft:
    return decode_job(encode_json(body), job_id)


def test_what_node_sends_for_a_method() -> None:
    assert decoded(NODE_METHOD) == JobDraft(
        job_id="j1",
        work=MethodCall(name="reboot", payload=b"null", response_timeout=30.0, connect_timeout=0.0),
        condition="deviceId IN ['a']",
        starts_at=1_780_000_000.0,
        max_execution_time=3600.0,
    )


def test_what_python_sends_for_a_twin() -> None:
    draft = decoded(PYTHON_TWIN)
    assert draft.work == TwinChange({"a": 1}, {"b": None}, "*")
    assert (draft.starts_at, draft.max_execution_time) == (1_780_000_000.0, 60.0)


@pytest.mark.parametrize("absent", [{}, {"startTime": None, "maxExecutionTimeInSeconds": None}, {"startTime": ""}])
def test_what_is_left_out_means_now_and_an_hour(absent: dict[str, Any]) -> None:
    body = {name: PYTHON_TWIN[name] for name in ("type", "updateTwin", "queryCondition")}
    draft = decoded({**body, **absent})
    assert (draft.starts_at, draft.max_execution_time) == (None, 3600.0)


@pytest.mark.parametrize(
    ("error", "changed"),
    [
        (InvalidArgument, {"jobId": "j2"}),
        (InvalidArgument, {"type": "export"}),
        (InvalidArgument, {"type": None}),
        (InvalidArgument, {"type": 7}),
        (InvalidArgument, {"queryCondition": None}),
        (InvalidArgument, {"queryCondition": " "}),
        (InvalidArgument, {"queryCondition": ["*"]}),
        (InvalidArgument, {"updateTwin": None}),
        (InvalidArgument, {"updateTwin": []}),
        (InvalidArgument, {"updateTwin": {"tags": {}}}),
        (InvalidArgument, {"updateTwin": {"etag": ""}}),
        (InvalidArgument, {"updateTwin": {"etag": 1}}),
        (InvalidArgument, {"updateTwin": {"etag": "*", "tags": 1}}),
        (TimestampInvalid, {"startTime": "soon"}),
        (InvalidArgument, {"startTime": 7}),
        (InvalidArgument, {"maxExecutionTimeInSeconds": 0}),
        (InvalidArgument, {"maxExecutionTimeInSeconds": -1}),
        (InvalidArgument, {"maxExecutionTimeInSeconds": True}),
        (InvalidArgument, {"maxExecutionTimeInSeconds": "60"}),
        (InvalidArgument, {"maxExecutionTimeInSeconds": 1e9}),
        (InvalidArgument, {"type": "scheduleDeviceMethod"}),
        (InvalidArgument, {"type": "scheduleDeviceMethod", "cloudToDeviceMethod": {}}),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(error: type[HubError], changed: dict[str, Any]) -> None:
    with pytest.raises(error):
        decoded({**PYTHON_TWIN, **changed})


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 5000])
def test_a_body_is_one_object(body: bytes) -> None:
    with pytest.raises(JsonInvalid):
        decode_job(body, "j1")


def test_a_job_shows_everything_but_who_created_it() -> None:
    shown = encode_job(JOB)
    assert shown == {
        "jobId": "j1",
        "queryCondition": "*",
        "createdTime": "1970-01-01T00:00:00.0000000Z",
        "startTime": "1970-01-01T00:00:01.5000000Z",
        "maxExecutionTimeInSeconds": 60,
        "type": "scheduleUpdateTwin",
        "updateTwin": {"etag": "*", "tags": {"a": 1}, "properties": {"desired": {"b": None}}},
        "status": "running",
        "deviceJobStatistics": {
            "deviceCount": 6,
            "pendingCount": 1,
            "runningCount": 2,
            "succeededCount": 3,
            "failedCount": 0,
        },
    }
    assert "digest" not in str(shown)


def test_a_job_that_failed_says_why() -> None:
    failed = replace(JOB, status=JobStatus.FAILED, ended_at=3.0, error_code="job.time_over", reason="late")
    shown = encode_job(failed)
    assert (shown["status"], shown["endTime"]) == ("failed", "1970-01-01T00:00:03.0000000Z")
    assert (shown["failureReason"], shown["statusMessage"]) == ("late", "late")


def test_a_method_is_shown_as_it_was_given() -> None:
    work = MethodCall(name="reboot", payload=b'{"a":[1]}', response_timeout=9.0, connect_timeout=5.0)
    assert encode_job(replace(JOB, work=work))["cloudToDeviceMethod"] == {
        "methodName": "reboot",
        "payload": {"a": [1]},
        "responseTimeoutInSeconds": 9,
        "connectTimeoutInSeconds": 5,
    }


def test_a_twin_update_that_leaves_sections_out_shows_none() -> None:
    assert encode_job(replace(JOB, work=TwinChange()))["updateTwin"] == {"etag": "*"}


def test_kinds_and_statuses_are_known_by_the_vendors_names() -> None:
    assert decode_kind("scheduleTwinUpdate") is decode_kind("SCHEDULEUPDATETWIN") is JobKind.TWIN_UPDATE
    assert decode_kind("scheduleDeviceMethod") is JobKind.METHOD
    assert decode_kind("import") is None
    assert decode_status("Enqueued") is decode_status("queued") is JobStatus.QUEUED
    assert decode_status("unknown") is None
