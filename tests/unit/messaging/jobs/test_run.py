"""Tests of messaging/jobs/run.py: one job, whatever happens to it on its way."""

import asyncio
from typing import Any

import pytest
from tests.fakes.grants import by_device
from tests.fakes.jobs import CALL, JobHub, by_back_end
from tests.fakes.trouble import settle, until

from ironhub.access.model import Permission
from ironhub.core.bus import PolicyChanged
from ironhub.core.errors import InvalidArgument, Unavailable
from ironhub.core.ids import Identity, identity
from ironhub.core.pages import Page
from ironhub.identity.model import Right, SymmetricKeys
from ironhub.messaging.jobs import run
from ironhub.messaging.jobs.model import JobCounts, JobSettings, JobStatus, TwinChange
from ironhub.messaging.methods.model import MethodAnswer, MethodCall

NAMES = [f"d{number:03d}" for number in range(30)]
OTHER_KEYS = SymmetricKeys(b"q" * 32, b"r" * 32)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried again is tried again at once."""
    monkeypatch.setattr(run, "RETRY_AFTER", 0.0)


@pytest.fixture
async def hub() -> JobHub:
    hub = JobHub(JobSettings(concurrency=4, max_answer=10, reconnect_grace=5.0))
    await hub.register_many(*NAMES)
    return hub


async def test_every_device_that_is_meant_has_its_twin_changed_once(hub: JobHub) -> None:
    await hub.create(condition="|".join(NAMES[3:9]))
    async with hub.running():
        job = await hub.ended()
    assert job.counts == JobCounts(total=6, succeeded=6)
    assert await hub.tagged() == NAMES[3:9]


async def test_a_job_that_nobody_is_meant_by_is_completed(hub: JobHub) -> None:
    await hub.create(condition="nobody")
    async with hub.running():
        assert (await hub.ended()).counts == JobCounts()


async def test_devices_are_searched_for_page_by_page(hub: JobHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "TARGETS_AT_ONCE", 7)
    await hub.create()
    async with hub.running():
        assert (await hub.ended()).counts == JobCounts(total=30, succeeded=30)
    assert hub.conditions.pages == 5
    assert await hub.tagged() == NAMES


async def test_no_more_devices_are_at_work_than_there_may_be(hub: JobHub) -> None:
    sessions = [hub.connect(name, lambda name: None) for name in NAMES]
    await hub.create(work=CALL)
    async with hub.running():
        await until(lambda: sum(len(session.calls) for session in sessions) == 4)
        await settle()
        assert sum(len(session.calls) for session in sessions) == 4
        assert (await hub.job()).counts == JobCounts(total=30, pending=26, running=4)


async def test_answers_are_kept_with_the_devices_own_status(hub: JobHub) -> None:
    hub.connect("d000", lambda name: MethodAnswer(207, b'{"a": 1}'))
    hub.connect("d001", lambda name: MethodAnswer(500, b'"' + b"x" * 20 + b'"'))
    hub.connect("d002", lambda name: MethodAnswer(200, b"no json"))
    await hub.create(work=CALL, condition="d000|d001|d002|d003|gone")
    async with hub.running():
        await hub.ended()
    targets = (await hub.stores.jobs.list_targets(1, status=None, after=None, limit=9)).items
    assert [target.answer for target in targets] == [
        MethodAnswer(207, b'{"a": 1}'),
        MethodAnswer(500, b""),  # too long to be kept
        None,
        None,
    ]
    assert await hub.fates() == {
        "d000": ("succeeded", ""),
        "d001": ("succeeded", ""),
        "d002": ("failed", "method.answer_invalid"),
        "d003": ("failed", "method.device_not_online"),
    }


async def test_what_one_twin_refuses_is_that_devices_failure_alone(hub: JobHub) -> None:
    await hub.create(work=TwinChange({"a": 1}, None, "AAAAAAAAAAE="), condition="d000|d001")
    async with hub.running():
        await hub.ended()
    await hub.create("j2", work=TwinChange({"a": 2}, None, "AAAAAAAAAAE="), condition="d001|d002")
    async with hub.running():
        await hub.ended("j2")
    assert await hub.fates("j2") == {"d001": ("failed", "twin.version_conflict"), "d002": ("succeeded", "")}


async def test_a_device_that_is_gone_when_its_turn_comes_fails(hub: JobHub, monkeypatch: pytest.MonkeyPatch) -> None:
    async def everybody(condition: str, *, after: str | None, limit: int) -> Page[object]:
        return Page((identity("d000"), identity("gone")), None)

    monkeypatch.setattr(hub.conditions, "matching", everybody)
    await hub.create()
    async with hub.running():
        await hub.ended()
    assert await hub.fates() == {"d000": ("succeeded", ""), "gone": ("failed", "twin.not_found")}


async def test_a_bug_is_the_failure_of_one_device(hub: JobHub, monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks(*arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(hub.methods, "invoke", breaks)
    await hub.create(work=CALL, condition="d000")
    async with hub.running():
        await hub.ended()
    assert await hub.fates() == {"d000": ("failed", "hub.error")}


async def test_a_condition_that_cannot_be_followed_fails_the_job(hub: JobHub, monkeypatch: pytest.MonkeyPatch) -> None:
    await hub.create()
    failures: list[Exception] = [InvalidArgument("it takes too long"), ZeroDivisionError()]
    for failure, code in zip(failures, ("argument.invalid", "hub.error"), strict=True):

        async def fails(condition: str, *, after: str | None, limit: int, failure: Exception = failure) -> None:
            raise failure

        monkeypatch.setattr(hub.conditions, "matching", fails)
        await hub.create(code)
        async with hub.running():
            job = await hub.ended(code, JobStatus.FAILED)
        assert job.error_code == code
        assert job.reason


# Time


async def test_a_job_whose_time_is_over_fails_and_its_devices_with_it(hub: JobHub) -> None:
    hub.connect("d000", lambda name: None)
    await hub.create(work=MethodCall(name="slow", connect_timeout=300.0), max_execution_time=0.05)
    async with hub.running():
        job = await hub.ended(status=JobStatus.FAILED)
    assert job.error_code == "job.time_over"
    assert "time was over" in job.reason
    assert not hub.methods._calls


async def test_the_time_goes_on_while_the_hub_is_stopped(hub: JobHub) -> None:
    hub.connect("d000", lambda name: None)
    await hub.create(work=MethodCall(name="slow", response_timeout=300.0), condition="d000", max_execution_time=60.0)
    async with hub.running():
        await until(lambda: hub.methods._calls)
    hub.clock.advance(61.0)
    async with hub.running():
        job = await hub.ended(status=JobStatus.FAILED)
    assert job.error_code == "job.time_over"


# Stops


async def test_after_a_stop_no_device_is_called_again_and_the_others_have_their_turn(hub: JobHub) -> None:
    silent = [hub.connect(name, lambda name: None) for name in NAMES[:4]]
    others = [hub.connect(name) for name in NAMES[4:]]
    await hub.create(work=CALL)
    async with hub.running():
        await until(lambda: all(session.calls for session in silent))
    assert (await hub.job()).counts == JobCounts(total=30, pending=26, running=4)
    async with hub.running():
        job = await hub.ended()
    assert job.counts == JobCounts(total=30, succeeded=26, failed=4)
    assert [len(session.calls) for session in (*silent, *others)] == [1] * 30
    fates = await hub.fates()
    assert [fates[name] for name in NAMES[:4]] == [("failed", "job.outcome_unknown")] * 4


async def test_after_a_stop_twins_are_changed_that_were_not_and_no_other(hub: JobHub) -> None:
    hub.trouble.only = frozenset({"put_twin"})
    await hub.create()
    async with hub.running():
        await until(lambda: "put_twin" in hub.trouble.calls)
        hub.trouble.stick()
        await until(lambda: hub.trouble.calls.count("put_twin") > 4)
        await settle()
    hub.trouble.unstick()  # what was under way is still stored, as on a disk that was slow
    await settle()
    async with hub.running():
        job = await hub.ended()
    assert job.counts == JobCounts(total=30, succeeded=30)
    assert await hub.tagged() == NAMES


async def test_a_search_goes_on_where_it_stopped(hub: JobHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "TARGETS_AT_ONCE", 7)
    matching = hub.conditions.matching
    asked: list[str | None] = []

    async def stuck_at_the_third(condition: str, *, after: str | None, limit: int) -> Page[Identity]:
        asked.append(after)
        if len(asked) == 3:
            await asyncio.Event().wait()
        return await matching(condition, after=after, limit=limit)

    monkeypatch.setattr(hub.conditions, "matching", stuck_at_the_third)
    await hub.create()
    async with hub.running():
        await until(lambda: len(asked) == 3)
    assert (await hub.job()).counts == JobCounts(total=14, pending=14)
    async with hub.running():
        assert (await hub.ended()).counts == JobCounts(total=30, succeeded=30)
    assert asked == [None, "d006", "d013", "d013", "d020", "d027"]


async def test_devices_that_are_on_their_way_back_are_waited_for_by_older_jobs_only(hub: JobHub) -> None:
    hub.connect("d000", lambda name: None)
    await hub.create(work=CALL, condition="d000|d001|d002")
    hub.clock.advance(1.0)
    async with hub.running():
        await until(lambda: len(hub.methods._calls) == 3)
        back = hub.connect("d002")
        await until(lambda: back.calls)
        hub.clock.advance(1.0)
        await hub.create("new", work=CALL, condition="d005")
        await hub.ended("new")
    assert await hub.fates("new") == {"d005": ("failed", "method.device_not_online")}


async def test_a_disk_that_refuses_for_a_while_fails_nothing(hub: JobHub) -> None:
    await hub.create()
    async with hub.running():
        for _ in range(40):
            hub.trouble.refusals = 3
            await asyncio.sleep(0)
        hub.trouble.refusals = 0
        job = await hub.ended()
    assert job.counts == JobCounts(total=30, succeeded=30)
    assert await hub.tagged() == NAMES


async def test_a_change_whose_answer_was_lost_is_not_made_again(hub: JobHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk took it and the store failed all the same."""
    put_twin = hub.stores.twins.put_twin
    lost = 0

    async def stores_and_fails(*arguments: Any, **more: Any) -> None:
        nonlocal lost
        await put_twin(*arguments, **more)
        lost += 1
        raise Unavailable("the disk is gone")

    monkeypatch.setattr(hub.stores.twins, "put_twin", stores_and_fails)
    await hub.create()
    async with hub.running():
        job = await hub.ended()
    assert lost == 30
    assert job.counts == JobCounts(total=30, succeeded=30)
    assert await hub.tagged() == NAMES


# Ends


async def test_a_job_that_another_ended_stays_as_it_ended(hub: JobHub) -> None:
    session = hub.connect("d000", lambda name: None)
    await hub.create(work=CALL, condition="d000")
    async with hub.running() as runner:
        await until(lambda: session.calls)
        await hub.stores.jobs.end_job("j1", JobStatus.CANCELLED, at=0.0)  # and nobody here is told
        grant = by_device(Permission.METHOD_ANSWER, identity("d000"))
        hub.methods.answer(grant, session.calls[0].request_id, MethodAnswer(200, b"null"))
        await until(lambda: not runner.running)
    assert (await hub.job()).status is JobStatus.CANCELLED


async def test_a_cancelled_job_begins_nothing_more_and_hangs_up(hub: JobHub) -> None:
    sessions = [hub.connect(name, lambda name: None) for name in NAMES]
    await hub.create(work=CALL)
    async with hub.running() as runner:
        await until(lambda: len(hub.methods._calls) == 4)
        await hub.service.cancel(by_back_end(), "j1")
        await until(lambda: not runner.running)
        assert not hub.methods._calls
        await settle()
    assert sum(len(session.calls) for session in sessions) == 4
    assert (await hub.job()).status is JobStatus.CANCELLED


async def test_a_twin_update_under_way_when_the_job_is_cancelled_is_not_made(hub: JobHub) -> None:
    hub.trouble.only = frozenset({"put_twin"})
    await hub.create()
    async with hub.running():
        await until(lambda: "put_twin" in hub.trouble.calls)
        hub.trouble.stick()
        await until(lambda: hub.trouble.calls.count("put_twin") > 4)
        done = await hub.tagged()
        await hub.service.cancel(by_back_end(), "j1")
        hub.trouble.unstick()
        await settle()
    assert await hub.tagged() == done
    assert len(done) < 30


@pytest.mark.parametrize("change", ["rolled", "right", "gone"])
async def test_a_job_ends_with_its_creators_right_also_while_every_device_keeps_silent(
    hub: JobHub, change: str
) -> None:
    await hub.put_policy(Right.SERVICE_CONNECT)
    sessions = [hub.connect(name, lambda name: None) for name in NAMES]
    await hub.create(work=CALL, grant=by_back_end())
    async with hub.running():
        await until(lambda: len(hub.methods._calls) == 4)
        await change_policy(hub, change)
        job = await hub.ended(status=JobStatus.FAILED)
        assert not hub.methods._calls
    assert job.error_code == "job.right_lost"
    assert sum(len(session.calls) for session in sessions) == 4


@pytest.mark.parametrize("change", ["rolled", "right"])
async def test_a_job_does_not_begin_when_its_creators_right_is_gone(hub: JobHub, change: str) -> None:
    await hub.put_policy(Right.SERVICE_CONNECT)
    await hub.create(grant=by_back_end())
    await change_policy(hub, change)
    async with hub.running():
        job = await hub.ended(status=JobStatus.FAILED)
    assert job.error_code == "job.right_lost"
    assert await hub.tagged() == []


async def test_the_other_key_and_other_policies_may_change(hub: JobHub) -> None:
    await hub.put_policy(Right.SERVICE_CONNECT)
    hub.connect("d000", lambda name: None)
    await hub.create(work=CALL, grant=by_back_end(), condition="d000")
    async with hub.running() as runner:
        await until(lambda: hub.methods._calls)
        await hub.put_policy(Right.SERVICE_CONNECT, keys=SymmetricKeys(b"p" * 32, b"z" * 32))
        told(hub, "BACK-END")
        told(hub, "other")
        await settle()
        assert runner.running == 1
        assert hub.methods._calls


async def test_what_is_heard_while_the_gate_is_asked_is_asked_again(hub: JobHub) -> None:
    """Or the answer from before the change would be believed."""
    await hub.put_policy(Right.SERVICE_CONNECT)
    standing = run.Standing((await hub.create(grant=by_back_end())).creator, hub.gate.recall)
    asked = 0
    recall = hub.gate.recall

    async def slowly(who: object) -> object:
        nonlocal asked
        asked += 1
        found = await recall(who)  # type: ignore[arg-type]  # as given
        if asked == 1:
            standing.doubt()
        return found

    standing._recall = slowly  # type: ignore[assignment]  # as Recall
    await standing.principal()
    await standing.principal()
    assert asked == 2


async def change_policy(hub: JobHub, change: str) -> None:
    if change == "rolled":
        await hub.put_policy(Right.SERVICE_CONNECT, keys=OTHER_KEYS)
    elif change == "right":
        await hub.put_policy(Right.REGISTRY_READ)
    else:
        hub.gate._policies = JobHub().stores.policies
        hub.tools.recall = hub.gate.recall
    told(hub, "back-end")


def told(hub: JobHub, policy: str) -> None:
    hub.bus.publish(PolicyChanged(policy))
