"""Tests of console/shapes/jobs.py."""

from dataclasses import replace

import pytest

from ironhub.console.shapes.jobs import JobDeviceGiven, JobGiven, NewJob
from ironhub.core.errors import InvalidArgument
from ironhub.core.ids import DeviceId
from ironhub.identity.model import Remembered
from ironhub.messaging.jobs.model import Job, JobCounts, JobDraft, JobStatus, Target, TargetStatus, TwinChange
from ironhub.messaging.methods.model import MethodAnswer, MethodCall

JOB = Job(
    number=7,
    job_id="j1",
    work=TwinChange({"a": 1}),
    condition="*",
    creator=Remembered("service", True, "", "secret-digest"),
    created_at=0.0,
    starts_at=1.5,
    max_execution_time=60.0,
    status=JobStatus.FAILED,
    started_at=2.0,
    ended_at=3.0,
    error_code="job.time_over",
    reason="late",
    counts=JobCounts(3, 0, 0, 1, 2, 0),
)


def test_a_twin_update_as_the_service_takes_it() -> None:
    taken = NewJob.model_validate(
        {
            "job_id": "j",
            "condition": "*",
            "twin_update": {"tags": {"a": None}, "if_match": "e"},
            "starts_at": "1970-01-01T00:00:05Z",
        }
    )
    assert taken.draft() == JobDraft(job_id="j", work=TwinChange({"a": None}, None, "e"), condition="*", starts_at=5.0)


def test_a_method_as_the_service_takes_it() -> None:
    taken = NewJob.model_validate({"job_id": "j", "condition": "*", "method": {"name": "reboot", "payload": [1]}})
    assert taken.draft().work == MethodCall(name="reboot", payload=b"[1]")


def test_one_thing_is_to_be_done() -> None:
    for work in ({}, {"method": {"name": "reboot"}, "twin_update": {}}):
        with pytest.raises(InvalidArgument):
            NewJob.model_validate({"job_id": "j", "condition": "*", **work}).draft()


def test_a_job_shows_how_it_ended_and_nothing_of_a_key() -> None:
    shown = JobGiven.of(JOB)
    assert (shown.ended_at, shown.error_code, shown.reason) == ("1970-01-01T00:00:03.000Z", "job.time_over", "late")
    assert shown.devices.model_dump() == JOB.counts._asdict()
    assert "digest" not in shown.model_dump_json()
    fresh = JobGiven.of(replace(JOB, started_at=None, ended_at=None, error_code="", reason=""))
    assert (fresh.started_at, fresh.ended_at, fresh.error_code, fresh.reason) == (None, None, None, None)


def test_a_device_shows_what_it_said_or_what_went_wrong() -> None:
    target = Target(device_id=DeviceId("d"), status=TargetStatus.SUCCEEDED, created_at=0.0)
    shown = JobDeviceGiven.of(replace(target, answer=MethodAnswer(207, b'{"a":1}')))
    assert (shown.answer_status, shown.answer_payload, shown.error_code) == (207, {"a": 1}, None)
    shown = JobDeviceGiven.of(replace(target, answer=MethodAnswer(200, b"")))
    assert (shown.answer_status, shown.answer_payload) == (200, None)
    shown = JobDeviceGiven.of(replace(target, status=TargetStatus.FAILED, error_code="x.y", error="no"))
    assert (shown.answer_status, shown.error_code, shown.error) == (None, "x.y", "no")
