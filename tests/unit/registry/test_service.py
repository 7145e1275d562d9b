import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.fakes.clock import START
from tests.fakes.grants import by_operator
from tests.fakes.services import SmallHub
from tests.fakes.trouble import settle, until

from ironhub.access.model import Permission, PermissionDenied
from ironhub.core.bus import CredentialsChanged
from ironhub.core.errors import InvalidArgument, Unavailable
from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import Identity, identity
from ironhub.identity.model import CredentialKind, Credentials, SymmetricKeys, Thumbprints
from ironhub.registry import service
from ironhub.registry.model import (
    MAX_MODULES_PER_DEVICE,
    MAX_STATUS_REASON,
    Device,
    DeviceDraft,
    DeviceExists,
    DeviceNotFound,
    DeviceStatus,
    EtagMismatch,
    Module,
    ModuleDraft,
    ModuleExists,
    ModuleNotFound,
    TooManyModules,
)
from ironhub.registry.service import RegistryService

PRESS, ARM, NOBODY = identity("press-7"), identity("press-7", "arm"), identity("nobody")
SAS = CredentialKind.SAS
KEYS = Credentials(SAS, keys=SymmetricKeys(b"p" * 32, b"s" * 32))
OTHER_KEYS = Credentials(SAS, keys=SymmetricKeys(b"q" * 32, b"s" * 32))
PINNED = Credentials(CredentialKind.SELF_SIGNED, thumbprints=Thumbprints("a" * 40, None))
DISABLED = DeviceDraft(status=DeviceStatus.DISABLED)


def write(who: Identity = PRESS) -> Any:
    return by_operator(Permission.REGISTRY_WRITE, who)


def read(who: Identity = PRESS) -> Any:
    return by_operator(Permission.REGISTRY_READ, who)


@pytest.fixture
def hub() -> SmallHub:
    return SmallHub()


@pytest.fixture
def registry(hub: SmallHub) -> RegistryService:
    return RegistryService(hub.devices, hub.bus, hub.clock, hub.entropy)


@pytest.fixture
async def device(hub: SmallHub, registry: RegistryService) -> Device:
    device = await registry.put_device(write(), DeviceDraft(credentials=KEYS), if_match=None)
    await hub.facts()
    hub.clock.advance(10)
    return device


@pytest.fixture
async def module(hub: SmallHub, registry: RegistryService, device: Device) -> Module:
    module = await registry.put_module(write(ARM), ModuleDraft(managed_by="us", credentials=KEYS), if_match=None)
    await hub.facts()
    return module


async def test_a_new_device_is_enabled_and_gets_keys_of_its_own(hub: SmallHub, registry: RegistryService) -> None:
    device = await registry.put_device(write(), DeviceDraft(), if_match=None)
    assert (device.device_id, device.status, device.created_at) == ("press-7", DeviceStatus.ENABLED, START)
    assert device.credentials.keys is not None
    assert {len(key) for key in device.credentials.keys} == {32}
    assert len(set(device.credentials.keys)) == 2
    assert device.generation_id.isdecimal()
    assert await registry.get_device(read()) == device
    data = {"generation_id": device.generation_id}
    assert await hub.facts() == [Fact(FactKind.DEVICE_CREATED, PRESS, START, data)]
    assert hub.heard == []


async def test_a_device_is_created_as_wished(registry: RegistryService) -> None:
    draft = DeviceDraft(
        status=DeviceStatus.DISABLED,
        status_reason="repair",
        credentials=PINNED,
        edge_capable=True,
    )
    device = await registry.put_device(write(), draft, if_match=None)
    assert (device.status, device.status_reason, device.credentials) == (DeviceStatus.DISABLED, "repair", PINNED)
    scope = f"ms-azure-iot-edge://press-7-{device.generation_id}"
    assert (device.edge_capable, device.scope, device.parent_scopes) == (True, scope, ())


async def test_a_device_is_created_once(registry: RegistryService, device: Device) -> None:
    with pytest.raises(DeviceExists):
        await registry.put_device(write(), DISABLED, if_match=None)
    assert await registry.get_device(read()) == device


async def test_a_device_created_anew_has_another_generation_even_in_the_same_instant(registry: RegistryService) -> None:
    generations = set()
    for _ in range(5):
        generations.add((await registry.put_device(write(), DeviceDraft(), if_match=None)).generation_id)
        await registry.delete_device(write())
    assert len(generations) == 5


async def test_what_a_change_does_not_name_stays_except_the_reason(registry: RegistryService) -> None:
    draft = DeviceDraft(status_reason="new", edge_capable=True, credentials=KEYS)
    device = await registry.put_device(write(), draft, if_match=None)
    changed = await registry.put_device(write(), DeviceDraft(), if_match=device.etag)
    assert changed.etag != device.etag
    assert replace(changed, etag=device.etag) == replace(device, status_reason=None)


async def test_a_change_of_status_has_its_time_and_ends_sessions_of_the_whole_device(
    hub: SmallHub, registry: RegistryService, device: Device
) -> None:
    disabled = await registry.put_device(write(), DISABLED, if_match="*")
    assert (disabled.status, disabled.status_changed_at) == (DeviceStatus.DISABLED, START + 10)
    assert hub.heard == [CredentialsChanged(PRESS, whole_device=True)]
    hub.clock.advance(10)
    again = await registry.put_device(write(), DISABLED, if_match="*")
    assert again.status_changed_at == START + 10
    # The first might have been stored and not told; to be judged once more harms nobody.
    assert hub.heard == [CredentialsChanged(PRESS, whole_device=True)] * 2


@pytest.mark.parametrize(
    ("wanted", "stored", "told"),
    [
        (None, KEYS, False),
        (Credentials(SAS), KEYS, True),
        (KEYS, KEYS, True),
        (OTHER_KEYS, OTHER_KEYS, True),
        (PINNED, PINNED, True),
        (Credentials(CredentialKind.NONE), Credentials(CredentialKind.NONE), True),
    ],
)
async def test_keys_are_kept_when_none_are_named_and_whoever_names_credentials_has_sessions_judged(
    hub: SmallHub, registry: RegistryService, device: Device, wanted: Credentials, stored: Credentials, told: bool
) -> None:
    changed = await registry.put_device(write(), DeviceDraft(credentials=wanted), if_match=device.etag)
    assert changed.credentials == stored
    assert hub.heard == ([CredentialsChanged(PRESS, whole_device=False)] if told else [])


async def test_a_device_that_had_no_keys_gets_some_when_it_is_to_have_keys(
    hub: SmallHub, registry: RegistryService, device: Device
) -> None:
    await registry.put_device(write(), DeviceDraft(credentials=PINNED), if_match="*")
    changed = await registry.put_device(write(), DeviceDraft(credentials=Credentials(SAS)), if_match="*")
    assert changed.credentials.keys is not None
    assert changed.credentials.keys != KEYS.keys
    assert len(hub.heard) == 2


async def test_the_etag_that_was_read_guards_change_and_deletion(registry: RegistryService, device: Device) -> None:
    await registry.put_device(write(), DeviceDraft(edge_capable=True), if_match=device.etag)
    with pytest.raises(EtagMismatch):
        await registry.put_device(write(), DISABLED, if_match=device.etag)
    with pytest.raises(EtagMismatch):
        await registry.delete_device(write(), if_match=device.etag)
    assert (await registry.get_device(read())).status is DeviceStatus.ENABLED


async def test_a_device_that_is_not_there_cannot_be_changed_or_deleted(registry: RegistryService) -> None:
    with pytest.raises(DeviceNotFound):
        await registry.put_device(write(), DISABLED, if_match="*")
    with pytest.raises(EtagMismatch, match="no such etag"):
        await registry.put_device(write(), DISABLED, if_match="abc")
    with pytest.raises(DeviceNotFound):
        await registry.delete_device(write(), if_match="*")
    with pytest.raises(DeviceNotFound):
        await registry.get_device(read())
    with pytest.raises(DeviceNotFound):
        await registry.list_modules(read())


async def test_drafts_that_break_a_rule_change_nothing(registry: RegistryService, device: Device) -> None:
    weak = Credentials(SAS, keys=SymmetricKeys(b"short", b"short"))
    long = DeviceDraft(status_reason="x" * (MAX_STATUS_REASON + 1))
    for draft, if_match in ((DeviceDraft(credentials=weak), "*"), (long, "*"), (long, None)):
        with pytest.raises(InvalidArgument):
            await registry.put_device(write(), draft, if_match=if_match)
    with pytest.raises(InvalidArgument):
        await registry.put_module(write(ARM), ModuleDraft(credentials=weak), if_match=None)
    assert await registry.get_device(read()) == device


async def test_a_deleted_device_is_gone_with_its_modules_and_told(
    hub: SmallHub, registry: RegistryService, module: Module
) -> None:
    await registry.delete_device(write())
    with pytest.raises(DeviceNotFound):
        await registry.get_module(read(ARM))
    assert await hub.facts() == [Fact(FactKind.DEVICE_DELETED, PRESS, hub.clock.now(), {})]
    assert hub.heard == [CredentialsChanged(PRESS, whole_device=True)]


async def test_devices_are_listed_in_pages_and_counted(hub: SmallHub, registry: RegistryService) -> None:
    await hub.register(*(identity(f"d{number}") for number in range(5)))
    await registry.put_device(write(identity("d3")), DISABLED, if_match="*")
    everything = by_operator(Permission.REGISTRY_READ)
    page = await registry.list_devices(everything, limit=2)
    rest = await registry.list_devices(everything, after=page.after)
    assert [device.device_id for device in (*page.items, *rest.items)] == ["d0", "d1", "d2", "d3", "d4"]
    assert rest.after is None
    assert len((await registry.list_devices(everything, limit=0)).items) == 1
    assert len((await registry.list_devices(everything, limit=10**9)).items) == 5
    assert await registry.count(everything) == (5, 4)


async def test_modules_are_created_changed_and_deleted_beside_their_device(
    hub: SmallHub, registry: RegistryService, module: Module
) -> None:
    assert (module.managed_by, module.credentials, module.identity) == ("us", KEYS, ARM)
    changed = await registry.put_module(write(ARM), ModuleDraft(), if_match=module.etag)
    assert replace(changed, etag=module.etag) == module
    assert hub.heard == []
    for _ in range(2):
        changed = await registry.put_module(
            write(ARM), ModuleDraft(managed_by="them", credentials=PINNED), if_match="*"
        )
        assert (changed.managed_by, changed.credentials) == ("them", PINNED)
    assert hub.heard == [CredentialsChanged(ARM, whole_device=False)] * 2
    hub.heard.clear()
    assert await registry.list_modules(read()) == (changed,)
    await registry.delete_module(write(ARM), if_match=changed.etag)
    assert await registry.list_modules(read()) == ()
    assert hub.heard == [CredentialsChanged(ARM, whole_device=False)]
    assert [fact.kind for fact in await hub.facts()] == [FactKind.DEVICE_DELETED]


async def test_the_creation_of_a_module_is_told(hub: SmallHub, registry: RegistryService, device: Device) -> None:
    module = await registry.put_module(write(ARM), ModuleDraft(), if_match=None)
    fact = Fact(FactKind.DEVICE_CREATED, ARM, START + 10, {"generation_id": module.generation_id})
    assert await hub.facts() == [fact]
    assert module.credentials.keys is not None


async def test_errors_about_modules_say_what_is_missing(registry: RegistryService, module: Module) -> None:
    with pytest.raises(ModuleExists):
        await registry.put_module(write(ARM), ModuleDraft(), if_match=None)
    with pytest.raises(EtagMismatch):
        await registry.put_module(write(ARM), ModuleDraft(), if_match="abc")
    with pytest.raises(EtagMismatch):
        await registry.delete_module(write(ARM), if_match="abc")
    leg, stray = identity("press-7", "leg"), identity("nobody", "leg")
    with pytest.raises(ModuleNotFound):
        await registry.get_module(read(leg))
    with pytest.raises(ModuleNotFound):
        await registry.delete_module(write(leg))
    with pytest.raises(DeviceNotFound):
        await registry.put_module(write(stray), ModuleDraft(), if_match=None)
    with pytest.raises(DeviceNotFound):
        await registry.put_module(write(stray), ModuleDraft(), if_match="*")
    with pytest.raises(InvalidArgument):
        await registry.put_module(write(PRESS), ModuleDraft(), if_match=None)
    with pytest.raises(ModuleNotFound):
        await registry.put_module(write(PRESS), ModuleDraft(), if_match="*")


async def test_a_device_has_so_many_modules_and_no_more(registry: RegistryService, device: Device) -> None:
    for number in range(MAX_MODULES_PER_DEVICE):
        await registry.put_module(write(identity("press-7", f"m{number}")), ModuleDraft(), if_match=None)
    with pytest.raises(TooManyModules):
        await registry.put_module(write(ARM), ModuleDraft(), if_match=None)


async def test_a_grant_for_a_module_opens_nothing_of_its_device(registry: RegistryService, module: Module) -> None:
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: registry.get_device(read(ARM)),
        lambda: registry.list_modules(read(ARM)),
        lambda: registry.put_device(write(ARM), DISABLED, if_match="*"),
        lambda: registry.delete_device(write(ARM)),
        lambda: registry.list_devices(read(PRESS)),
        lambda: registry.count(read(PRESS)),
    ]
    for call in calls:
        with pytest.raises(PermissionDenied):
            await call()
    assert (await registry.get_device(read())).status is DeviceStatus.ENABLED


async def test_who_may_read_a_twin_learns_whose_it_is(registry: RegistryService, module: Module) -> None:
    assert await registry.twin_owner(by_operator(Permission.TWIN_READ, ARM)) == module
    assert (await registry.twin_owner(by_operator(Permission.TWIN_READ, PRESS))).identity == PRESS
    with pytest.raises(ModuleNotFound):
        await registry.twin_owner(by_operator(Permission.TWIN_READ, identity("press-7", "leg")))
    with pytest.raises(DeviceNotFound):
        await registry.twin_owner(by_operator(Permission.TWIN_READ, NOBODY))
    with pytest.raises(PermissionDenied):
        await registry.twin_owner(read())


async def test_each_operation_needs_its_own_grant(registry: RegistryService, module: Module) -> None:
    twin = by_operator(Permission.TWIN_READ, PRESS)
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: registry.get_device(twin),
        lambda: registry.get_module(twin),
        lambda: registry.list_modules(twin),
        lambda: registry.put_device(read(), DISABLED, if_match="*"),
        lambda: registry.put_module(read(ARM), ModuleDraft(), if_match="*"),
        lambda: registry.delete_device(read()),
        lambda: registry.delete_module(read(ARM)),
    ]
    for call in calls:
        with pytest.raises(PermissionDenied):
            await call()


async def test_writers_at_once_of_different_fields_lose_nothing(registry: RegistryService, device: Device) -> None:
    drafts = [DeviceDraft(edge_capable=True), DISABLED, DeviceDraft(credentials=OTHER_KEYS)] * 10
    await asyncio.gather(*(registry.put_device(write(), draft, if_match="*") for draft in drafts))
    changed = await registry.get_device(read())
    assert (changed.edge_capable, changed.status, changed.credentials) == (True, DeviceStatus.DISABLED, OTHER_KEYS)


class Elsewhere:
    """Another node that changes the same device and module just before ours does."""

    def __init__(self, hub: SmallHub, times: int) -> None:
        self._store = hub.stores.devices
        self.left = times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def put_device(
        self, device: Device, *, replacing: str | None, facts: Sequence[Fact] = (), modules: Sequence[Module] = ()
    ) -> None:
        if self.left:
            self.left -= 1
            stored = await self._store.get_device(device.device_id)
            assert stored is not None
            await self._store.put_device(replace(stored, etag=f"e{self.left}", scope="theirs"), replacing=stored.etag)
        await self._store.put_device(device, replacing=replacing, facts=facts, modules=modules)

    async def put_module(self, module: Module, *, replacing: str | None, facts: Sequence[Fact] = ()) -> None:
        if self.left:
            self.left -= 1
            stored = await self._store.get_module(module.identity)
            assert stored is not None
            await self._store.put_module(replace(stored, etag=f"e{self.left}", managed_by="x"), replacing=stored.etag)
        await self._store.put_module(module, replacing=replacing, facts=facts)


async def test_what_another_node_changed_meanwhile_stays_or_is_a_mismatch(
    hub: SmallHub, module: Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAX_ATTEMPTS", 4)
    other: Any = Elsewhere(hub, 2)
    registry = RegistryService(other, hub.bus, hub.clock, hub.entropy)
    changed = await registry.put_device(write(), DISABLED, if_match="*")
    assert (changed.scope, changed.status) == ("theirs", DeviceStatus.DISABLED)
    other.left = 2
    assert (await registry.put_module(write(ARM), ModuleDraft(), if_match="*")).managed_by == "x"
    other.left = 100
    with pytest.raises(EtagMismatch, match="4 times"):
        await registry.put_device(write(), DISABLED, if_match="*")
    with pytest.raises(EtagMismatch, match="4 times"):
        await registry.put_module(write(ARM), ModuleDraft(), if_match="*")
    with pytest.raises(EtagMismatch, match="another etag"):
        await registry.put_device(write(), DISABLED, if_match=changed.etag)


async def test_who_disables_a_device_and_hangs_up_has_disabled_it_and_its_sessions_are_told(
    hub: SmallHub, registry: RegistryService, module: Module
) -> None:
    calls: list[tuple[Callable[[], Any], CredentialsChanged]] = [
        (lambda: registry.put_device(write(), DISABLED, if_match="*"), CredentialsChanged(PRESS, whole_device=True)),
        (lambda: registry.delete_module(write(ARM)), CredentialsChanged(ARM, whole_device=False)),
        (lambda: registry.delete_device(write()), CredentialsChanged(PRESS, whole_device=True)),
    ]
    hub.trouble.only = frozenset({"put_device", "delete_device", "delete_module"})
    for call, notice in calls:
        hub.heard.clear()
        hub.trouble.stick()
        task = asyncio.create_task(call())
        await settle()
        task.cancel()
        await asyncio.wait([task])
        assert (task.cancelled(), hub.heard) == (True, [])
        hub.trouble.unstick()
        await until(lambda: hub.heard)
        assert hub.heard == [notice]
    assert await hub.stores.devices.get_device(PRESS.device_id) is None


async def test_when_the_store_refuses_nobody_is_told(hub: SmallHub, registry: RegistryService, device: Device) -> None:
    hub.trouble.only, hub.trouble.refusals = frozenset({"put_device"}), 1
    with pytest.raises(Unavailable):
        await registry.put_device(write(), DISABLED, if_match="*")
    assert hub.heard == []


async def test_a_deletion_that_was_stored_and_not_told_is_told_by_the_next_one(
    hub: SmallHub, registry: RegistryService, module: Module
) -> None:
    await hub.stores.devices.delete_module(ARM, replacing=None, facts=())
    with pytest.raises(ModuleNotFound):
        await registry.delete_module(write(ARM))
    await hub.stores.devices.delete_device(PRESS.device_id, replacing=None, facts=())
    with pytest.raises(DeviceNotFound):
        await registry.delete_device(write())
    assert hub.heard == [CredentialsChanged(ARM, whole_device=False), CredentialsChanged(PRESS, whole_device=True)]


async def test_a_module_that_lacks_is_made_for_a_deployment(registry: RegistryService, device: Device) -> None:
    eye = identity("press-7", "eye")
    grant = by_operator(Permission.CONFIGURATION_WRITE, eye)
    for _ in range(2):
        await registry.ensure_module(grant)
    (made,) = await registry.list_modules(read())
    assert (made.identity, made.managed_by, made.credentials.kind) == (eye, "iotEdge", CredentialKind.SAS)
    with pytest.raises(DeviceNotFound):
        await registry.ensure_module(by_operator(Permission.CONFIGURATION_WRITE, identity("nobody", "eye")))
    with pytest.raises(PermissionDenied):
        await registry.ensure_module(write(eye))
