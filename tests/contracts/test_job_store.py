"""The contract of messaging.jobs.ports.JobStore, against every implementation."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.stores import CREATED_AT, IMPLEMENTATIONS, PRESS, fact, facts_of, open_stores, register

from ironhub.core.facts import FactKind
from ironhub.core.ids import DeviceId
from ironhub.core.receipts import Receipt, ReceiptRefused
from ironhub.identity.model import Remembered
from ironhub.messaging.jobs.model import (
    Job,
    JobCounts,
    JobExists,
    JobKind,
    JobNotFound,
    JobOver,
    JobStatus,
    Result,
    TargetStatus,
    TooManyActiveJobs,
    TooManyScheduledJobs,
    TwinChange,
)
from ironhub.messaging.jobs.ports import JobStore
from ironhub.messaging.methods.model import MethodAnswer, MethodCall
from ironhub.storage.stores import Stores
from ironhub.twins.model import FIRST_VERSION, Twin, TwinVersionConflict

NOW = CREATED_AT
UPDATE = TwinChange({"site": {"hall": "Ä\u2028"}}, {"speed": None}, "*")
CALL = MethodCall(name="reboot", payload=b'{"in":3}', response_timeout=9.0, connect_timeout=1.5)
CREATOR = Remembered("service", True, "", "ab" * 32)
ROOM: dict[str, int] = {"max_active": 100, "max_scheduled": 100}


def draft(job_id: str = "j1", **more: Any) -> Job:
    """A job that is to begin now."""
    values: dict[str, Any] = {
        "job_id": job_id,
        "work": UPDATE,
        "condition": "tags.hall = 'b'",
        "creator": CREATOR,
        "created_at": NOW,
        "starts_at": NOW,
        "max_execution_time": 60.0,
        "status": JobStatus.QUEUED,
    }
    return Job(**(values | more))


def devices(*names: str) -> list[DeviceId]:
    return [DeviceId(name) for name in names]


@pytest.fixture(params=IMPLEMENTATIONS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with open_stores(request.param, tmp_path) as opened:
        yield opened


@pytest.fixture
def jobs(stores: Stores) -> JobStore:
    return stores.jobs


async def started(jobs: JobStore, *targets: str, job_id: str = "j1", **more: Any) -> int:
    """A job that runs, with targets; returns its number."""
    await jobs.add_job(draft(job_id, **more), **ROOM)
    (job,) = await jobs.start_jobs(now=NOW, limit=10)
    await jobs.add_targets(job.number, devices(*targets), at=NOW, walked_to=None, collected=True)
    return job.number


async def counts(jobs: JobStore, job_id: str = "j1") -> JobCounts:
    job = await jobs.get_job(job_id)
    assert job is not None
    return job.counts


async def statuses(jobs: JobStore, number: int) -> dict[str, str]:
    page = await jobs.list_targets(number, status=None, after=None, limit=1000)
    return {target.device_id: target.status.value for target in page.items}


@pytest.mark.parametrize("work", [UPDATE, CALL, TwinChange()], ids=["update", "call", "empty"])
async def test_a_job_comes_back_as_it_was_added(jobs: JobStore, work: Any) -> None:
    operator = Remembered("local", False)
    given = draft(work=work, creator=operator, starts_at=NOW + 5, status=JobStatus.SCHEDULED)
    added = await jobs.add_job(given, **ROOM)
    assert added == replace(given, number=added.number)
    assert await jobs.get_job("j1") == added
    assert await jobs.get_job("J1") is None
    other = await jobs.add_job(draft("J1"), **ROOM)
    assert other.number > added.number


async def test_an_id_is_taken_also_by_a_job_that_is_over(jobs: JobStore) -> None:
    await jobs.add_job(draft(), **ROOM)
    await jobs.end_job("j1", JobStatus.CANCELLED, at=NOW)
    with pytest.raises(JobExists):
        await jobs.add_job(draft(), **ROOM)


async def test_so_many_jobs_are_active_and_so_many_scheduled(jobs: JobStore) -> None:
    later: dict[str, Any] = {"starts_at": NOW + 9, "status": JobStatus.SCHEDULED}
    await jobs.add_job(draft("a"), max_active=2, max_scheduled=1)
    await jobs.start_jobs(now=NOW, limit=1)
    await jobs.add_job(draft("b"), max_active=2, max_scheduled=1)
    with pytest.raises(TooManyActiveJobs):
        await jobs.add_job(draft("c"), max_active=2, max_scheduled=1)
    await jobs.add_job(draft("d", **later), max_active=2, max_scheduled=1)
    with pytest.raises(TooManyScheduledJobs):
        await jobs.add_job(draft("e", **later), max_active=2, max_scheduled=1)
    await jobs.end_job("a", JobStatus.COMPLETED, at=NOW)
    await jobs.add_job(draft("c"), max_active=2, max_scheduled=1)
    await jobs.end_job("d", JobStatus.CANCELLED, at=NOW)
    await jobs.add_job(draft("e", **later), max_active=2, max_scheduled=1)


async def test_jobs_are_listed_newest_first_by_kind_and_status(jobs: JobStore) -> None:
    for number, work in enumerate((UPDATE, CALL, UPDATE, CALL)):
        await jobs.add_job(draft(f"j{number}", work=work), **ROOM)
    await jobs.end_job("j1", JobStatus.CANCELLED, at=NOW)

    async def listed(limit: int = 10, **asked: Any) -> list[str]:
        found: Sequence[Job] = await jobs.list_jobs(
            **({"kind": None, "status": None, "before": None} | asked), limit=limit
        )
        return [job.job_id for job in found]

    assert await listed() == ["j3", "j2", "j1", "j0"]
    assert await listed(kind=JobKind.METHOD) == ["j3", "j1"]
    assert await listed(status=JobStatus.QUEUED) == ["j3", "j2", "j0"]
    assert await listed(status=JobStatus.QUEUED, kind=JobKind.TWIN_UPDATE) == ["j2", "j0"]
    assert await listed(status=JobStatus.RUNNING) == []
    first, second = await jobs.list_jobs(kind=None, status=JobStatus.QUEUED, before=None, limit=2)
    assert (first.job_id, second.job_id) == ("j3", "j2")
    assert await listed(before=second.number) == ["j1", "j0"]
    assert await listed(before=second.number, status=JobStatus.QUEUED, limit=1) == ["j0"]


async def test_jobs_start_when_they_are_due_the_earliest_first_and_as_many_as_there_is_room(jobs: JobStore) -> None:
    assert await jobs.next_start() is None
    later: dict[str, Any] = {"status": JobStatus.SCHEDULED}
    await jobs.add_job(draft("c", starts_at=NOW + 3, **later), **ROOM)
    await jobs.add_job(draft("b", starts_at=NOW + 2, **later), **ROOM)
    await jobs.add_job(draft("a", starts_at=NOW), **ROOM)
    assert await jobs.next_start() == NOW
    (started,) = await jobs.start_jobs(now=NOW, limit=5)
    assert (started.job_id, started.status, started.started_at) == ("a", JobStatus.RUNNING, NOW)
    assert started.deadline == NOW + 60
    assert await jobs.next_start() == NOW + 2
    (started,) = await jobs.start_jobs(now=NOW + 4, limit=1)
    assert started.job_id == "b"
    (waiting,) = await jobs.list_jobs(kind=None, status=JobStatus.QUEUED, before=None, limit=5)
    assert waiting.job_id == "c"
    assert await jobs.start_jobs(now=NOW + 4, limit=0) == []
    assert [job.job_id for job in await jobs.running_jobs()] == ["b", "a"]
    assert [job.job_id for job in await jobs.start_jobs(now=NOW + 4, limit=1)] == ["c"]


async def test_targets_are_written_down_once_with_where_the_search_goes_on(jobs: JobStore) -> None:
    await jobs.add_job(draft(), **ROOM)
    (job,) = await jobs.start_jobs(now=NOW, limit=1)
    await jobs.add_targets(job.number, devices("b", "a"), at=NOW, walked_to="b", collected=False)
    await jobs.add_targets(job.number, devices("b", "c"), at=NOW, walked_to=None, collected=True)
    found = await jobs.get_job("j1")
    assert found is not None
    assert (found.counts, found.walked_to, found.collected) == (JobCounts(3, 3), None, True)
    assert await statuses(jobs, job.number) == dict.fromkeys("abc", "pending")


async def test_targets_begin_in_order_and_end_once(jobs: JobStore) -> None:
    number = await started(jobs, "c", "a", "b")
    assert await jobs.begin_targets(number, at=NOW + 1, limit=2) == ["a", "b"]
    assert await counts(jobs) == JobCounts(total=3, pending=1, running=2)
    answer = MethodAnswer(207, b'{"ok":1}')
    good = Result(DeviceId("a"), TargetStatus.SUCCEEDED, answer)
    bad = Result(DeviceId("b"), TargetStatus.FAILED, None, "method.timeout", "too slow")
    await jobs.finish_targets(number, [good, bad], at=NOW + 2)
    await jobs.finish_targets(number, [bad._replace(device_id=DeviceId("a")), good], at=NOW + 3)  # both have ended
    await jobs.finish_targets(number, [Result(DeviceId("c"), TargetStatus.FAILED)], at=NOW + 3)  # has not begun
    assert await counts(jobs) == JobCounts(total=3, pending=1, succeeded=1, failed=1)
    first, second, third = (await jobs.list_targets(number, status=None, after=None, limit=9)).items
    assert (first.status, first.answer, first.started_at, first.ended_at) == (
        TargetStatus.SUCCEEDED,
        answer,
        NOW + 1,
        NOW + 2,
    )
    assert (second.status, second.answer, second.error_code, second.error) == (
        TargetStatus.FAILED,
        None,
        "method.timeout",
        "too slow",
    )
    assert (third.status, third.started_at, third.ended_at) == (TargetStatus.PENDING, None, None)
    assert await jobs.begin_targets(number, at=NOW, limit=2) == ["c"]
    assert await jobs.begin_targets(number, at=NOW, limit=2) == []


async def test_an_answer_whose_payload_was_not_kept_comes_back_without_one(jobs: JobStore) -> None:
    number = await started(jobs, "a")
    await jobs.begin_targets(number, at=NOW, limit=1)
    await jobs.finish_targets(number, [Result(DeviceId("a"), TargetStatus.SUCCEEDED, MethodAnswer(200, b""))], at=NOW)
    (target,) = (await jobs.list_targets(number, status=None, after=None, limit=9)).items
    assert target.answer == MethodAnswer(200, b"")


async def test_targets_are_listed_page_by_page_and_by_status(jobs: JobStore) -> None:
    number = await started(jobs, *"abcde")
    await jobs.begin_targets(number, at=NOW, limit=2)
    page = await jobs.list_targets(number, status=None, after=None, limit=2)
    assert ([each.device_id for each in page.items], page.after) == (["a", "b"], "b")
    page = await jobs.list_targets(number, status=None, after="b", limit=3)
    assert ([each.device_id for each in page.items], page.after) == (["c", "d", "e"], None)
    page = await jobs.list_targets(number, status=TargetStatus.PENDING, after="c", limit=9)
    assert [each.device_id for each in page.items] == ["d", "e"]
    assert (await jobs.list_targets(number + 1, status=None, after=None, limit=9)).items == ()


async def test_whose_end_nobody_knows_fails_or_begins_again(jobs: JobStore) -> None:
    number = await started(jobs, *"abc")
    await jobs.begin_targets(number, at=NOW, limit=1)
    await jobs.recover_targets(number, at=NOW, error=None)
    assert await counts(jobs) == JobCounts(total=3, pending=3)
    await jobs.begin_targets(number, at=NOW, limit=2)
    await jobs.recover_targets(number, at=NOW + 1, error=("job.outcome_unknown", "who knows"))
    assert await counts(jobs) == JobCounts(total=3, pending=1, failed=2)
    target = (await jobs.list_targets(number, status=TargetStatus.FAILED, after=None, limit=9)).items[0]
    assert (target.error_code, target.error, target.ended_at) == ("job.outcome_unknown", "who knows", NOW + 1)


async def test_a_job_ends_once_and_nothing_begins_in_it(jobs: JobStore) -> None:
    number = await started(jobs, *"ab")
    await jobs.begin_targets(number, at=NOW, limit=1)
    ended = await jobs.end_job("j1", JobStatus.FAILED, at=NOW + 7, error=("job.time_over", "late"))
    assert (ended.status, ended.ended_at, ended.error_code, ended.reason) == (
        JobStatus.FAILED,
        NOW + 7,
        "job.time_over",
        "late",
    )
    with pytest.raises(JobOver):
        await jobs.end_job("j1", JobStatus.CANCELLED, at=NOW)
    with pytest.raises(JobNotFound):
        await jobs.end_job("nobody", JobStatus.CANCELLED, at=NOW)
    assert await jobs.begin_targets(number, at=NOW, limit=5) == []
    await jobs.add_targets(number, devices("z"), at=NOW, walked_to=None, collected=True)
    assert await statuses(jobs, number) == {"a": "running", "b": "pending"}
    assert await jobs.get_job("j1") == ended
    assert await jobs.running_jobs() == []


async def test_a_job_that_has_not_started_never_starts_once_it_has_ended(jobs: JobStore) -> None:
    await jobs.add_job(draft(), **ROOM)
    await jobs.end_job("j1", JobStatus.CANCELLED, at=NOW)
    assert await jobs.next_start() is None
    assert await jobs.start_jobs(now=NOW + 9, limit=9) == []


@pytest.mark.parametrize(
    ("status", "fate", "error"),
    [(JobStatus.CANCELLED, "cancelled", ("", "")), (JobStatus.FAILED, "failed", ("job.time_over", "late"))],
)
async def test_targets_share_the_end_of_their_job_step_by_step(
    jobs: JobStore, status: JobStatus, fate: str, error: tuple[str, str]
) -> None:
    assert not await jobs.settle_targets(at=NOW, limit=2)
    number = await started(jobs, *"abcde")
    await jobs.begin_targets(number, at=NOW, limit=2)
    await jobs.finish_targets(number, [Result(DeviceId("a"), TargetStatus.SUCCEEDED)], at=NOW)
    assert not await jobs.settle_targets(at=NOW, limit=2)
    await jobs.end_job("j1", status, at=NOW + 1, error=error)
    assert await jobs.settle_targets(at=NOW + 2, limit=2)
    assert await statuses(jobs, number) == {"a": "succeeded", "b": fate, "c": fate, "d": "pending", "e": "pending"}
    while await jobs.settle_targets(at=NOW + 2, limit=2):
        pass
    assert await counts(jobs) == JobCounts(**{"total": 5, "succeeded": 1, fate: 4})
    target = (await jobs.list_targets(number, status=None, after="d", limit=9)).items[0]
    assert (target.error_code, target.error) == error
    assert target.ended_at == NOW + 2


async def test_jobs_are_forgotten_step_by_step_the_oldest_first(jobs: JobStore) -> None:
    number = await started(jobs, *"abc")
    await jobs.end_job("j1", JobStatus.COMPLETED, at=NOW + 1)
    await started(jobs, *"a", job_id="j2")
    await jobs.end_job("j2", JobStatus.COMPLETED, at=NOW + 5)
    await started(jobs, *"a", job_id="j3")
    assert not await jobs.forget_jobs(ended_before=NOW + 1, limit=2)
    assert await jobs.forget_jobs(ended_before=NOW + 5, limit=2)
    assert list(await statuses(jobs, number)) == ["c"]
    assert await jobs.forget_jobs(ended_before=NOW + 5, limit=2)
    assert await jobs.get_job("j1") is None
    assert not await jobs.forget_jobs(ended_before=NOW + 5, limit=2)
    assert await jobs.get_job("j2") is not None
    assert await jobs.get_job("j3") is not None


async def test_a_twin_changes_once_for_each_receipt_and_the_target_with_it(stores: Stores) -> None:
    await register(stores, PRESS)
    jobs = stores.jobs
    number = await started(jobs, PRESS.device_id)
    receipt = Receipt(number, PRESS.device_id, NOW + 1)
    told = fact(FactKind.TWIN_UPDATED)

    async def put(version: int) -> None:
        new = Twin(PRESS, version + 1, tags={"n": version})
        await stores.twins.put_twin(new, replacing=version, facts=[told], receipt=receipt)

    with pytest.raises(ReceiptRefused):  # it has not begun
        await put(FIRST_VERSION)
    await jobs.begin_targets(number, at=NOW, limit=1)
    with pytest.raises(TwinVersionConflict):
        await put(FIRST_VERSION + 7)
    assert await counts(jobs) == JobCounts(total=1, running=1)
    await put(FIRST_VERSION)
    assert await counts(jobs) == JobCounts(total=1, succeeded=1)
    with pytest.raises(ReceiptRefused):
        await put(FIRST_VERSION + 1)
    twin = await stores.twins.get_twin(PRESS)
    assert twin is not None
    assert twin.version == FIRST_VERSION + 1
    assert await facts_of(stores) == [told]
    (target,) = (await jobs.list_targets(number, status=None, after=None, limit=9)).items
    assert (target.status, target.ended_at) == (TargetStatus.SUCCEEDED, NOW + 1)


async def test_a_job_that_has_ended_changes_no_twin(stores: Stores) -> None:
    await register(stores, PRESS)
    number = await started(stores.jobs, PRESS.device_id)
    await stores.jobs.begin_targets(number, at=NOW, limit=1)
    await stores.jobs.end_job("j1", JobStatus.CANCELLED, at=NOW)
    with pytest.raises(ReceiptRefused):
        await stores.twins.put_twin(
            Twin(PRESS, 3, tags={"n": 1}),
            replacing=FIRST_VERSION,
            receipt=Receipt(number, PRESS.device_id, NOW),
        )
    twin = await stores.twins.get_twin(PRESS)
    assert twin is not None
    assert twin.tags == {}
