"""Tests of messaging/jobs/model.py."""

from dataclasses import replace

import pytest

from ironhub.identity.model import Remembered
from ironhub.messaging.jobs.model import Job, JobIdInvalid, JobKind, JobStatus, TwinChange, check_job_id
from ironhub.messaging.methods.model import MethodCall

JOB = Job(
    job_id="j1",
    work=TwinChange(),
    condition="*",
    creator=Remembered("local", by_policy=False),
    created_at=1.0,
    starts_at=5.0,
    max_execution_time=60.0,
    status=JobStatus.SCHEDULED,
)


def test_the_work_says_of_which_kind_a_job_is() -> None:
    assert JOB.kind is JobKind.TWIN_UPDATE
    assert replace(JOB, work=MethodCall(name="reboot")).kind is JobKind.METHOD


def test_the_time_runs_from_the_start() -> None:
    assert JOB.deadline == 65.0
    assert replace(JOB, started_at=7.0).deadline == 67.0


@pytest.mark.parametrize("job_id", ["a", "A-1.b+%_#*?!(),:;=@$'", "x" * 128, "queries", "3f2504e0-4f89-41d3"])
def test_ids_that_can_be(job_id: str) -> None:
    assert check_job_id(job_id) == job_id


@pytest.mark.parametrize("job_id", ["", "x" * 129, "query", "QUERY", ".", "..", "a b", "a/b", "ä", "a\n"])
def test_ids_that_cannot_be(job_id: str) -> None:
    with pytest.raises(JobIdInvalid) as refusal:
        check_job_id(job_id)
    assert str(refusal.value).isascii()
