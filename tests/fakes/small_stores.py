"""Stores of one small hub, from dictionaries: what the services' happy and unhappy paths need, without durability."""

from collections.abc import Sequence
from dataclasses import replace

from ironhub.core.facts import Fact
from ironhub.core.ids import DeviceId, Identity
from ironhub.core.pages import Page
from ironhub.identity.model import KnownIdentity
from ironhub.registry.model import (
    Device,
    DeviceExists,
    DeviceNotFound,
    DeviceStatus,
    EtagMismatch,
    Module,
    ModuleExists,
    ModuleNotFound,
)
from ironhub.twins.model import Twin, TwinVersionConflict, initial_twin


class SmallStores:
    """Devices, modules, twins and numbers of waiting commands; implements what RegistryService, TwinService,
    CommandService.purge and MethodService ask."""

    def __init__(self) -> None:
        self.devices: dict[DeviceId, Device] = {}
        self.modules: dict[Identity, Module] = {}
        self.twins: dict[Identity, Twin] = {}
        self.waiting: dict[Identity, int] = {}

    async def known_identity(self, identity: Identity) -> KnownIdentity | None:
        """Return what is registered."""
        device = self.devices.get(identity.device_id)
        found = device if identity.module_id is None else self.modules.get(identity)
        if device is None or found is None:
            return None
        enabled = device.status is DeviceStatus.ENABLED
        return KnownIdentity(identity, found.generation_id, enabled, found.credentials)

    async def get_device(self, device_id: DeviceId) -> Device | None:
        """Return it, with its number of commands."""
        device = self.devices.get(device_id)
        return device and replace(device, pending_commands=self.waiting.get(device.identity, 0))

    async def put_device(self, device: Device, *, replacing: str | None, facts: Sequence[Fact] = ()) -> None:
        """Store it. Raises DeviceExists, EtagMismatch."""
        stored = self.devices.get(device.device_id)
        if replacing is None and stored is not None:
            raise DeviceExists(f"{device.device_id} is registered already")
        if replacing is not None and (stored is None or stored.etag != replacing):
            raise EtagMismatch("another etag is stored")
        self.devices[device.device_id] = device
        self.twins.setdefault(device.identity, initial_twin(device.identity, device.created_at))

    async def delete_device(self, device_id: DeviceId, *, replacing: str | None, facts: Sequence[Fact] = ()) -> None:
        """Forget it. Raises DeviceNotFound, EtagMismatch."""
        stored = self.devices.get(device_id)
        if stored is None:
            raise DeviceNotFound(f"{device_id} is not registered")
        if replacing is not None and stored.etag != replacing:
            raise EtagMismatch("another etag is stored")
        del self.devices[device_id]

    async def list_devices(self, *, after: str | None, limit: int) -> Page[Device]:
        """Return the first `limit`."""
        return Page(tuple(self.devices[key] for key in sorted(self.devices))[:limit], None)

    async def count_devices(self) -> tuple[int, int]:
        """Return all and enabled."""
        return len(self.devices), sum(device.status is DeviceStatus.ENABLED for device in self.devices.values())

    async def get_module(self, identity: Identity) -> Module | None:
        """Return it."""
        return self.modules.get(identity)

    async def put_module(self, module: Module, *, replacing: str | None, facts: Sequence[Fact] = ()) -> None:
        """Store it. Raises DeviceNotFound, ModuleExists, EtagMismatch."""
        if module.device_id not in self.devices:
            raise DeviceNotFound(f"{module.device_id} is not registered")
        stored = self.modules.get(module.identity)
        if replacing is None and stored is not None:
            raise ModuleExists(f"{module.identity} is registered already")
        if replacing is not None and (stored is None or stored.etag != replacing):
            raise EtagMismatch("another etag is stored")
        self.modules[module.identity] = module
        self.twins.setdefault(module.identity, initial_twin(module.identity, module.created_at))

    async def delete_module(self, identity: Identity, *, replacing: str | None, facts: Sequence[Fact] = ()) -> None:
        """Forget it. Raises ModuleNotFound."""
        if self.modules.pop(identity, None) is None:
            raise ModuleNotFound(f"{identity} is not registered")

    async def list_modules(self, device_id: DeviceId) -> tuple[Module, ...]:
        """Return those of the device."""
        return tuple(module for module in self.modules.values() if module.device_id == device_id)

    async def get_twin(self, identity: Identity) -> Twin | None:
        """Return it."""
        return self.twins.get(identity)

    async def put_twin(self, twin: Twin, *, replacing: int, facts: Sequence[Fact] = ()) -> None:
        """Store it. Raises TwinVersionConflict."""
        if self.twins[twin.identity].version != replacing:
            raise TwinVersionConflict("another version is stored")
        self.twins[twin.identity] = twin

    async def purge_commands(self, identity: Identity, *, now: float) -> int:
        """Forget them; returns how many there were."""
        if identity.device_id not in self.devices:
            raise DeviceNotFound(f"{identity.device_id} is not registered")
        return self.waiting.pop(identity, 0)
