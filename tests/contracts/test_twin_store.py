"""The contract of twins.ports.TwinStore, against every implementation."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.contracts.stores import (
    ARM,
    CREATED_AT,
    IMPLEMENTATIONS,
    NOBODY,
    PRESS,
    fact,
    facts_of,
    open_stores,
    register,
)

from ironhub.core.facts import FactKind
from ironhub.storage.stores import Stores
from ironhub.twins.model import FIRST_VERSION, Section, Twin, TwinVersionConflict, initial_twin

RICH = Twin(
    PRESS,
    version=9,
    etag_counter=4,
    tags={"site": {"hall": "Ä\u2028\U0001f600"}, "n": None},
    desired=Section(5, {"fan": {"speed": 3, "ratio": 0.1, "big": 2**70, "on": True, "list": [1, "a", {}]}}, {"$v": 1}),
    reported=Section(4, {"": {}}, {"$lastUpdated": CREATED_AT}),
    configurations={"speed": {"status": "Applied"}},
)


@pytest.fixture(params=IMPLEMENTATIONS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with open_stores(request.param, tmp_path) as opened:
        yield opened


async def test_whoever_is_registered_has_the_initial_twin(stores: Stores) -> None:
    await register(stores, PRESS, ARM)
    for owner in (PRESS, ARM):
        assert await stores.twins.get_twin(owner) == initial_twin(owner, CREATED_AT)
    assert await stores.twins.get_twin(NOBODY) is None


async def test_a_twin_comes_back_as_it_was_put(stores: Stores) -> None:
    await register(stores, PRESS, ARM)
    await stores.twins.put_twin(RICH, replacing=FIRST_VERSION)
    found = await stores.twins.get_twin(PRESS)
    assert found == RICH
    assert found.desired.properties["fan"]["on"] is True
    assert await stores.twins.get_twin(ARM) == initial_twin(ARM, CREATED_AT)
    later = replace(RICH, version=10, tags={})
    await stores.twins.put_twin(later, replacing=9)
    assert await stores.twins.get_twin(PRESS) == later


async def test_a_stale_put_changes_nothing(stores: Stores) -> None:
    await register(stores, PRESS)
    told = fact(FactKind.TWIN_UPDATED)
    with pytest.raises(TwinVersionConflict):
        await stores.twins.put_twin(RICH, replacing=7, facts=[told])
    await stores.twins.put_twin(RICH, replacing=FIRST_VERSION, facts=[told])
    for stale in (FIRST_VERSION, 0, 8, 10):
        with pytest.raises(TwinVersionConflict):
            await stores.twins.put_twin(replace(RICH, version=11, tags={}), replacing=stale, facts=[told])
    assert await stores.twins.get_twin(PRESS) == RICH
    assert await facts_of(stores) == [told]


@pytest.mark.parametrize("replacing", [FIRST_VERSION, 7])
async def test_nobody_gets_a_twin_who_is_not_registered(stores: Stores, replacing: int) -> None:
    with pytest.raises(TwinVersionConflict):
        await stores.twins.put_twin(replace(RICH, identity=NOBODY), replacing=replacing)
    assert await stores.twins.get_twin(NOBODY) is None


async def test_what_the_caller_does_to_its_copy_does_not_reach_the_store(stores: Stores) -> None:
    await register(stores, PRESS)
    mine = Twin(PRESS, version=3, tags={"a": {"b": 1}})
    await stores.twins.put_twin(mine, replacing=FIRST_VERSION)
    mine.tags["a"]["b"] = 2
    found = await stores.twins.get_twin(PRESS)
    assert found is not None
    found.tags["a"]["b"] = 3
    again = await stores.twins.get_twin(PRESS)
    assert again is not None
    assert again.tags == {"a": {"b": 1}}


async def test_of_many_writers_each_version_has_exactly_one(stores: Stores) -> None:
    """A hundred add one to a counter until each has succeeded once: no step is lost, none is counted twice."""
    await register(stores, PRESS)
    conflicts = 0

    async def add_one() -> None:
        nonlocal conflicts
        while True:
            old = await stores.twins.get_twin(PRESS)
            assert old is not None
            count = old.tags.get("count", 0) + 1
            new = replace(old, version=old.version + 1, tags={"count": count})
            try:
                await stores.twins.put_twin(new, replacing=old.version, facts=[fact(FactKind.TWIN_UPDATED)])
            except TwinVersionConflict:
                conflicts += 1
            else:
                return

    await asyncio.gather(*(add_one() for _ in range(100)))
    found = await stores.twins.get_twin(PRESS)
    assert found is not None
    assert (found.version, found.tags) == (FIRST_VERSION + 100, {"count": 100})
    assert len(await facts_of(stores)) == 100


async def test_of_a_hundred_writers_of_one_version_one_wins(stores: Stores) -> None:
    await register(stores, PRESS)
    puts = (stores.twins.put_twin(Twin(PRESS, 3, tags={"n": n}), replacing=FIRST_VERSION) for n in range(100))
    outcomes = await asyncio.gather(*puts, return_exceptions=True)
    assert outcomes.count(None) == 1
    assert sum(isinstance(outcome, TwinVersionConflict) for outcome in outcomes) == 99
