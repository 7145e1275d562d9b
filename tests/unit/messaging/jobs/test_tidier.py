"""Tests of messaging/jobs/tidier.py."""

import asyncio

import pytest
from tests.fakes.clock import START
from tests.fakes.jobs import CALL, WRITE, JobHub
from tests.fakes.trouble import settle, until

from ironhub.messaging.jobs import tidier
from ironhub.messaging.jobs.model import JobSettings, JobStatus
from ironhub.messaging.jobs.tidier import JobTidier

HISTORY = 1000.0


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidier, "STEP", 2)
    monkeypatch.setattr(tidier, "PAUSE", 0.0)


@pytest.fixture
async def hub() -> JobHub:
    hub = JobHub(JobSettings(concurrency=2, history=HISTORY))
    await hub.register_many(*(f"d{number}" for number in range(7)))
    return hub


async def cancelled(hub: JobHub) -> None:
    """A job that was cancelled when two devices were at work."""
    for number in range(7):
        hub.connect(f"d{number}", lambda name: None)
    await hub.create(work=CALL)
    async with hub.running():
        await until(lambda: len(hub.methods._calls) == 2)
        await hub.service.cancel(WRITE, "j1")


async def test_devices_of_a_job_that_has_ended_share_its_end_as_soon_as_it_is_told(hub: JobHub) -> None:
    task = asyncio.create_task(JobTidier(hub.jobs, hub.bus, hub.clock, hub.settings).run())
    await settle()
    await cancelled(hub)
    async with asyncio.timeout(10):
        while (await hub.job()).counts.cancelled < 7:
            await asyncio.sleep(0)
    task.cancel()
    assert set((await hub.fates()).values()) == {("cancelled", "")}


async def test_a_step_is_small(hub: JobHub) -> None:
    await cancelled(hub)
    tidying = JobTidier(hub.jobs, hub.bus, hub.clock, hub.settings)
    assert await tidying.step()
    assert (await hub.job()).counts.cancelled == 2
    while await tidying.step():
        pass
    assert (await hub.job()).counts.cancelled == 7


async def test_jobs_are_forgotten_when_their_time_is_over(hub: JobHub) -> None:
    await hub.create()
    async with hub.running():
        await hub.ended()
    await hub.create("j2", starts_at=START + HISTORY + 9)
    tidying = JobTidier(hub.jobs, hub.bus, hub.clock, hub.settings)
    hub.clock.advance(HISTORY)
    while await tidying.step():
        pass
    assert (await hub.job()).status is JobStatus.COMPLETED
    hub.clock.advance(1.0)
    while await tidying.step():
        pass
    page = await hub.stores.jobs.list_jobs(kind=None, status=None, before=None, limit=9)
    assert [job.job_id for job in page] == ["j2"]


async def test_a_store_that_refuses_is_asked_again_later(hub: JobHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidier, "LOOK", 0.01)
    await cancelled(hub)
    hub.trouble.refusals = 2
    task = asyncio.create_task(JobTidier(hub.jobs, hub.bus, hub.clock).run())
    await until(lambda: not hub.trouble.refusals)
    async with asyncio.timeout(10):
        while (await hub.job()).counts.cancelled < 7:
            await asyncio.sleep(0.001)
    task.cancel()
