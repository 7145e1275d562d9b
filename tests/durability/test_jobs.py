"""A job of some thousand devices through SIGKILL: finished after the restarts, and no device had its turn twice."""

import asyncio
import json
import random
import time
from collections import Counter
from typing import Any, Final

import pytest
from tests.durability.conftest import MakeHub
from tests.durability.form import FULL
from tests.durability.verify import stored_events
from tests.fakes.running_hub import RunningHub

DEVICES: Final = 20_000 if FULL else 3000
KILLS: Final = 10 if FULL else 3
SEED: Final = 7
PATIENCE: Final = 60.0
UPDATE: Final = {"twin_update": {"tags": {"hall": "b"}, "desired": {"n": 1}}}


def register(hub: RunningHub) -> None:
    """Create the devices, a thousand at once."""
    for start in range(0, DEVICES, 1000):
        names = [f"press-{number:05}" for number in range(start, min(start + 1000, DEVICES))]
        lines = "\n".join(json.dumps({"device_id": name}) for name in names)
        hub.call("POST", "/imports/presses/lines", params={"position": start + 1000, "mode": "create"}, content=lines)


def job_of(hub: RunningHub, job_id: str = "j1") -> dict[str, Any]:
    found: dict[str, Any] = hub.call("GET", f"/jobs/{job_id}")
    return found


def done(job: dict[str, Any]) -> int:
    devices = job["devices"]
    return int(devices["total"] - devices["pending"] - devices["running"])


async def until_done(hub: RunningHub, more: int) -> dict[str, Any]:
    """Wait until so many more devices had their turn, or the job is over."""
    wanted, deadline = done(job_of(hub)) + more, time.monotonic() + PATIENCE
    while True:
        job = await asyncio.to_thread(job_of, hub)
        if job["ended_at"] is not None or done(job) >= wanted:
            return job
        assert time.monotonic() < deadline, job


def results(hub: RunningHub, job_id: str = "j1") -> list[dict[str, Any]]:
    """What became of each device."""
    found: list[dict[str, Any]] = []
    after: str | None = ""
    with hub.admin() as admin:
        while after is not None:
            page = (
                admin.get(f"/jobs/{job_id}/devices", params={"limit": 1000, "after": after}).raise_for_status().json()
            )
            found, after = found + page["devices"], page["after"]
    return found


@pytest.mark.timeout(3600 if FULL else 240)
async def test_a_job_is_finished_after_sigkill_and_each_twin_was_changed_once(make_hub: MakeHub) -> None:
    hub = make_hub().start()
    register(hub)
    chance = random.Random(SEED)
    hub.call("POST", "/jobs", json={"job_id": "j1", "condition": "*", **UPDATE})
    interrupted = 0
    for _ in range(KILLS):
        job = await until_done(hub, DEVICES // (2 * KILLS))
        await asyncio.sleep(chance.uniform(0, 0.02))  # anywhere between two commits
        interrupted += job["ended_at"] is None
        hub.kill()
        hub.start()
    job = await until_done(hub, DEVICES)
    assert interrupted, "it was over before it could be killed"
    assert (job["status"], job["devices"]["total"], job["devices"]["succeeded"]) == ("completed", DEVICES, DEVICES)
    found = results(hub)
    assert [each["device_id"] for each in found] == [f"press-{number:05}" for number in range(DEVICES)]
    assert {each["status"] for each in found} == {"succeeded"}
    check_twins(hub)
    assert hub.stop() == 0


def check_twins(hub: RunningHub) -> None:
    """Each changed once, whole, and told its fact once."""
    with hub.admin() as admin:
        for number in range(DEVICES):
            twin = admin.get(f"/twins/press-{number:05}").raise_for_status().json()
            assert (twin["version"], twin["tags"], twin["desired"]["properties"]) == (3, {"hall": "b"}, {"n": 1})
    hub.create_device("sentinel")  # facts leave in order: once this one is told, all are
    assert hub.events(count=1, device="sentinel", facts="true")
    told = Counter(
        event["device_id"] for event in stored_events(hub) if event["properties"].get("opType") == "updateTwin"
    )
    assert told == dict.fromkeys((f"press-{number:05}" for number in range(DEVICES)), 1)


@pytest.mark.timeout(3600 if FULL else 240)
async def test_a_job_that_was_cancelled_stays_so_after_sigkill_and_its_devices_share_its_end(make_hub: MakeHub) -> None:
    hub = make_hub().start()
    register(hub)
    hub.call("POST", "/jobs", json={"job_id": "j1", "condition": "*", **UPDATE})
    await until_done(hub, 50)
    cancelled = hub.call("POST", "/jobs/j1/cancel")
    hub.kill()
    hub.start()
    hub.wait_for(lambda: settled(job_of(hub)))
    job = job_of(hub)
    assert job["status"] == "cancelled"
    assert job["devices"]["succeeded"] == cancelled["devices"]["succeeded"]
    tagged = sum(hub.call("GET", f"/twins/press-{number:05}")["version"] == 3 for number in range(0, DEVICES, 50))
    succeeded = [each["device_id"] for each in results(hub) if each["status"] == "succeeded"]
    assert len(succeeded) == job["devices"]["succeeded"]
    assert tagged == sum(int(name.removeprefix("press-")) % 50 == 0 for name in succeeded)
    assert hub.stop() == 0


def settled(job: dict[str, Any]) -> bool:
    return not job["devices"]["pending"] and not job["devices"]["running"]
