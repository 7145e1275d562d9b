"""Tests of app/simulator/fleet.py, over the admin API of a stopped hub."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.clock import FakeEntropy

from ironhub.app.cli.client import AdminClient, open_client
from ironhub.app.cli.problems import Problem
from ironhub.app.simulator.fleet import TAGS, keys_of, remove, simulated

ENTROPY = FakeEntropy()
TAGGED = TAGS | {"plant": "p"}


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[AdminClient]:
    """The admin API of a new data directory."""
    async with open_client(tmp_path / "data", creates=True) as client:
        yield client


async def create(hub: AdminClient, device_id: str, *, tags: dict[str, Any] | None = None, auth: str = "sas") -> None:
    """Register a device that no simulation made."""
    await hub.send("POST", "devices", body={"device_id": device_id, "auth": {"kind": auth}})
    if tags is not None:
        await hub.send("PATCH", "twins", device_id, body={"tags": tags})


async def test_devices_are_created_tagged_once_and_found_again_with_the_same_keys(hub: AdminClient) -> None:
    ids = [f"sim-p-{number:05}" for number in range(40)]
    made = await keys_of(hub, ids, register=True, tags=TAGGED, entropy=ENTROPY)
    assert list(made) == ids
    assert len(set(made.values())) == 40
    assert (await hub.get("twins", ids[3]))["tags"] == TAGGED
    assert await keys_of(hub, ids[:5], register=True, tags={}, entropy=ENTROPY) == {
        name: made[name] for name in ids[:5]
    }
    assert await keys_of(hub, ids[5:7], register=False, tags={}, entropy=ENTROPY) == {
        name: made[name] for name in ids[5:7]
    }


async def test_a_device_of_somebody_else_is_never_played(hub: AdminClient) -> None:
    await create(hub, "sim-p-00001")
    with pytest.raises(Problem) as refused:
        await keys_of(hub, ["sim-p-00001"], register=True, tags=TAGGED, entropy=ENTROPY)
    assert refused.value.code == "simulate.not_simulated"
    assert (await hub.get("twins", "sim-p-00001"))["tags"] == {}


async def test_a_device_without_keys_or_that_is_missing_is_a_problem(hub: AdminClient) -> None:
    await create(hub, "sim-p-00002", tags=TAGS, auth="x509-ca")
    with pytest.raises(Problem) as refused:
        await keys_of(hub, ["sim-p-00002"], register=False, tags={}, entropy=ENTROPY)
    assert refused.value.code == "simulate.no_key"
    with pytest.raises(Problem) as refused:
        await keys_of(hub, ["sim-p-00003"], register=False, tags={}, entropy=ENTROPY)
    assert refused.value.status == 404
    with pytest.raises(Problem):
        await keys_of(hub, ["sim/p"], register=True, tags={}, entropy=ENTROPY)


async def test_only_what_is_tagged_is_removed(hub: AdminClient) -> None:
    ids = [f"sim-p-{number:05}" for number in range(5)]
    await keys_of(hub, ids, register=True, tags=TAGGED, entropy=ENTROPY)
    await create(hub, "sim-mine", tags={"simulated": "yes"})
    await create(hub, "press-7", tags=TAGS)
    await create(hub, "zebra")
    assert await simulated(hub) == ids
    assert await remove(hub, [*ids, "sim-gone"], ENTROPY) == 5
    left = [device["device_id"] for device in (await hub.get("devices"))["devices"]]
    assert left == ["press-7", "sim-mine", "zebra"]
    assert await simulated(hub) == []
