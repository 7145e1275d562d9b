"""Tests of console/routes/jobs.py."""

from typing import Any

import pytest
from tests.unit.console.conftest import Desk

TWIN: dict[str, Any] = {"job_id": "j1", "condition": "*", "twin_update": {"tags": {"a": 1}}}
METHOD: dict[str, Any] = {"job_id": "m1", "condition": "d", "method": {"name": "reboot", "payload": {"in": 3}}}


async def test_a_job_is_created_shown_and_cancelled(desk: Desk) -> None:
    created = await desk.ok("POST", "/jobs", json=TWIN)
    assert (created["job_id"], created["kind"], created["status"]) == ("j1", "twin_update", "queued")
    assert (created["starts_at"], created["started_at"], created["reason"]) == ("2026-05-28T20:26:40.000Z", None, None)
    assert await desk.ok("GET", "/jobs/j1") == created
    cancelled = await desk.ok("POST", "/jobs/j1/cancel")
    assert (cancelled["status"], cancelled["ended_at"]) == ("cancelled", "2026-05-28T20:26:40.000Z")
    assert await desk.refused("POST", "/jobs/j1/cancel") == (412, "job.over")


async def test_jobs_are_listed(desk: Desk) -> None:
    await desk.ok("POST", "/jobs", json=TWIN)
    later = METHOD | {"starts_at": "2030-01-01T00:00:00Z"}
    await desk.ok("POST", "/jobs", json=later)
    page = await desk.ok("GET", "/jobs", params={"limit": 1})
    assert [job["job_id"] for job in page["jobs"]] == ["m1"]
    page = await desk.ok("GET", "/jobs", params={"limit": 1, "after": page["after"]})
    assert ([job["job_id"] for job in page["jobs"]], page["after"]) == (["j1"], None)
    page = await desk.ok("GET", "/jobs", params={"kind": "method", "status": "scheduled"})
    assert [job["job_id"] for job in page["jobs"]] == ["m1"]


async def test_devices_of_a_job_are_listed(desk: Desk) -> None:
    await desk.ok("POST", "/jobs", json=TWIN)
    assert await desk.ok("GET", "/jobs/j1/devices") == {"devices": [], "after": None}
    assert await desk.refused("GET", "/jobs/nobody/devices") == (404, "job.not_found")


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (TWIN | {"method": {"name": "reboot"}}, (400, "argument.invalid")),
        ({"job_id": "j1", "condition": "*"}, (400, "argument.invalid")),
        (TWIN | {"starts_at": "soon"}, (400, "timestamp.invalid")),
        (TWIN | {"max_execution_time": 0}, (400, "argument.invalid")),
        (TWIN | {"job_id": "a b"}, (400, "job.id_invalid")),
        (TWIN | {"condition": "SELECT *"}, (400, "argument.invalid")),
        (TWIN | {"twin_update": {"tags": {"a.b": 1}}}, (400, "twin.invalid")),
        (TWIN | {"unknown": 1}, (400, "argument.invalid")),
    ],
    ids=str,
)
async def test_what_cannot_be_is_refused(desk: Desk, body: Any, refusal: tuple[int, str]) -> None:
    assert await desk.refused("POST", "/jobs", json=body) == refusal


async def test_a_job_is_there_once(desk: Desk) -> None:
    await desk.ok("POST", "/jobs", json=TWIN)
    assert await desk.refused("POST", "/jobs", json=TWIN) == (409, "job.exists")
    assert await desk.refused("GET", "/jobs/J1") == (404, "job.not_found")
