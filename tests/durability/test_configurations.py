"""A hub that dies while it applies a configuration goes on where it was: every twin is written, and none twice."""

import asyncio
import signal
import sqlite3
from contextlib import closing, suppress
from typing import Any, Final

import httpx
import pytest
from tests.durability.conftest import MakeHub
from tests.durability.faults import SYNCS, tampered
from tests.fakes.running_hub import RunningHub

DEVICES: Final = 300
DEATHS: Final = (2, 3, 4, 5)
"""At which sync of hub.db each hub dies; the first is that of the configuration itself."""


@pytest.mark.timeout(240)
async def test_sigkill_while_a_configuration_is_applied(make_hub: MakeHub) -> None:
    hub = make_hub().start()
    names = [f"press-{number:03}" for number in range(DEVICES)]
    with hub.admin() as admin:
        for name in names:
            assert admin.post("/devices", json={"device_id": name}).is_success
    written = []
    for priority, number in enumerate(DEATHS):
        name = f"speed-{priority}"
        content = {"device": {"speed": priority}}
        body = {"id": name, "target": "*", "priority": priority, "content": content}
        async with tampered(hub, f"{SYNCS}:signal=SIGKILL:when={number}", hub.data / "hub.db-wal"):
            with suppress(httpx.TransportError):  # it is stored by then; the answer may not have left
                await asyncio.to_thread(hub.call, "POST", "/configurations", json=body)
            assert await asyncio.to_thread(hub.wait) == -signal.SIGKILL
        written.append(applied(hub, name))
        hub.start()
        found = hub.wait_for(lambda name=name: results(hub, name), timeout=60.0)  # type: ignore[misc]  # bound here
        assert (found["targeted"], found["applied"]) == (DEVICES, DEVICES)
        with hub.admin() as admin:
            twins = [admin.get(f"/twins/{each}").json()["desired"] for each in names]
        assert all(twin == {"version": 2 + priority, "properties": {"speed": priority}} for twin in twins)
    assert any(0 < count < DEVICES for count in written), written
    assert hub.stop() == 0


def applied(hub: RunningHub, name: str) -> int:
    """How many twins on the disk of a hub that does not run say that it applies."""
    with closing(sqlite3.connect(hub.data / "hub.db")) as database:
        rows = database.execute("SELECT configurations FROM twins WHERE configurations IS NOT NULL").fetchall()
    return sum(f'"{name}":{{"status":"Applied"}}' in text for (text,) in rows)


def results(hub: RunningHub, name: str) -> Any:
    """What the newest whole look found; None: there was none."""
    return hub.call("GET", f"/configurations/{name}")["results"]
