"""Tests of messaging/jobs/runner.py: when jobs begin, and how many at once. What happens in each: test_run.py."""

import asyncio

import pytest
from tests.fakes.clock import START
from tests.fakes.jobs import CALL, WRITE, JobHub
from tests.fakes.trouble import settle, until

from ironhub.core.bus import JobsChanged
from ironhub.messaging.jobs import run, runner
from ironhub.messaging.jobs.model import JobSettings, JobStatus
from ironhub.messaging.jobs.runner import JobRunner


@pytest.fixture
async def hub() -> JobHub:
    hub = JobHub(JobSettings(max_active=2, reconnect_grace=0.0))
    await hub.register_many("d0", "d1")
    return hub


async def test_a_job_begins_as_soon_as_it_is_created(hub: JobHub) -> None:
    async with hub.running():
        await settle()
        created = await hub.create()
        job = await hub.ended()
        await settle()
    assert (job.number, job.started_at) == (created.number, START)
    assert hub.heard == [JobsChanged(None), JobsChanged(job.number)]
    assert await hub.tagged() == ["d0", "d1"]


async def test_a_job_begins_when_its_time_has_come(hub: JobHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "MAX_PAUSE", 0.01)
    await hub.create(starts_at=START + 60)
    async with hub.running():
        await settle()
        assert (await hub.job()).status is JobStatus.SCHEDULED
        hub.clock.advance(61)
        assert (await hub.ended()).started_at == START + 61


async def test_a_job_that_is_cancelled_before_its_time_never_begins(hub: JobHub) -> None:
    await hub.create(starts_at=START + 60)
    await hub.service.cancel(WRITE, "j1")
    hub.clock.advance(61)
    async with hub.running():
        await settle()
    assert await hub.tagged() == []


async def test_of_jobs_that_are_due_together_some_wait_for_room(hub: JobHub) -> None:
    for number in range(2):
        await hub.create(f"j{number}", work=CALL, starts_at=START + 5)
    await hub.create("j2", starts_at=START + 6)
    sessions = [hub.connect(name, lambda name: None) for name in ("d0", "d1")]
    hub.clock.advance(10)
    async with hub.running() as jobs:
        await until(lambda: all(len(session.calls) == 2 for session in sessions))
        assert jobs.running == 2
        assert (await hub.job("j2")).status is JobStatus.QUEUED
        await hub.service.cancel(WRITE, "j0")
        await hub.ended("j2")
        assert (await hub.job("j1")).status is JobStatus.RUNNING


async def test_what_ran_when_the_hub_stopped_runs_on(hub: JobHub) -> None:
    hub.connect("d0", lambda name: None)
    await hub.create(work=CALL)
    async with hub.running() as jobs:
        await until(lambda: hub.methods._calls)
    assert jobs.running == 0
    assert (await hub.job()).status is JobStatus.RUNNING
    async with hub.running():
        await hub.ended()


async def test_a_store_that_refuses_is_asked_again(hub: JobHub, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (run, runner):
        monkeypatch.setattr(module, "RETRY_AFTER", 0.0)
    await hub.create()
    for name in ("running_jobs", "start_jobs", "next_start"):
        hub.trouble.only, hub.trouble.refusals = frozenset({name}), 2
        async with hub.running():
            await until(lambda: not hub.trouble.refusals)
    hub.trouble.only = frozenset()
    async with hub.running():
        await hub.ended()


async def test_a_job_that_ended_elsewhere_is_nobodys_concern(hub: JobHub) -> None:
    jobs = JobRunner(hub.new_tools(), hub.bus)
    hub.bus.publish(JobsChanged(7))
    await asyncio.sleep(0)
    assert jobs.running == 0
