from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.fakes.grants import by_operator
from tests.fakes.services import SmallHub

from ironhub.access.model import Permission
from ironhub.core.ids import Identity, identity
from ironhub.identity.model import CredentialKind, Credentials, SymmetricKeys
from ironhub.registry.edge import ScopeInvalid, SystemModule
from ironhub.registry.model import (
    Device,
    DeviceDraft,
    DeviceNotFound,
    DeviceStatus,
    Module,
    ModuleDraft,
)
from ironhub.registry.service import RegistryService

PRESS, ARM, NOBODY = identity("press-7"), identity("press-7", "arm"), identity("nobody")


SAS = CredentialKind.SAS


KEYS = Credentials(SAS, keys=SymmetricKeys(b"p" * 32, b"s" * 32))


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


GATEWAY, LOWER, LEAF = identity("gw-1"), identity("gw-2"), identity("leaf")


AGENT = identity("gw-1", "$edgeAgent")


async def gateway(registry: RegistryService, who: Identity = GATEWAY, *parents: str) -> Device:
    """An edge device."""
    return await registry.put_device(write(who), DeviceDraft(edge_capable=True, parent_scopes=parents), if_match=None)


async def test_an_edge_device_comes_with_its_scope_and_the_modules_of_its_runtime(
    hub: SmallHub, registry: RegistryService
) -> None:
    made = await gateway(registry)
    assert made.scope == f"ms-azure-iot-edge://gw-1-{made.generation_id}"
    modules = await registry.list_modules(read(GATEWAY))
    assert [(module.module_id, module.managed_by) for module in modules] == [
        ("$edgeAgent", "iotEdge"),
        ("$edgeHub", "iotEdge"),
    ]
    told = [fact.identity for fact in await hub.facts()]
    assert told == [GATEWAY, *(module.identity for module in modules)]
    await registry.delete_device(write(GATEWAY))
    with pytest.raises(DeviceNotFound):
        await registry.get_module(read(AGENT))


async def test_a_device_becomes_an_edge_device_and_none_again(registry: RegistryService, device: Device) -> None:
    changed = await registry.put_device(write(), DeviceDraft(edge_capable=True), if_match="*")
    assert changed.scope == f"ms-azure-iot-edge://press-7-{device.generation_id}"
    assert len(await registry.list_modules(read())) == 2
    plain = await registry.put_device(write(), DeviceDraft(edge_capable=False), if_match="*")
    assert (plain.scope, plain.parent_scopes) == (None, ())


async def test_the_modules_of_the_runtime_are_nobody_elses(registry: RegistryService) -> None:
    await gateway(registry)
    calls: list[Callable[[], Awaitable[Any]]] = [
        lambda: registry.put_module(write(AGENT), ModuleDraft(), if_match=None),
        lambda: registry.put_module(write(AGENT), ModuleDraft(credentials=KEYS), if_match="*"),
        lambda: registry.delete_module(write(AGENT)),
    ]
    for call in calls:
        with pytest.raises(SystemModule):
            await call()
    assert len(await registry.list_modules(read(GATEWAY))) == 2


async def test_a_leaf_stands_below_an_edge_device_until_it_is_taken_away(registry: RegistryService) -> None:
    scope = (await gateway(registry)).scope
    leaf = await registry.put_device(write(LEAF), DeviceDraft(scope=scope), if_match=None)
    assert (leaf.scope, leaf.parent_scopes) == (scope, (scope,))
    away = await registry.put_device(write(LEAF), DeviceDraft(scope="", parent_scopes=(str(scope),)), if_match="*")
    assert (away.scope, away.parent_scopes) == (None, ())
    again = await registry.put_device(write(LEAF), DeviceDraft(parent_scopes=(str(scope),)), if_match="*")
    assert again.scope == scope
    await registry.delete_device(write(GATEWAY))
    kept = await registry.put_device(write(LEAF), DISABLED, if_match="*")
    assert kept.scope == scope


async def test_an_edge_device_stands_below_another_and_keeps_its_own_scope(registry: RegistryService) -> None:
    above = (await gateway(registry)).scope
    lower = await gateway(registry, LOWER, str(above))
    assert lower.scope == f"ms-azure-iot-edge://gw-2-{lower.generation_id}"
    assert lower.parent_scopes == (above,)
    # What a client read, it may send back as it is.
    echo = DeviceDraft(edge_capable=True, scope=lower.scope, parent_scopes=lower.parent_scopes)
    assert (await registry.put_device(write(LOWER), echo, if_match="*")).scope == lower.scope


async def test_a_parent_must_be_an_edge_device_of_this_very_life_and_not_below_its_child(
    registry: RegistryService, device: Device
) -> None:
    top = await gateway(registry)
    assert top.scope is not None
    lower = await gateway(registry, LOWER, top.scope)
    assert lower.scope is not None
    for scope in (
        "gw-1",
        f"ms-azure-iot-edge://press-7-{device.generation_id}",
        f"{top.scope}0",
        "ms-azure-iot-edge://x-1",
    ):
        with pytest.raises(ScopeInvalid):
            await registry.put_device(write(LEAF), DeviceDraft(scope=scope), if_match=None)
    for draft in (DeviceDraft(parent_scopes=(lower.scope,)), DeviceDraft(parent_scopes=(top.scope,))):
        with pytest.raises(ScopeInvalid):
            await registry.put_device(write(GATEWAY), draft, if_match="*")
    with pytest.raises(ScopeInvalid):
        await registry.put_device(write(GATEWAY), DeviceDraft(scope=lower.scope), if_match="*")
    with pytest.raises(ScopeInvalid):
        await registry.put_device(write(LEAF), DeviceDraft(parent_scopes=(top.scope, lower.scope)), if_match=None)


async def test_edge_devices_are_stacked_five_high(registry: RegistryService) -> None:
    above: tuple[str, ...] = ()
    for number in range(6):
        made = await gateway(registry, identity(f"level-{number}"), *above)
        above = (str(made.scope),)
    with pytest.raises(ScopeInvalid):
        await gateway(registry, identity("level-6"), *above)


async def test_an_edge_device_from_another_hub_keeps_the_scope_that_its_leaves_name(registry: RegistryService) -> None:
    scope = "ms-azure-iot-edge://gw-1-638000000000000000"
    made = await registry.put_device(write(GATEWAY), DeviceDraft(edge_capable=True, scope=scope), if_match=None)
    assert made.scope == scope
    with pytest.raises(ScopeInvalid):
        await registry.put_device(write(LOWER), DeviceDraft(edge_capable=True, scope=scope), if_match=None)
