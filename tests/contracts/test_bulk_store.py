"""The contract of provisioning.bulk.ports.BulkStore, against every implementation."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.contracts.stores import (
    ARM,
    CREATED_AT,
    IMPLEMENTATIONS,
    NOBODY,
    PRESS,
    device,
    fact,
    facts_of,
    module,
    open_stores,
    register,
)

from ironhub.core.facts import FactKind
from ironhub.core.ids import Identity, identity
from ironhub.provisioning.bulk.model import Change, Mark, Outcome
from ironhub.provisioning.bulk.ports import Step, View
from ironhub.registry.model import DeviceExists, DeviceStatus
from ironhub.storage.stores import Stores
from ironhub.twins.model import Section, Twin, initial_twin

OTHER = identity("other")
TWIN = Twin(PRESS, version=3, etag_counter=2, tags={"hall": "b"}, desired=Section(2, {"n": 1}, {"$lastUpdated": 1.0}))


@pytest.fixture(params=IMPLEMENTATIONS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with open_stores(request.param, tmp_path) as opened:
        yield opened


def creating(who: Identity = PRESS) -> Step:
    """A step that creates a device, unless it is there."""

    def step(view: View) -> Change:
        if view.device(who.device_id) is not None:
            raise DeviceExists(f"{who} exists already")
        return Change(identity=who, put=device(who), is_new=True, facts=(fact(FactKind.DEVICE_CREATED, who),))

    return step


def always(change: Change) -> Step:
    """A step that looks at nothing."""
    return lambda view: change


async def test_what_steps_put_is_stored_with_its_facts(stores: Stores) -> None:
    change = Change(
        identity=PRESS,
        put=device(),
        is_new=True,
        modules=(module(),),
        twin=TWIN,
        facts=(fact(FactKind.DEVICE_CREATED), fact(FactKind.DEVICE_CREATED, ARM)),
    )
    assert await stores.bulk.apply([always(change)]) == [change]
    assert await stores.devices.get_device(PRESS.device_id) == device()
    assert await stores.devices.get_module(ARM) == module()
    assert await stores.twins.get_twin(PRESS) == TWIN
    assert [told.identity for told in await facts_of(stores)] == [PRESS, ARM]


async def test_a_step_sees_what_those_before_it_did_and_its_refusal_stops_nobody(stores: Stores) -> None:
    outcomes = await stores.bulk.apply([creating(), creating(), creating(OTHER)])
    assert [type(outcome) for outcome in outcomes] == [Change, DeviceExists, Change]
    assert await stores.devices.get_device(OTHER.device_id) is not None
    assert await stores.devices.count_devices() == (2, 2)
    assert len(await facts_of(stores)) == 2


async def test_a_view_shows_identities_twins_and_how_many_modules(stores: Stores) -> None:
    await register(stores, PRESS, ARM)
    seen: list[object] = []

    def look(view: View) -> Change:
        seen.extend([view.device(PRESS.device_id), view.module(ARM), view.count_modules(PRESS.device_id)])
        seen.extend([view.twin(PRESS), view.twin(NOBODY), view.device(NOBODY.device_id), view.module(NOBODY)])
        return Change(identity=PRESS)

    await stores.bulk.apply([look])
    assert seen == [device(), module(), 1, initial_twin(PRESS, CREATED_AT), None, None, None]


async def test_what_is_there_is_replaced_and_its_presence_stays(stores: Stores) -> None:
    await register(stores, PRESS, ARM)
    await stores.devices.record_presence([fact(FactKind.CONNECTED)])
    disabled = replace(device(etag="e2"), status=DeviceStatus.DISABLED)
    await stores.bulk.apply(
        [always(Change(identity=PRESS, put=disabled)), always(Change(identity=ARM, put=module(etag="e3")))]
    )
    stored = await stores.devices.get_device(PRESS.device_id)
    assert stored is not None
    assert (stored.etag, stored.status, stored.presence.connected) == ("e2", DeviceStatus.DISABLED, True)
    known = await stores.devices.known_identity(PRESS)
    assert known is not None
    assert known.enabled is False
    arm = await stores.devices.get_module(ARM)
    assert arm is not None
    assert arm.etag == "e3"
    assert await stores.devices.count_devices() == (1, 0)


async def test_what_was_remembered_for_the_gate_is_forgotten(stores: Stores) -> None:
    await register(stores, PRESS)
    assert await stores.devices.known_identity(PRESS) is not None
    await stores.bulk.apply([always(Change(identity=PRESS, delete=True))])
    assert await stores.devices.known_identity(PRESS) is None


async def test_a_deleted_device_takes_its_modules_and_twins_along(stores: Stores) -> None:
    await register(stores, PRESS, ARM)
    await stores.bulk.apply([always(Change(identity=PRESS, twin=TWIN))])
    await stores.bulk.apply([always(Change(identity=PRESS, delete=True))])
    assert await stores.devices.get_module(ARM) is None
    assert await stores.twins.get_twin(PRESS) is None
    await register(stores, PRESS)
    assert await stores.twins.get_twin(PRESS) == initial_twin(PRESS, CREATED_AT)


async def test_a_deleted_module_leaves_its_device(stores: Stores) -> None:
    await register(stores, PRESS, ARM)
    await stores.bulk.apply([always(Change(identity=ARM, delete=True))])
    assert await stores.devices.list_modules(PRESS.device_id) == ()
    assert await stores.devices.get_device(PRESS.device_id) is not None


async def test_modules_that_are_there_stay_as_they_are(stores: Stores) -> None:
    await register(stores, PRESS, ARM)
    await stores.bulk.apply([always(Change(identity=PRESS, put=device(), modules=(module(etag="new"),)))])
    assert await stores.devices.get_module(ARM) == module()


async def test_any_other_error_undoes_all(stores: Stores) -> None:
    def broken(view: View) -> Change:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await stores.bulk.apply([creating(), broken], conclude=lambda outcomes: Mark("m", 1, 0.0, {}))
    assert await stores.devices.count_devices() == (0, 0)
    assert await facts_of(stores) == []
    assert await stores.bulk.get_mark("m") is None


async def test_a_dry_run_tells_the_outcomes_and_changes_nothing(stores: Stores) -> None:
    outcomes = await stores.bulk.apply(
        [creating(), creating()], dry_run=True, conclude=lambda outcomes: Mark("m", 1, 0.0, {})
    )
    assert [type(outcome) for outcome in outcomes] == [Change, DeviceExists]
    assert await stores.devices.get_device(PRESS.device_id) is None
    assert await facts_of(stores) == []
    assert await stores.bulk.get_mark("m") is None
    assert len(await stores.bulk.apply([creating()])) == 1


async def test_a_mark_is_stored_with_the_rows_it_tells_of(stores: Stores) -> None:
    seen: list[Sequence[Outcome]] = []

    def conclude(outcomes: Sequence[Outcome]) -> Mark:
        seen.append(outcomes)
        return Mark("plant", len(seen), CREATED_AT, {"failed": [1, {"a": None}]})

    assert await stores.bulk.get_mark("plant") is None
    await stores.bulk.apply([creating()], conclude=conclude)
    await stores.bulk.apply([creating()], conclude=conclude)
    assert await stores.bulk.get_mark("plant") == Mark("plant", 2, CREATED_AT, {"failed": [1, {"a": None}]})
    assert [[type(outcome) for outcome in outcomes] for outcomes in seen] == [[Change], [DeviceExists]]


async def test_marks_are_forgotten(stores: Stores) -> None:
    for name, at in (("old", 1.0), ("new", 3.0), ("over", 3.0)):
        await stores.bulk.apply([], conclude=lambda outcomes, name=name, at=at: Mark(name, 0, at, {}))  # type: ignore[misc]  # a lambda's defaults
    await stores.bulk.drop_marks(2.0)
    await stores.bulk.drop_mark("over")
    await stores.bulk.drop_mark("never")
    found = [await stores.bulk.get_mark(name) for name in ("old", "new", "over")]
    assert [mark is not None for mark in found] == [False, True, False]


async def test_pages_show_each_device_before_its_modules_with_their_twins(stores: Stores) -> None:
    leg = identity("press-7", "leg")
    await register(stores, identity("press"), PRESS, identity("press-70"), ARM, leg)
    await stores.bulk.apply([always(Change(identity=PRESS, twin=TWIN))])
    seen: list[str] = []
    after: Identity | None = None
    while page := await stores.bulk.page(after=after, limit=2):
        assert len(page) <= 2
        seen += [str(each.owner.identity) for each in page]
        after = page[-1].owner.identity
        for each in page:
            assert each.twin == (TWIN if each.owner == device() else initial_twin(each.owner.identity, CREATED_AT))
    assert seen == ["press", "press-7", "press-7/arm", "press-7/leg", "press-70"]
