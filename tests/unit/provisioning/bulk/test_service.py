import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from tests.fakes.grants import by_operator
from tests.fakes.services import SmallHub
from tests.fakes.trouble import settle, troubled, until

from ironhub.access.model import Permission, PermissionDenied
from ironhub.core.bus import CredentialsChanged, DesiredChanged
from ironhub.core.errors import HubError, InvalidArgument, Unavailable
from ironhub.core.facts import FactKind
from ironhub.core.ids import Identity, identity
from ironhub.identity.model import CredentialKind, Credentials, SymmetricKeys
from ironhub.provisioning.bulk.model import BulkResult, DefinedTwice, Row, RowMode, SectionWish, TooManyRows, TwinWish
from ironhub.provisioning.bulk.service import MARK_AGE, BulkService
from ironhub.registry.edge import ScopeInvalid, SystemModule
from ironhub.registry.model import (
    MAX_MODULES_PER_DEVICE,
    DeviceDraft,
    DeviceExists,
    DeviceNotFound,
    DeviceStatus,
    EtagMismatch,
    ModuleDraft,
    ModuleExists,
    ModuleNotFound,
    TooManyModules,
)
from ironhub.twins.model import TwinInvalid, TwinVersionConflict, etag_of

PRESS, ARM, OTHER, GATEWAY = identity("press-7"), identity("press-7", "arm"), identity("other"), identity("gw-1")
KEYS = Credentials(CredentialKind.SAS, keys=SymmetricKeys(b"p" * 32, b"s" * 32))
WRITE = by_operator(Permission.REGISTRY_WRITE)
DISABLED = DeviceDraft(status=DeviceStatus.DISABLED)


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


async def test_devices_and_modules_are_created_with_keys_facts_and_twins(hub: SmallHub, bulk: BulkService) -> None:
    twin = TwinWish({"hall": "b"}, SectionWish({"n": 1}), SectionWish({"seen": True}))
    rows = [row(twin=twin, device=DISABLED), row(ARM, module=ModuleDraft(managed_by="us")), row(OTHER)]
    assert await bulk.apply(WRITE, rows) == BulkResult(3)
    device = await hub.stores.devices.get_device(PRESS.device_id)
    assert device is not None
    assert device.credentials.keys is not None
    assert device.status is DeviceStatus.DISABLED
    module = await hub.stores.devices.get_module(ARM)
    assert module is not None
    assert module.managed_by == "us"
    stored = await hub.stores.twins.get_twin(PRESS)
    assert stored is not None
    assert (stored.tags, stored.desired.properties, stored.reported.properties) == (
        {"hall": "b"},
        {"n": 1},
        {"seen": True},
    )
    assert (stored.version, stored.desired.version, stored.reported.version) == (2, 1, 1)
    told = [(fact.kind, fact.identity) for fact in await hub.facts()]
    created = FactKind.DEVICE_CREATED
    assert told == [(created, PRESS), (created, ARM), (created, OTHER)]
    assert hub.heard == []


async def test_a_row_that_fails_is_told_and_stops_nobody(hub: SmallHub, bulk: BulkService) -> None:
    unreadable = InvalidArgument("no row")
    result = await bulk.apply(WRITE, [row(), unreadable, row(), row(OTHER, RowMode.UPDATE), row(OTHER)])
    assert result.done == 2
    told = [(each.number, each.identity, type(each.error)) for each in result.errors]
    assert told == [(1, None, InvalidArgument), (2, PRESS, DeviceExists), (3, OTHER, DeviceNotFound)]
    assert await hub.stores.devices.count_devices() == (2, 2)


async def test_each_mode_asks_for_what_is_there_or_not(hub: SmallHub, bulk: BulkService) -> None:
    assert await errors(bulk, row(mode=RowMode.UPDATE), row(mode=RowMode.DELETE)) == [DeviceNotFound] * 2
    assert await errors(bulk, row(mode=RowMode.UPDATE_TWIN, twin=TwinWish({}))) == [DeviceNotFound]
    assert await errors(bulk, row(ARM)) == [DeviceNotFound]
    assert await errors(bulk, row(mode=RowMode.CREATE_OR_UPDATE), row(mode=RowMode.CREATE_OR_UPDATE)) == []
    assert await errors(bulk, row(), row(mode=RowMode.UPDATE)) == [DeviceExists]
    missing = [row(ARM, mode) for mode in (RowMode.UPDATE, RowMode.DELETE, RowMode.UPDATE_TWIN)]
    assert await errors(bulk, *missing) == [ModuleNotFound] * 3
    assert await errors(bulk, row(ARM, RowMode.CREATE_OR_UPDATE), row(ARM)) == [ModuleExists]
    assert await errors(bulk, row(ARM, RowMode.UPDATE), row(ARM, RowMode.DELETE), row(mode=RowMode.DELETE)) == []
    assert await hub.stores.devices.count_devices() == (0, 0)


async def test_who_loses_a_right_is_told_to_be_judged_again(hub: SmallHub, bulk: BulkService) -> None:
    await bulk.apply(WRITE, [row(), row(ARM), row(OTHER)])
    update, delete = RowMode.UPDATE, RowMode.DELETE
    await bulk.apply(
        WRITE,
        [
            row(mode=update, device=DISABLED),
            row(mode=update, device=DeviceDraft(credentials=KEYS)),
            row(mode=update, device=DeviceDraft(edge_capable=False)),
            row(ARM, update, module=ModuleDraft(credentials=KEYS)),
            row(ARM, update),
            row(ARM, delete),
            row(OTHER, delete),
        ],
    )
    assert hub.heard == [
        CredentialsChanged(PRESS, whole_device=True),
        CredentialsChanged(PRESS, whole_device=False),
        CredentialsChanged(ARM, whole_device=False),
        CredentialsChanged(ARM, whole_device=False),
        CredentialsChanged(OTHER, whole_device=True),
    ]


async def test_etags_of_device_and_twin_are_looked_at_apart(hub: SmallHub, bulk: BulkService) -> None:
    await bulk.apply(WRITE, [row(), row(ARM)])
    device = await hub.stores.devices.get_device(PRESS.device_id)
    twin = await hub.stores.twins.get_twin(PRESS)
    assert device is not None
    assert twin is not None
    tags = TwinWish({"hall": "b"})
    stale = [
        row(mode=RowMode.UPDATE, if_match="stale"),
        row(mode=RowMode.DELETE, if_match="stale"),
        row(ARM, RowMode.DELETE, if_match="stale"),
        row(mode=RowMode.UPDATE, if_match=device.etag, twin_if_match="stale", twin=tags),
        row(mode=RowMode.UPDATE_TWIN, twin_if_match="stale", twin=tags),
    ]
    assert await errors(bulk, *stale) == [EtagMismatch] * 3 + [TwinVersionConflict] * 2
    assert await hub.stores.devices.get_device(PRESS.device_id) == device
    good = row(mode=RowMode.UPDATE, if_match=device.etag, twin_if_match=etag_of(twin), twin=tags)
    assert await errors(bulk, good) == []
    assert await errors(bulk, row(mode=RowMode.DELETE, if_match="*")) == []


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


async def test_edge_devices_come_with_modules_and_are_parents(hub: SmallHub, bulk: BulkService) -> None:
    edge = DeviceDraft(edge_capable=True)
    assert await errors(bulk, row(GATEWAY, device=edge)) == []
    gateway = await hub.stores.devices.get_device(GATEWAY.device_id)
    assert gateway is not None
    assert len(await hub.stores.devices.list_modules(GATEWAY.device_id)) == 2
    agent = identity("gw-1", "$edgeAgent")
    assert await errors(bulk, row(agent), row(agent, RowMode.DELETE)) == [SystemModule] * 2
    assert await errors(bulk, row(device=DeviceDraft(scope=gateway.scope))) == []
    dangling = DeviceDraft(scope="ms-azure-iot-edge://gw-9-1")
    assert await errors(bulk, row(OTHER, device=dangling)) == [ScopeInvalid]
    assert await errors(bulk, row(OTHER, device=dangling, parent_may_follow=True)) == []
    wrong = DeviceDraft(scope=f"{gateway.scope}0")
    assert await errors(bulk, row(mode=RowMode.UPDATE, device=wrong, parent_may_follow=True)) == [ScopeInvalid]


async def test_a_device_has_so_many_modules(bulk: BulkService) -> None:
    modules = [row(identity("press-7", f"m{number}")) for number in range(MAX_MODULES_PER_DEVICE + 1)]
    assert await errors(bulk, row(), *modules) == [TooManyModules]


async def test_too_many_rows_and_names_that_come_twice_change_nothing(hub: SmallHub, bulk: BulkService) -> None:
    with pytest.raises(TooManyRows):
        await bulk.apply(WRITE, [row()] * 3, max_rows=2)
    with pytest.raises(DefinedTwice):
        await bulk.apply(WRITE, [row(), row(ARM), row()], distinct=True)
    with pytest.raises(DefinedTwice):
        await bulk.new_keys(WRITE, [PRESS, PRESS], secondary=False)
    assert await hub.stores.devices.count_devices() == (0, 0)


async def test_new_keys_replace_one_and_sessions_are_judged(hub: SmallHub, bulk: BulkService) -> None:
    await bulk.apply(WRITE, [row(device=DeviceDraft(credentials=KEYS)), row(ARM), row(OTHER, device=pinned())])
    rekeyed = await bulk.new_keys(WRITE, [PRESS, ARM, OTHER, identity("nobody")], secondary=True)
    keys = [each.outcome for each in rekeyed]
    assert isinstance(keys[0], SymmetricKeys)
    assert keys[0].primary == b"p" * 32
    assert keys[0].secondary != b"s" * 32
    assert isinstance(keys[1], SymmetricKeys)
    assert [type(key) for key in keys[2:]] == [InvalidArgument, DeviceNotFound]
    assert hub.heard == [CredentialsChanged(PRESS, whole_device=False), CredentialsChanged(ARM, whole_device=False)]
    first = (await bulk.new_keys(WRITE, [PRESS], secondary=False))[0].outcome
    assert isinstance(first, SymmetricKeys)
    assert first.primary != b"p" * 32
    assert first.secondary == keys[0].secondary


async def test_a_dry_run_tells_nobody(hub: SmallHub, bulk: BulkService) -> None:
    await bulk.apply(WRITE, [row()])
    result = await bulk.apply(WRITE, [row(mode=RowMode.DELETE), row(OTHER), row(OTHER)], dry_run=True)
    assert (result.done, [each.number for each in result.errors]) == (2, [2])
    assert hub.heard == []
    assert await hub.stores.devices.count_devices() == (1, 1)


async def test_an_import_remembers_where_it_is_and_what_became_of_its_newest_rows(
    hub: SmallHub, bulk: BulkService
) -> None:
    assert await bulk.import_mark(WRITE, "plant") is None

    def notes(result: BulkResult) -> dict[str, Any]:
        return {"failed": [each.number for each in result.errors]}

    result = await bulk.continue_import(WRITE, [row(), row()], name="plant", position=2, notes=notes)
    assert result.done == 1
    mark = await bulk.import_mark(WRITE, "plant")
    assert mark is not None
    assert (mark.position, mark.data) == (2, {"failed": [1]})
    hub.clock.advance(MARK_AGE + 1)
    await bulk.forget_import(WRITE, "another")
    assert await bulk.import_mark(WRITE, "plant") is None


async def test_who_hangs_up_has_changed_it_all_the_same_and_it_is_told(hub: SmallHub, bulk: BulkService) -> None:
    await bulk.apply(WRITE, [row()])
    hub.trouble.stick()
    task = asyncio.create_task(bulk.apply(WRITE, [row(mode=RowMode.DELETE)]))
    await settle()
    task.cancel()
    await asyncio.wait([task])
    hub.trouble.unstick()
    await until(lambda: hub.heard)
    assert hub.heard == [CredentialsChanged(PRESS, whole_device=True)]


async def test_a_disk_that_refuses_changes_and_tells_nothing(hub: SmallHub, bulk: BulkService) -> None:
    hub.trouble.refusals = 1
    with pytest.raises(Unavailable):
        await bulk.apply(WRITE, [row()])
    assert hub.heard == []


async def test_a_grant_for_one_device_or_for_reading_opens_no_bulk_call(bulk: BulkService) -> None:
    grants = [by_operator(Permission.REGISTRY_WRITE, PRESS), by_operator(Permission.REGISTRY_READ)]
    for grant in grants:
        calls: Sequence[Any] = [
            bulk.apply(grant, [row()]),
            bulk.continue_import(grant, [row()], name="x", position=1, notes=lambda result: {}),
            bulk.new_keys(grant, [PRESS], secondary=False),
            bulk.import_mark(grant, "x"),
            bulk.forget_import(grant, "x"),
            bulk.page(grant, after=None),
        ]
        for call in calls:
            with pytest.raises(PermissionDenied):
                await call


async def test_pages_are_bounded(bulk: BulkService) -> None:
    await bulk.apply(WRITE, [row(), row(ARM), row(OTHER)])
    page = await bulk.page(by_operator(Permission.TRANSFER_READ), after=None, limit=0)
    assert [each.owner.identity for each in page] == [OTHER]


def pinned() -> DeviceDraft:
    """A device without keys."""
    return DeviceDraft(credentials=Credentials(CredentialKind.NONE))
