"""Promise 1: SIGKILL at any instant under load loses nothing that was acknowledged and repeats nothing."""

import asyncio
import random
import signal
from typing import Final

import pytest
from tests.durability.conftest import MakeHub
from tests.durability.faults import SYNCS, WRITES, dies_at_start, tampered
from tests.durability.form import FULL
from tests.durability.load import Load, until
from tests.durability.verify import check

LONG: Final = pytest.mark.timeout(3600 if FULL else 120)
KILLS: Final = 50 if FULL else 5
SEED: Final = 7
LONGEST: Final = 0.5
"""Seconds of load before a kill, at most, besides what it takes until everything has been acknowledged once."""
SYNC_NUMBERS: Final = range(1, 41) if FULL else (1, 2, 3, 5, 8, 13, 21, 40)
STREAM, REGISTRY = "stream.db-wal", "hub.db-wal"
BIRTH: Final = (
    [("fsync", number) for number in range(1, 13)] + [("fdatasync", number) for number in range(1, 10)]
    if FULL
    else [("fsync", 1), ("fsync", 6), ("fsync", 12), ("fdatasync", 1), ("fdatasync", 5), ("fdatasync", 9)]
)
"""The syncs of files and directories (fsync) and of databases (fdatasync) that the first start makes."""


@LONG
async def test_sigkill_at_random_instants_under_load(make_hub: MakeHub) -> None:
    hub = make_hub().start()
    load = Load(hub)
    chance = random.Random(SEED)
    for _ in range(KILLS):
        async with load.running():
            await load.works()
            asyncio.get_running_loop().call_later(chance.uniform(0, LONGEST), hub.kill)
            await load.ends()
        hub.start()
        await check(load)
    assert hub.stop() == 0


@LONG
async def test_sigkill_at_each_of_the_first_syncs_under_load(make_hub: MakeHub) -> None:
    """The count begins with the load; each of the two committing threads counts for itself."""
    hub = make_hub().start()
    load = Load(hub)
    for turn, number in enumerate(SYNC_NUMBERS):
        for wal in (STREAM, REGISTRY) if FULL else ((STREAM, REGISTRY)[turn % 2],):
            async with load.running():
                await load.works(messages=20, changes=1)
                async with tampered(hub, f"{SYNCS}:signal=SIGKILL:when={number}", hub.data / wal):
                    await load.ends()
            assert hub.wait() == -signal.SIGKILL
            hub.start()
            await check(load)
    assert hub.stop() == 0


@LONG
async def test_sigkill_while_the_files_are_brought_up_to_date_after_a_sigkill(make_hub: MakeHub) -> None:
    """What the journals hold is moved to its place when the hub starts; being killed there is no second chance lost."""
    hub = make_hub().start()
    load = Load(hub)
    for call, name in ((SYNCS, "stream.db"), (WRITES, "stream.db"), (SYNCS, "hub.db"), (SYNCS, REGISTRY)):
        async with load.running():
            await load.works()
            hub.kill()
            await load.ends()
        inject = f"{call}:signal=SIGKILL:when=1"
        assert await asyncio.to_thread(dies_at_start, hub, inject, hub.data / name)
        hub.start()
        await check(load)
    assert hub.stop() == 0


@LONG
@pytest.mark.parametrize(("call", "number"), BIRTH)
def test_sigkill_at_each_sync_of_the_first_start(make_hub: MakeHub, call: str, number: int) -> None:
    """The next start finishes what was begun."""
    hub = make_hub()
    assert dies_at_start(hub, f"{call}:signal=SIGKILL:when={number}")
    hub.start()
    hub.create_device("press-7")
    assert hub.stop() == 0


async def test_sigterm_under_load_ends_in_order(make_hub: MakeHub) -> None:
    """Clients see their connections closed, the exit code is 0, and what was acknowledged is there."""
    hub = make_hub().start()
    load = Load(hub)
    async with load.running():
        await load.works()
        stopping = asyncio.create_task(asyncio.to_thread(hub.stop))
        await load.ends()
        assert await asyncio.wait_for(stopping, 10.0 + 5.0) == 0
    hub.start()
    await check(load)
    assert hub.stop() == 0


async def test_the_hub_comes_back_to_its_devices_by_itself(make_hub: MakeHub) -> None:
    """A load that never stops goes through kills: devices come back and nothing is lost meanwhile."""
    hub = make_hub().start()
    load = Load(hub)
    async with load.running():
        for _ in range(2):
            await load.works()
            hub.kill()
            hub.start()
        await load.works()
        hub.kill()
        await until(lambda: not hub.alive)
    hub.start()
    await check(load)
    assert hub.stop() == 0
