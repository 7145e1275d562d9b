from typing import Any

import pytest
from tests.fakes.grants import by_operator
from tests.fakes.services import SmallHub
from tests.fakes.trouble import troubled

from ironhub.access.model import Permission
from ironhub.core.bus import DesiredChanged
from ironhub.core.errors import HubError
from ironhub.core.ids import Identity, identity
from ironhub.provisioning.bulk.model import Row, RowMode, SectionWish, TwinWish
from ironhub.provisioning.bulk.service import BulkService
from ironhub.twins.model import TwinInvalid

PRESS, ARM, OTHER, GATEWAY = identity("press-7"), identity("press-7", "arm"), identity("other"), identity("gw-1")


WRITE = by_operator(Permission.REGISTRY_WRITE)


@pytest.fixture
def hub() -> SmallHub:
    return SmallHub()


@pytest.fixture
def bulk(hub: SmallHub) -> BulkService:
    return BulkService(troubled(hub.stores.bulk, hub.trouble), hub.bus, hub.clock, hub.entropy)


def row(who: Identity = PRESS, mode: RowMode = RowMode.CREATE, **fields: Any) -> Row:
    return Row(identity=who, mode=mode, **fields)


async def errors(bulk: BulkService, *rows: Row | HubError) -> list[type[HubError]]:
    """Apply the rows and return what went wrong."""
    return [type(each.error) for each in (await bulk.apply(WRITE, rows)).errors]


async def test_an_update_overwrites_the_sections_it_names_and_a_connected_device_hears(
    hub: SmallHub, bulk: BulkService
) -> None:
    first = TwinWish({"a": 1, "b": 2}, SectionWish({"x": 1, "y": {"z": 1}}), SectionWish({"r": 1}))
    await bulk.apply(WRITE, [row(twin=first)])
    await bulk.apply(WRITE, [row(mode=RowMode.UPDATE, twin=TwinWish({"c": 3}, SectionWish({"x": 1})))])
    twin = await hub.stores.twins.get_twin(PRESS)
    assert twin is not None
    assert (twin.tags, twin.desired.properties, twin.reported.properties) == ({"c": 3}, {"x": 1}, {"r": 1})
    assert (twin.version, twin.desired.version, twin.etag_counter) == (3, 2, 2)
    assert hub.heard == [DesiredChanged(PRESS, 2, {"y": None})]


async def test_a_twin_update_merges_and_leaves_what_the_device_reported(hub: SmallHub, bulk: BulkService) -> None:
    await bulk.apply(WRITE, [row(twin=TwinWish({"a": 1}, SectionWish({"x": 1}), SectionWish({"r": 1})))])
    wish = TwinWish({"b": 2}, SectionWish({"x": None, "y": 1}), SectionWish({"r": 2}))
    await bulk.apply(WRITE, [row(mode=RowMode.UPDATE_TWIN, twin=wish)])
    twin = await hub.stores.twins.get_twin(PRESS)
    assert twin is not None
    assert (twin.tags, twin.desired.properties, twin.reported.properties) == ({"a": 1, "b": 2}, {"y": 1}, {"r": 1})
    assert hub.heard == [DesiredChanged(PRESS, 2, {"x": None, "y": 1})]


async def test_a_twin_from_another_hub_brings_its_history_and_versions_never_go_back(
    hub: SmallHub, bulk: BulkService
) -> None:
    told = {"$lastUpdated": 5.0, "x": {"$lastUpdated": 4.0}}
    await bulk.apply(WRITE, [row(twin=TwinWish(desired=SectionWish({"x": 1}, told, 40)))])
    twin = await hub.stores.twins.get_twin(PRESS)
    assert twin is not None
    assert (twin.desired.version, twin.desired.metadata) == (40, told)
    await bulk.apply(WRITE, [row(mode=RowMode.UPDATE, twin=TwinWish(desired=SectionWish({"x": 2}, told, 7)))])
    twin = await hub.stores.twins.get_twin(PRESS)
    assert twin is not None
    assert twin.desired.version == 41


async def test_rules_of_twins_hold_for_rows_too(hub: SmallHub, bulk: BulkService) -> None:
    bad = [TwinWish({"a.b": 1}), TwinWish(desired=SectionWish({"x": "y" * 5000})), TwinWish({"t": ["x" * 4000] * 3})]
    assert await errors(bulk, *(row(twin=twin) for twin in bad)) == [TwinInvalid] * 3
    assert await errors(bulk, row(), *(row(mode=RowMode.UPDATE_TWIN, twin=twin) for twin in bad)) == [TwinInvalid] * 3
    assert await errors(bulk, *(row(mode=RowMode.UPDATE, twin=twin) for twin in bad)) == [TwinInvalid] * 3
