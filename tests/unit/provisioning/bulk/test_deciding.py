from typing import Any

import pytest
from tests.fakes.grants import by_operator
from tests.fakes.services import SmallHub
from tests.fakes.trouble import troubled

from ironhub.access.model import Permission
from ironhub.core.bus import CredentialsChanged
from ironhub.core.errors import HubError, InvalidArgument
from ironhub.core.facts import FactKind
from ironhub.core.ids import Identity, identity
from ironhub.identity.model import CredentialKind, Credentials, SymmetricKeys
from ironhub.provisioning.bulk.model import BulkResult, Row, RowMode, SectionWish, TwinWish
from ironhub.provisioning.bulk.service import BulkService
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
from ironhub.twins.model import TwinVersionConflict, etag_of

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


def pinned() -> DeviceDraft:
    """A device without keys."""
    return DeviceDraft(credentials=Credentials(CredentialKind.NONE))


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
