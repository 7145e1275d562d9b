"""What the contract of the job store does not say of the one in SQLite: rows that cannot be read."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contracts.stores import stores_over

from ironhub.core.errors import CorruptStore
from ironhub.core.ids import DeviceId
from ironhub.identity.model import Remembered
from ironhub.messaging.jobs.model import Job, JobStatus, TwinChange
from ironhub.storage.sqlite.database import Database, open_database

JOB = Job(
    job_id="j1",
    work=TwinChange({"a": 1}),
    condition="*",
    creator=Remembered("local", by_policy=False),
    created_at=0.0,
    starts_at=0.0,
    max_execution_time=60.0,
    status=JobStatus.QUEUED,
)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(tmp_path / "hub.db")
    yield database
    await database.close()


@pytest.mark.parametrize("damage", ["work = '['", "kind = 'x'", "status = 'x'", "creator = '7'", "work = '[]'"])
async def test_a_job_that_cannot_be_read_is_named(database: Database, damage: str) -> None:
    jobs = (await stores_over(database)).jobs
    job = await jobs.add_job(JOB, max_active=1, max_scheduled=1)
    await database.write(lambda tx: tx.change(f"UPDATE jobs SET {damage}", {}))  # ours
    with pytest.raises(CorruptStore, match=f"job {job.number}"):
        await jobs.get_job("j1")


async def test_a_device_of_a_job_that_cannot_be_read_is_named(database: Database) -> None:
    jobs = (await stores_over(database)).jobs
    await jobs.add_job(JOB, max_active=1, max_scheduled=1)
    (job,) = await jobs.start_jobs(now=1.0, limit=1)
    await jobs.add_targets(job.number, [DeviceId("press-7")], at=1.0, walked_to=None, collected=True)
    await database.write(lambda tx: tx.change("UPDATE job_devices SET status = 'x'", {}))
    with pytest.raises(CorruptStore, match="press-7"):
        await jobs.list_targets(job.number, status=None, after=None, limit=9)
