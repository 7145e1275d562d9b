"""What can be done with devices and modules."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Final

from ironhub.access.model import Grant, Permission
from ironhub.core.bus import Bus, CredentialsChanged
from ironhub.core.clock import Clock, Entropy
from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import DeviceId, Identity
from ironhub.core.pages import Page
from ironhub.registry.edge import SYSTEM_MANAGER, SystemModule, check_parent, is_system_module, owner_of, parent_of
from ironhub.registry.making import IdentityMaker, created
from ironhub.registry.model import (
    Device,
    DeviceDraft,
    DeviceNotFound,
    EtagMismatch,
    Module,
    ModuleDraft,
    ModuleExists,
    ModuleNotFound,
)
from ironhub.registry.ports import DeviceStore

MAX_PAGE: Final = 1000
MAX_ATTEMPTS: Final = 100
"""How often a change of whatever is there is tried again because somebody else was faster."""


class RegistryService:
    """Creates, reads, changes and deletes identities. A change is durable, and sessions that rested on what it took
    away are told to end, before it is answered."""

    def __init__(self, store: DeviceStore, bus: Bus, clock: Clock, entropy: Entropy) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._maker = IdentityMaker(clock, entropy)

    async def get_device(self, grant: Grant) -> Device:
        """Return the device. Raises DeviceNotFound."""
        grant.require(Permission.REGISTRY_READ)
        return _found(await self._store.get_device(grant.device_id), grant.identity)

    async def list_devices(self, grant: Grant, *, after: str | None = None, limit: int = MAX_PAGE) -> Page[Device]:
        """Return at most `limit` (1 to 1,000) devices, ordered by id."""
        grant.require_whole_hub(Permission.REGISTRY_READ)
        return await self._store.list_devices(after=after, limit=max(1, min(limit, MAX_PAGE)))

    async def count(self, grant: Grant) -> tuple[int, int]:
        """Return how many devices there are, and how many of them are enabled."""
        grant.require_whole_hub(Permission.REGISTRY_READ)
        return await self._store.count_devices()

    async def put_device(self, grant: Grant, draft: DeviceDraft, *, if_match: str | None) -> Device:
        """Create or change the device and return it as stored.

        Args:
            if_match: None: create it; "*": change whatever is there; else change it if this is its etag.

        Raises:
            DeviceExists: to be created, but it is there.
            DeviceNotFound: to be changed with "*", but it is not there.
            EtagMismatch: another etag is stored.
            InvalidArgument: the draft breaks a rule.
            ScopeInvalid: it names a parent that is none.
        """
        grant.require(Permission.REGISTRY_WRITE)
        device_id = grant.device_id
        if if_match is None:
            return await self._create_device(device_id, draft)
        for _ in range(MAX_ATTEMPTS):
            stored = await self._store.get_device(device_id)
            if stored is None:
                raise _not_there(grant.identity, if_match)
            if if_match not in ("*", stored.etag):
                raise EtagMismatch(f"{device_id} has another etag")
            changed = self._maker.changed_device(stored, draft)
            await self._check_parents(changed, stored)
            modules = self._maker.system_modules(changed, stored)
            notice = None
            # Named is enough, though the same is stored: a change before this one may have been stored and not told,
            # because its answer was lost.
            if draft.credentials is not None or draft.status is not None:
                notice = CredentialsChanged(grant.identity, whole_device=draft.status is not None)
            try:
                write = self._store.put_device(changed, replacing=stored.etag, facts=created(*modules), modules=modules)
                await self._told(write, notice)
            except EtagMismatch:
                continue
            return changed
        raise EtagMismatch(f"{device_id} was changed {MAX_ATTEMPTS} times while this change was tried")

    async def delete_device(self, grant: Grant, *, if_match: str | None = None) -> None:
        """Delete the device and everything that is its own. Raises DeviceNotFound, EtagMismatch."""
        grant.require(Permission.REGISTRY_WRITE)
        identity = grant.identity
        facts = (Fact(FactKind.DEVICE_DELETED, identity, self._clock.now(), {}),)
        replacing = None if if_match == "*" else if_match
        deletion = self._store.delete_device(grant.device_id, replacing=replacing, facts=facts)
        await self._told(deletion, CredentialsChanged(identity, whole_device=True))

    async def get_module(self, grant: Grant) -> Module:
        """Return the module. Raises DeviceNotFound, ModuleNotFound."""
        grant.require(Permission.REGISTRY_READ)
        return await self._module(grant.identity)

    async def list_modules(self, grant: Grant) -> Sequence[Module]:
        """Return the device's modules, ordered by id. Raises DeviceNotFound."""
        grant.require(Permission.REGISTRY_READ)
        _found(await self._store.get_device(grant.device_id), grant.identity)
        return await self._store.list_modules(grant.device_id)

    async def put_module(self, grant: Grant, draft: ModuleDraft, *, if_match: str | None) -> Module:
        """As put_device. Raises ModuleExists, ModuleNotFound, DeviceNotFound, EtagMismatch, TooManyModules,
        SystemModule."""
        grant.require(Permission.REGISTRY_WRITE)
        await self._check_no_system_module(grant.identity)
        if if_match is None:
            return await self._create_module(grant.identity, draft)
        for _ in range(MAX_ATTEMPTS):
            stored = await self._module(grant.identity)
            if if_match not in ("*", stored.etag):
                raise EtagMismatch(f"{grant.identity} has another etag")
            changed = self._maker.changed_module(stored, draft)
            notice = None
            if draft.credentials is not None:  # as in put_device
                notice = CredentialsChanged(grant.identity, whole_device=False)
            try:
                await self._told(self._store.put_module(changed, replacing=stored.etag), notice)
            except EtagMismatch:
                continue
            return changed
        raise EtagMismatch(f"{grant.identity} was changed {MAX_ATTEMPTS} times while this change was tried")

    async def delete_module(self, grant: Grant, *, if_match: str | None = None) -> None:
        """Delete the module and everything that is its own. Raises ModuleNotFound, EtagMismatch, SystemModule."""
        grant.require(Permission.REGISTRY_WRITE)
        await self._check_no_system_module(grant.identity)
        facts = (Fact(FactKind.DEVICE_DELETED, grant.identity, self._clock.now(), {}),)
        replacing = None if if_match == "*" else if_match
        deletion = self._store.delete_module(grant.identity, replacing=replacing, facts=facts)
        await self._told(deletion, CredentialsChanged(grant.identity, whole_device=False))

    async def _told(self, write: Awaitable[None], notice: CredentialsChanged | None) -> None:
        """Store, then tell, also when the caller hangs up half-way: nobody stays connected who was shut out."""

        async def store_and_tell() -> None:
            try:
                await write
            except (DeviceNotFound, ModuleNotFound):
                self._tell(notice)  # a deletion whose answer was lost may have been the one
                raise
            self._tell(notice)

        await asyncio.shield(store_and_tell())

    def _tell(self, notice: CredentialsChanged | None) -> None:
        if notice is not None:
            self._bus.publish(notice)

    async def ensure_module(self, grant: Grant) -> None:
        """Create the module with keys of its own, managed by the edge runtime, unless it is there.

        For deployments to edge devices, whoever may write those. Raises DeviceNotFound, TooManyModules.
        """
        grant.require(Permission.CONFIGURATION_WRITE)
        if await self._store.get_module(grant.identity) is not None:
            return
        try:
            await self._create_module(grant.identity, ModuleDraft(managed_by=SYSTEM_MANAGER))
        except ModuleExists:
            return  # somebody else was faster

    async def twin_owner(self, grant: Grant) -> Device | Module:
        """Return whose twin the grant may read: a twin shows some of it. Raises DeviceNotFound, ModuleNotFound."""
        grant.require(Permission.TWIN_READ)
        if grant.identity.module_id is not None:
            return await self._module(grant.identity)
        return _found(await self._store.get_device(grant.identity.device_id), grant.identity)

    async def _module(self, identity: Identity) -> Module:
        stored = await self._store.get_module(identity)
        if stored is None:
            _found(await self._store.get_device(identity.device_id), identity)
            raise ModuleNotFound(f"{identity} is not registered")
        return stored

    async def _create_device(self, device_id: DeviceId, draft: DeviceDraft) -> Device:
        device = self._maker.new_device(device_id, draft)
        await self._check_parents(device, None)
        modules = self._maker.system_modules(device, None)
        await self._store.put_device(device, replacing=None, facts=created(device, *modules), modules=modules)
        return device

    async def _create_module(self, identity: Identity, draft: ModuleDraft) -> Module:
        module = self._maker.new_module(identity, draft)
        await self._store.put_module(module, replacing=None, facts=created(module))
        return module

    async def _check_parents(self, device: Device, before: Device | None) -> None:
        """A parent that stays is not looked at again: it may be gone by now."""
        if before is not None and parent_of(device) == parent_of(before):
            return
        scope, level = parent_of(device), 1
        while scope is not None:
            parent = await self._store.get_device(owner_of(scope))
            scope, level = check_parent(device.device_id, scope, parent, level), level + 1

    async def _check_no_system_module(self, identity: Identity) -> None:
        if is_system_module(identity):
            device = await self._store.get_device(identity.device_id)
            if device is not None and device.edge_capable:
                raise SystemModule(f"{identity} belongs to the runtime of the edge device")


def _found(device: Device | None, identity: Identity) -> Device:
    if device is None:
        raise DeviceNotFound(f"{identity.device_id} is not registered")
    return device


def _not_there(identity: Identity, if_match: str) -> DeviceNotFound | EtagMismatch:
    if if_match == "*":
        return DeviceNotFound(f"{identity.device_id} is not registered")
    return EtagMismatch(f"{identity.device_id} is not registered, so it has no such etag")
