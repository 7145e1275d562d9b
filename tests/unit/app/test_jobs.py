"""Tests of app/jobs.py: what is wired together works together, over the stores of a real hub."""

import asyncio
from pathlib import Path

from tests.fakes.clock import FakeEntropy
from tests.fakes.grants import by_operator

from ironhub.access.model import Permission
from ironhub.app.hub import Hub, open_hub
from ironhub.app.settings import Settings
from ironhub.app.system import SystemClock
from ironhub.core.ids import identity
from ironhub.messaging.jobs.model import Job, JobDraft, JobStatus, TwinChange
from ironhub.registry.model import DeviceDraft

WRITE, READ = by_operator(Permission.JOB_WRITE), by_operator(Permission.JOB_READ)


async def register(hub: Hub, *names: str) -> None:
    for who in map(identity, names):
        await hub.registry.put_device(by_operator(Permission.REGISTRY_WRITE, who), DeviceDraft(), if_match=None)


async def over(hub: Hub, job_id: str) -> Job:
    async with asyncio.timeout(20):
        while (job := await hub.jobs.service.get(READ, job_id)).ended_at is None:
            await asyncio.sleep(0.005)
    return job


async def test_a_job_runs_while_the_hub_serves_and_not_before(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", job_concurrency=2)
    async with open_hub(settings, clock=SystemClock(), entropy=FakeEntropy()) as hub:
        await register(hub, "a", "b", "c")
        draft = JobDraft(job_id="j1", work=TwinChange({"n": 1}, None, "*"), condition="deviceId != 'b'")
        created = await hub.services.jobs.create(WRITE, draft)
        assert created.status is JobStatus.QUEUED
        assert (await hub.jobs.service.get(READ, "j1")).status is JobStatus.QUEUED
        async with hub.serving():
            job = await over(hub, "j1")
        assert (job.status, job.counts.succeeded) == (JobStatus.COMPLETED, 2)
        assert hub.jobs.tally.counts == {"succeeded": 2}
        for name, tags in (("a", {"n": 1}), ("b", {}), ("c", {"n": 1})):
            twin = await hub.twins.read(by_operator(Permission.TWIN_READ, identity(name)))
            assert twin.tags == tags


async def test_a_change_that_takes_devices_out_of_its_own_condition_reaches_all_of_them(tmp_path: Path) -> None:
    """Who is meant is settled when the job begins."""
    settings = Settings(data=tmp_path / "data")
    async with open_hub(settings, clock=SystemClock(), entropy=FakeEntropy()) as hub:
        await register(hub, *(f"d{number}" for number in range(20)))
        for job_id, work, condition in (
            ("mark", TwinChange({"todo": True}, None, "*"), "*"),
            ("unmark", TwinChange({"todo": None}, None, "*"), "tags.todo = true"),
            ("again", TwinChange({"todo": None}, None, "*"), "tags.todo = true"),
        ):
            async with hub.serving():
                await hub.jobs.service.create(WRITE, JobDraft(job_id=job_id, work=work, condition=condition))
                job = await over(hub, job_id)
            assert job.counts.succeeded == job.counts.total == (0 if job_id == "again" else 20)
