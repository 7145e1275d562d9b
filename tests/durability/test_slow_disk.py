"""A disk that takes 300 ms for each fsync costs time and nothing else: what is in flight shares each commit."""

import asyncio
import re
from typing import Final

import httpx
from tests.durability.conftest import MakeHub
from tests.durability.faults import SLOW, tampered
from tests.durability.load import Load, until
from tests.durability.verify import check, devices_of
from tests.fakes.running_hub import RunningHub

COMMITS: Final = 10
"""Commits that are counted."""
WARM_UP: Final = 3


def commits(hub: RunningHub) -> int:
    """How many times the event log has committed."""
    page = httpx.get(f"http://127.0.0.1:{hub.ready['metrics']}/metrics").text
    found = re.search(r"^ironhub_commits_total ([0-9.]+)$", page, re.MULTILINE)
    assert found is not None
    return round(float(found[1]))


async def test_a_slow_disk_is_shared_by_all_that_is_in_flight(make_hub: MakeHub) -> None:
    """Throughput is what is in flight divided by the time of a commit: a commit takes all of it, half of it if the
    machine is so busy that devices do not answer within 30 ms, and never one message after the other."""
    hub = make_hub().start()
    load = Load(hub, devices=8, window=25)
    async with load.running():
        await load.works()
        async with tampered(hub, SLOW):
            first = commits(hub) + WARM_UP
            await until(lambda: commits(hub) >= first)
            begun, acked = commits(hub), load.acked
            await until(lambda: commits(hub) >= begun + COMMITS)
            per_commit = (load.acked - acked) / (commits(hub) - begun)
            ready = httpx.get(f"http://127.0.0.1:{hub.ready['metrics']}/readyz")
            assert ready.status_code == 200, "slow is not broken"
            assert len(await asyncio.to_thread(devices_of, hub)) >= len(load.records)
            hub.kill()
            await load.ends()
    assert per_commit > 0.4 * load.in_flight
    assert all(record.opened == 1 for record in load.records), "nobody was thrown out"
    hub.start()
    await check(load)
    assert hub.stop() == 0
