"""The contract of twins.configurations.ports.ConfigurationStore, against every implementation."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.contracts.stores import ARM, CREATED_AT, IMPLEMENTATIONS, NOBODY, PRESS, open_stores, register

from ironhub.core.ids import identity
from ironhub.storage.stores import Stores
from ironhub.twins.configurations.errors import (
    ConfigurationEtagMismatch,
    ConfigurationExists,
    ConfigurationNotFound,
    TooManyConfigurations,
)
from ironhub.twins.configurations.model import (
    MAX_CONFIGURATIONS,
    Configuration,
    Configured,
    Content,
    ContentKind,
    Progress,
    Results,
    Write,
)
from ironhub.twins.model import FIRST_VERSION, Twin

SPEED = Configuration(
    id="speed",
    etag="e1",
    created_at=CREATED_AT + 0.25,
    updated_at=CREATED_AT + 1,
    content=Content(ContentKind.DEVICE, (Write(("fan", "speed"), {"b": [1, None, "x"], "a": 0.5}),)),
    target="tags.hall = 'Ä'",
    priority=7,
    labels={"by": "plant"},
    metrics={"slow": "SELECT deviceId FROM devices"},
)
EDGE = Configuration(
    id="a-first",
    etag="e1",
    created_at=CREATED_AT,
    updated_at=CREATED_AT,
    content=Content(ContentKind.EDGE, (Write((), {"n": 1}, "one"), Write(("m",), 2, "two"))),
)
FOUND = Results(CREATED_AT + 9, 3, 2, 1, 0, {"slow": 5})


@pytest.fixture(params=IMPLEMENTATIONS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with open_stores(request.param, tmp_path) as opened:
        yield opened


async def test_a_configuration_comes_back_as_it_was_put(stores: Stores) -> None:
    for made in (SPEED, EDGE):
        await stores.configurations.put_configuration(made, replacing=None)
    assert await stores.configurations.get_configuration("speed") == SPEED
    assert await stores.configurations.get_configuration("Speed") is None
    assert list(await stores.configurations.list_configurations()) == [EDGE, SPEED]


async def test_a_change_needs_the_stored_etag(stores: Stores) -> None:
    await stores.configurations.put_configuration(SPEED, replacing=None)
    with pytest.raises(ConfigurationExists):
        await stores.configurations.put_configuration(replace(SPEED, etag="e2"), replacing=None)
    for stale in (replace(SPEED, etag="e2"), replace(EDGE, etag="e2")):
        with pytest.raises(ConfigurationEtagMismatch):
            await stores.configurations.put_configuration(stale, replacing="e0")
    changed = replace(SPEED, etag="e2", priority=8, target="*", results=FOUND)
    await stores.configurations.put_configuration(changed, replacing="e1")
    assert list(await stores.configurations.list_configurations()) == [changed]


async def test_there_is_room_for_so_many_only(stores: Stores) -> None:
    for number in range(MAX_CONFIGURATIONS):
        await stores.configurations.put_configuration(replace(SPEED, id=f"c{number}"), replacing=None)
    with pytest.raises(TooManyConfigurations):
        await stores.configurations.put_configuration(EDGE, replacing=None)
    assert await stores.configurations.get_configuration(EDGE.id) is None
    with pytest.raises(ConfigurationExists):
        await stores.configurations.put_configuration(replace(SPEED, id="c0"), replacing=None)
    await stores.configurations.delete_configuration("c0", replacing=None)
    await stores.configurations.put_configuration(EDGE, replacing=None)


async def test_a_deleted_configuration_is_gone(stores: Stores) -> None:
    await stores.configurations.put_configuration(SPEED, replacing=None)
    with pytest.raises(ConfigurationEtagMismatch):
        await stores.configurations.delete_configuration("speed", replacing="e0")
    await stores.configurations.delete_configuration("speed", replacing="e1")
    assert list(await stores.configurations.list_configurations()) == []
    for replacing in (None, "e1"):
        with pytest.raises(ConfigurationNotFound):
            await stores.configurations.delete_configuration("speed", replacing=replacing)


async def test_results_are_kept_of_what_was_looked_for_from_the_beginning(stores: Stores) -> None:
    for made in (SPEED, EDGE):
        await stores.configurations.put_configuration(made, replacing=None)
    covered = {"speed": SPEED.created_at, "a-first": EDGE.created_at - 1, "gone": 1.0}
    await stores.configurations.put_progress(Progress())
    await stores.configurations.record_results(dict.fromkeys((*covered, "new"), FOUND), covered, None)
    assert list(await stores.configurations.list_configurations()) == [EDGE, replace(SPEED, results=FOUND)]
    assert await stores.configurations.get_progress() is None


@pytest.mark.parametrize("after", [None, PRESS, ARM])
async def test_progress_is_kept_until_it_is_over(stores: Stores, after: object) -> None:
    assert await stores.configurations.get_progress() is None
    progress = Progress(
        after=after,  # type: ignore[arg-type]  # parametrised
        covered={"speed": CREATED_AT + 0.25},
        targeted={"speed": 3},
        applied={"speed": 1},
    )
    for stored in (Progress(), progress):
        await stores.configurations.put_progress(stored)
        assert await stores.configurations.get_progress() == stored
    await stores.configurations.record_results({}, {}, progress)
    assert await stores.configurations.get_progress() == progress
    await stores.configurations.put_progress(None)
    assert await stores.configurations.get_progress() is None


async def test_configured_twins_are_found_page_by_page_in_the_order_of_their_ids(stores: Stores) -> None:
    before, behind = identity("press-6"), identity("press-7", "zoom")
    await register(stores, PRESS, before, ARM, behind, NOBODY)
    applied = {"speed": {"status": "Applied"}}
    for who in (PRESS, behind, ARM, before):
        await stores.twins.put_twin(
            Twin(who, FIRST_VERSION + 1, configurations=applied if who != ARM else {}), replacing=FIRST_VERSION
        )
    find = stores.configurations.configured_twins
    everybody = [Configured(who, applied) for who in (before, PRESS, behind)]
    assert list(await find(after=None, limit=10)) == everybody
    assert list(await find(after=None, limit=1)) == everybody[:1]
    assert list(await find(after=before, limit=1)) == everybody[1:2]
    assert list(await find(after=PRESS, limit=10)) == everybody[2:]
    assert list(await find(after=behind, limit=10)) == []
    await stores.twins.put_twin(Twin(PRESS, FIRST_VERSION + 2), replacing=FIRST_VERSION + 1)
    await stores.devices.delete_device(before.device_id, replacing=None)
    assert list(await find(after=None, limit=10)) == everybody[2:]
