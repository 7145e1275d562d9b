"""Devices and modules in memory."""

from collections.abc import Sequence
from dataclasses import replace

from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import DeviceId, Identity
from ironhub.core.pages import Page
from ironhub.identity.model import KnownIdentity
from ironhub.registry.model import (
    MAX_MODULES_PER_DEVICE,
    Device,
    DeviceExists,
    DeviceNotFound,
    DeviceStatus,
    EtagMismatch,
    Module,
    ModuleExists,
    ModuleNotFound,
    Presence,
    TooManyModules,
    announced_model,
)
from ironhub.storage.memory.outbox import MemoryOutbox
from ironhub.storage.memory.state import State


class MemoryDeviceStore:
    """A DeviceStore in dictionaries."""

    def __init__(self, state: State, outbox: MemoryOutbox) -> None:
        self._state = state
        self._outbox = outbox

    async def known_identity(self, identity: Identity) -> KnownIdentity | None:
        """Return what the gate must know of it, or None when there is no such device or module."""
        device, found = self._state.devices.get(identity.device_id), self._state.identity(identity)
        if device is None or found is None:
            return None
        return KnownIdentity(identity, found.generation_id, device.status is DeviceStatus.ENABLED, found.credentials)

    async def get_device(self, device_id: DeviceId) -> Device | None:
        """Return the device with its presence and number of pending commands, or None."""
        device = self._state.devices.get(device_id)
        return None if device is None else self._seen_device(device)

    async def put_device(
        self, device: Device, *, replacing: str | None, facts: Sequence[Fact] = (), modules: Sequence[Module] = ()
    ) -> None:
        """Store it if `replacing` (None: nothing) is the stored etag. Raises DeviceExists, EtagMismatch."""
        stored = self._state.devices.get(device.device_id)
        if replacing is None and stored is not None:
            raise DeviceExists(f"{device.device_id} exists already")
        _check_etag(stored, replacing, device.identity)
        self._state.devices[device.device_id] = device
        for module in modules:
            self._state.modules.setdefault(module.identity, module)
        self._outbox.leave(facts)

    async def delete_device(self, device_id: DeviceId, *, replacing: str | None, facts: Sequence[Fact] = ()) -> None:
        """Delete it and all that is its own. Raises DeviceNotFound, EtagMismatch."""
        device = self._state.devices.get(device_id)
        if device is None:
            raise DeviceNotFound(f"{device_id} is not registered")
        _check_etag(device, replacing, device.identity)
        for module in self._modules(device_id):
            del self._state.modules[module.identity]
            self._state.forget(module.identity)
        del self._state.devices[device_id]
        self._state.forget(device.identity)
        self._outbox.leave(facts)

    async def list_devices(self, *, after: str | None, limit: int) -> Page[Device]:
        """Return at most `limit` devices ordered by id; `after` from the page before."""
        ids = sorted(device_id for device_id in self._state.devices if device_id > (after or ""))
        devices = tuple(self._seen_device(self._state.devices[device_id]) for device_id in ids[:limit])
        return Page(devices, devices[-1].device_id if len(ids) > limit else None)

    async def count_devices(self) -> tuple[int, int]:
        """Return how many devices there are, and how many of them are enabled."""
        statuses = [device.status for device in self._state.devices.values()]
        return len(statuses), statuses.count(DeviceStatus.ENABLED)

    async def get_module(self, identity: Identity) -> Module | None:
        """Return the module, or None when it or its device is not there."""
        module = self._state.modules.get(identity)
        return None if module is None else self._seen_module(module)

    async def put_module(self, module: Module, *, replacing: str | None, facts: Sequence[Fact] = ()) -> None:
        """As put_device. Raises ModuleExists, EtagMismatch, DeviceNotFound, TooManyModules."""
        stored = self._state.modules.get(module.identity)
        if replacing is None:
            self._check_new(module, stored)
        _check_etag(stored, replacing, module.identity)
        self._state.modules[module.identity] = module
        self._outbox.leave(facts)

    async def delete_module(self, identity: Identity, *, replacing: str | None, facts: Sequence[Fact] = ()) -> None:
        """As delete_device. Raises ModuleNotFound, EtagMismatch."""
        module = self._state.modules.get(identity)
        if module is None:
            raise ModuleNotFound(f"{identity} is not registered")
        _check_etag(module, replacing, identity)
        del self._state.modules[identity]
        self._state.forget(identity)
        self._outbox.leave(facts)

    async def list_modules(self, device_id: DeviceId) -> tuple[Module, ...]:
        """Return all modules of the device ordered by id; empty when there is no device."""
        return tuple(self._seen_module(module) for module in self._modules(device_id))

    async def record_presence(self, changes: Sequence[Fact]) -> None:
        """Store who came and went, with the facts in the outbox; those of identities that are gone are dropped."""
        for fact in changes:
            if self._state.identity(fact.identity) is not None:
                announced = announced_model(fact)
                model_id = self._presence(fact.identity).model_id if announced is None else announced
                presence = Presence(fact.kind is FactKind.CONNECTED, fact.at, fact.at, model_id)
                self._state.presence[fact.identity] = presence
                self._outbox.leave([fact])

    async def forget_presence(self, at: float) -> int:
        """Mark everybody disconnected since `at`, with a fact each; returns how many were connected."""
        online = sorted(
            (identity for identity, presence in self._state.presence.items() if presence.connected), key=str
        )
        for identity in online:
            self._state.presence[identity] = replace(self._state.presence[identity], connected=False, changed_at=at)
            self._outbox.leave([Fact(FactKind.DISCONNECTED, identity, at, {})])
        return len(online)

    def _check_new(self, module: Module, stored: Module | None) -> None:
        if stored is not None:
            raise ModuleExists(f"{module.identity} exists already")
        if module.device_id not in self._state.devices:
            raise DeviceNotFound(f"{module.device_id} is not registered")
        if len(self._modules(module.device_id)) >= MAX_MODULES_PER_DEVICE:
            raise TooManyModules(f"{module.device_id} has {MAX_MODULES_PER_DEVICE} modules already")

    def _modules(self, device_id: DeviceId) -> list[Module]:
        own = [module for module in self._state.modules.values() if module.device_id == device_id]
        return sorted(own, key=lambda module: module.module_id)

    def _seen_device(self, device: Device) -> Device:
        presence = self._presence(device.identity)
        return replace(device, presence=presence, pending_commands=len(self._state.queue(device.identity)))

    def _seen_module(self, module: Module) -> Module:
        presence = self._presence(module.identity)
        return replace(module, presence=presence, pending_commands=len(self._state.queue(module.identity)))

    def _presence(self, identity: Identity) -> Presence:
        return self._state.presence.get(identity, Presence())


def _check_etag(stored: Device | Module | None, replacing: str | None, identity: Identity) -> None:
    if replacing is not None and (stored is None or stored.etag != replacing):
        raise EtagMismatch(f"{identity} has another etag, or is gone")
