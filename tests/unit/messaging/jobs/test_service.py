"""Tests of messaging/jobs/service.py."""

import math
from typing import Any

import pytest
from tests.fakes.clock import START
from tests.fakes.grants import by_device, by_operator
from tests.fakes.jobs import CALL, KEYS, READ, TAG, WRITE, JobHub, by_back_end

from ironhub.access.model import Grant, Permission, PermissionDenied
from ironhub.core.bus import JobsChanged
from ironhub.core.errors import InvalidArgument, Unavailable
from ironhub.core.ids import identity
from ironhub.identity.model import Remembered
from ironhub.identity.sas import key_digest
from ironhub.messaging.jobs.model import (
    MAX_EXECUTION_TIME,
    JobExists,
    JobIdInvalid,
    JobKind,
    JobNotFound,
    JobOver,
    JobSettings,
    JobStatus,
    TargetStatus,
    TooManyActiveJobs,
    TooManyScheduledJobs,
    TwinChange,
)
from ironhub.messaging.methods.model import MethodCall
from ironhub.twins.model import TwinInvalid


@pytest.fixture
def hub() -> JobHub:
    return JobHub(JobSettings(max_active=2, max_scheduled=1))


async def test_a_job_begins_now_unless_its_time_is_to_come(hub: JobHub) -> None:
    now = await hub.create("now")
    past = await hub.create("past", starts_at=START - 9)
    later = await hub.create("later", starts_at=START + 9)
    assert [job.status for job in (now, past, later)] == [JobStatus.QUEUED, JobStatus.QUEUED, JobStatus.SCHEDULED]
    assert [job.starts_at for job in (now, past, later)] == [START, START, START + 9]
    assert hub.heard == [JobsChanged(None)] * 3
    assert await hub.service.get(READ, "later") == later


async def test_who_created_it_is_remembered_but_nothing_that_would_let_them_in(hub: JobHub) -> None:
    assert (await hub.create("a")).creator == Remembered("tester", by_policy=False)
    await hub.put_policy()
    job = await hub.create("b", grant=by_back_end())
    assert job.creator == Remembered("back-end", True, "", key_digest(KEYS.primary))


@pytest.mark.parametrize("job_id", ["", "a b", "ä", "a/b", "x" * 129, "query", "Query", "a\n", "\x00"])
async def test_an_id_that_cannot_be_is_refused(hub: JobHub, job_id: str) -> None:
    with pytest.raises(JobIdInvalid):
        await hub.create(job_id)
    with pytest.raises(JobNotFound):
        await hub.service.get(READ, job_id)
    with pytest.raises(JobNotFound):
        await hub.service.cancel(WRITE, job_id)


@pytest.mark.parametrize(
    ("error", "draft"),
    [
        (InvalidArgument, {"max_execution_time": 0.0}),
        (InvalidArgument, {"max_execution_time": MAX_EXECUTION_TIME + 1}),
        (InvalidArgument, {"max_execution_time": math.nan}),
        (InvalidArgument, {"condition": "SELECT * FROM devices"}),
        (InvalidArgument, {"condition": "a" * 8193}),
        (InvalidArgument, {"work": MethodCall(name="no spaces")}),
        (InvalidArgument, {"work": MethodCall(name="x", response_timeout=301.0)}),
        (TwinInvalid, {"work": TwinChange({"a.b": 1}, None)}),
        (TwinInvalid, {"work": TwinChange(None, {"a": float("nan")})}),
    ],
    ids=str,
)
async def test_what_could_never_be_done_is_refused_at_once(hub: JobHub, error: type[Exception], draft: Any) -> None:
    with pytest.raises(error):
        await hub.create(**draft)
    with pytest.raises(JobNotFound):
        await hub.job()


async def test_jobs_have_bounds(hub: JobHub) -> None:
    await hub.create("a")
    with pytest.raises(JobExists):
        await hub.create("a")
    await hub.create("b")
    with pytest.raises(TooManyActiveJobs):
        await hub.create("c")
    await hub.create("d", starts_at=START + 9)
    with pytest.raises(TooManyScheduledJobs):
        await hub.create("e", starts_at=START + 9)


async def test_jobs_are_listed_page_by_page(hub: JobHub) -> None:
    await hub.create("a")
    await hub.create("b", work=CALL)
    await hub.create("c", starts_at=START + 9)
    page = await hub.service.list(READ, limit=2)
    assert [job.job_id for job in page.items] == ["c", "b"]
    page = await hub.service.list(READ, limit=2, after=page.after)
    assert ([job.job_id for job in page.items], page.after) == (["a"], None)
    page = await hub.service.list(READ, kind=JobKind.METHOD)
    assert [job.job_id for job in page.items] == ["b"]
    page = await hub.service.list(READ, status=JobStatus.SCHEDULED)
    assert [job.job_id for job in page.items] == ["c"]
    for given in ({"after": "x"}, {"after": "-1"}, {"after": "²"}, {"limit": 0}, {"limit": 1001}):
        with pytest.raises(InvalidArgument):
            await hub.service.list(READ, **given)


async def test_a_job_is_cancelled_once_and_everybody_is_told(hub: JobHub) -> None:
    job = await hub.create()
    cancelled = await hub.service.cancel(WRITE, "j1")
    assert (cancelled.status, cancelled.ended_at) == (JobStatus.CANCELLED, START)
    assert hub.heard == [JobsChanged(None), JobsChanged(job.number)]
    with pytest.raises(JobOver):
        await hub.service.cancel(WRITE, "j1")
    with pytest.raises(JobNotFound):
        await hub.service.cancel(WRITE, "j2")


async def test_targets_are_read(hub: JobHub) -> None:
    await hub.register_many("a", "b")
    await hub.create()
    assert (await hub.service.targets(READ, "j1")).items == ()
    async with hub.running():
        await hub.ended()
    page = await hub.service.targets(READ, "j1", limit=1)
    assert ([target.device_id for target in page.items], page.after) == (["a"], "a")
    page = await hub.service.targets(READ, "j1", status=TargetStatus.SUCCEEDED, after="a")
    assert [target.device_id for target in page.items] == ["b"]
    with pytest.raises(JobNotFound):
        await hub.service.targets(READ, "j2")
    with pytest.raises(InvalidArgument):
        await hub.service.targets(READ, "j1", limit=0)


async def test_nobody_is_told_of_a_job_that_is_not_stored(hub: JobHub) -> None:
    hub.trouble.refusals = 1
    with pytest.raises(Unavailable):
        await hub.create()
    assert hub.heard == []


@pytest.mark.parametrize(
    "grant",
    [
        READ,
        by_operator(Permission.TWIN_WRITE),
        by_operator(Permission.JOB_WRITE, identity("press-7")),
        by_device(Permission.TWIN_REPORT, identity("press-7")),
    ],
    ids=["read", "other", "one device", "device"],
)
async def test_creating_and_cancelling_needs_a_grant_for_it_over_the_whole_hub(hub: JobHub, grant: Grant) -> None:
    await hub.create()
    with pytest.raises(PermissionDenied):
        await hub.create("j2", grant=grant)
    with pytest.raises(PermissionDenied):
        await hub.service.cancel(grant, "j1")


@pytest.mark.parametrize("grant", [WRITE, by_operator(Permission.JOB_READ, identity("press-7"))])
async def test_reading_needs_a_grant_for_it_over_the_whole_hub(hub: JobHub, grant: Grant) -> None:
    await hub.create()
    for reading in (
        hub.service.get(grant, "j1"),
        hub.service.list(grant),
        hub.service.targets(grant, "j1"),
    ):
        with pytest.raises(PermissionDenied):
            await reading


def test_a_token_for_one_device_creates_no_job() -> None:
    assert by_back_end().permission is Permission.JOB_WRITE
    with pytest.raises(PermissionDenied):
        by_back_end(scope="/devices/press-7")


async def test_the_work_is_the_same_as_given(hub: JobHub) -> None:
    assert (await hub.create()).work == TAG
    assert (await hub.create("j2", work=CALL)).kind is JobKind.METHOD
