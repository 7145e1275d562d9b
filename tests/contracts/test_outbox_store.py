"""The contract of messaging.telemetry.ports.Outbox, against every implementation."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contracts.stores import ARM, CREATED_AT, IMPLEMENTATIONS, PRESS, device, fact, open_stores, register

from ironhub.core.facts import Fact, FactKind
from ironhub.registry.model import DeviceExists
from ironhub.storage.stores import Stores

LONG = 60.0
"""Seconds a test would wait if it failed."""


@pytest.fixture(params=IMPLEMENTATIONS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with open_stores(request.param, tmp_path) as opened:
        await register(opened, PRESS, ARM)
        yield opened


async def tell(stores: Stores, *facts: Fact) -> None:
    """Leave facts about connections, which need no other change."""
    await stores.devices.record_presence(facts)


async def test_facts_come_back_as_they_were_left_in_order(stores: Stores) -> None:
    rich = Fact(FactKind.CONNECTED, ARM, CREATED_AT + 0.125, {"tags": {"Ä": [1, None, 2**70]}})
    facts = [fact(FactKind.CONNECTED), rich, fact(FactKind.DISCONNECTED)]
    await tell(stores, *facts)
    pending = await stores.outbox.pending_facts(10)
    assert [told for _, told in pending] == facts
    ids = [fact_id for fact_id, _ in pending]
    assert ids == sorted(set(ids))
    assert ids[0] > 0
    assert list(await stores.outbox.pending_facts(2)) == list(pending)[:2]


async def test_what_is_dropped_does_not_come_back_and_no_id_is_given_twice(stores: Stores) -> None:
    await tell(stores, *[fact(FactKind.CONNECTED)] * 3)
    first, second, third = await stores.outbox.pending_facts(10)
    await stores.outbox.drop_facts(second[0])
    assert list(await stores.outbox.pending_facts(10)) == [third]
    await stores.outbox.drop_facts(third[0])
    assert list(await stores.outbox.pending_facts(10)) == []
    await tell(stores, fact(FactKind.DISCONNECTED))
    ((fourth, _),) = await stores.outbox.pending_facts(10)
    assert fourth > third[0] > first[0]


@pytest.mark.parametrize("left", [0, 1, 3])
async def test_a_log_that_is_ahead_is_caught_up_with(stores: Stores, left: int) -> None:
    """Whatever the store's next id would be, the log has seen the ids up to this one."""
    await tell(stores, *[fact(FactKind.CONNECTED)] * left)
    seen = 2 + max((fact_id for fact_id, _ in await stores.outbox.pending_facts(10)), default=0)
    await stores.outbox.continue_after(seen)
    assert list(await stores.outbox.pending_facts(10)) == []
    await tell(stores, fact(FactKind.DISCONNECTED))
    ((next_id, told),) = await stores.outbox.pending_facts(10)
    assert next_id > seen
    assert told.kind is FactKind.DISCONNECTED


async def test_a_log_that_is_behind_gets_what_it_has_not_seen(stores: Stores) -> None:
    await stores.outbox.continue_after(0)
    await tell(stores, *[fact(FactKind.CONNECTED)] * 3)
    first, second, third = await stores.outbox.pending_facts(10)
    await stores.outbox.continue_after(first[0])
    assert list(await stores.outbox.pending_facts(10)) == [second, third]
    await stores.outbox.drop_facts(third[0])
    await stores.outbox.continue_after(second[0])
    await tell(stores, fact(FactKind.DISCONNECTED))
    ((next_id, _),) = await stores.outbox.pending_facts(10)
    assert next_id > third[0]


async def test_who_waits_is_woken_by_the_next_fact(stores: Stores) -> None:
    assert list(await stores.outbox.pending_facts(10)) == []
    waiting = asyncio.ensure_future(stores.outbox.wait_for_facts(LONG))
    await asyncio.sleep(0)
    assert not waiting.done()
    await tell(stores, fact(FactKind.CONNECTED))
    assert await waiting
    assert len(await stores.outbox.pending_facts(10)) == 1


async def test_nobody_waits_while_there_are_facts(stores: Stores) -> None:
    await tell(stores, fact(FactKind.CONNECTED))
    await stores.outbox.pending_facts(10)
    assert await stores.outbox.wait_for_facts(LONG)


async def test_a_wait_ends_with_its_time(stores: Stores) -> None:
    assert list(await stores.outbox.pending_facts(10)) == []
    assert not await stores.outbox.wait_for_facts(0.001)


async def test_a_fact_whose_change_failed_wakes_nobody(stores: Stores) -> None:
    assert list(await stores.outbox.pending_facts(10)) == []
    with pytest.raises(DeviceExists):
        await stores.devices.put_device(device(), replacing=None, facts=[fact(FactKind.DEVICE_CREATED)])
    assert not await stores.outbox.wait_for_facts(0.001)
