"""What can be done with devices and modules."""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from typing import Final

from ironhub.access.model import Grant, Permission
from ironhub.core.bus import Bus, CredentialsChanged
from ironhub.core.clock import Clock, Entropy
from ironhub.core.errors import InvalidArgument
from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import DeviceId, Identity
from ironhub.core.pages import Page
from ironhub.identity.model import CredentialKind, Credentials, SymmetricKeys
from ironhub.registry.model import (
    MAX_STATUS_REASON,
    Device,
    DeviceDraft,
    DeviceNotFound,
    DeviceStatus,
    EtagMismatch,
    Module,
    ModuleDraft,
    ModuleNotFound,
    check_credentials,
)
from ironhub.registry.ports import DeviceStore

KEY_SIZE: Final = 32
"""Bytes of a generated key."""
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
        self._entropy = entropy

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
        """
        grant.require(Permission.REGISTRY_WRITE)
        if draft.status_reason is not None and len(draft.status_reason) > MAX_STATUS_REASON:
            raise InvalidArgument(f"the status reason has more than {MAX_STATUS_REASON} characters")
        device_id = grant.device_id
        if if_match is None:
            return await self._create_device(device_id, draft)
        for _ in range(MAX_ATTEMPTS):
            stored = await self._store.get_device(device_id)
            if stored is None:
                raise _not_there(grant.identity, if_match)
            if if_match not in ("*", stored.etag):
                raise EtagMismatch(f"{device_id} has another etag")
            changed = self._changed_device(stored, draft)
            notice = None
            # Named is enough, though the same is stored: a change before this one may have been stored and not told,
            # because its answer was lost.
            if draft.credentials is not None or draft.status is not None:
                notice = CredentialsChanged(grant.identity, whole_device=draft.status is not None)
            try:
                await self._told(self._store.put_device(changed, replacing=stored.etag), notice)
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
        """As put_device. Raises ModuleExists, ModuleNotFound, DeviceNotFound, EtagMismatch, TooManyModules."""
        grant.require(Permission.REGISTRY_WRITE)
        if if_match is None:
            return await self._create_module(grant.identity, draft)
        for _ in range(MAX_ATTEMPTS):
            stored = await self._module(grant.identity)
            if if_match not in ("*", stored.etag):
                raise EtagMismatch(f"{grant.identity} has another etag")
            managed_by = stored.managed_by if draft.managed_by is None else draft.managed_by
            credentials = self._credentials(draft.credentials, stored.credentials)
            changed = replace(stored, etag=self._etag(), credentials=credentials, managed_by=managed_by)
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
        """Delete the module and everything that is its own. Raises ModuleNotFound, EtagMismatch."""
        grant.require(Permission.REGISTRY_WRITE)
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
        now = self._clock.now()
        generation = self._generation(now)
        device = Device(
            device_id,
            generation,
            self._etag(),
            self._credentials(draft.credentials, None),
            created_at=now,
            status=draft.status or DeviceStatus.ENABLED,
            status_reason=draft.status_reason,
            edge_capable=bool(draft.edge_capable),
            scope=draft.scope,
            parent_scopes=draft.parent_scopes or (),
        )
        await self._store.put_device(device, replacing=None, facts=(_created(device.identity, generation, now),))
        return device

    async def _create_module(self, identity: Identity, draft: ModuleDraft) -> Module:
        if identity.module_id is None:
            raise InvalidArgument("a module needs a module id")
        now = self._clock.now()
        generation = self._generation(now)
        module = Module(
            identity.device_id,
            identity.module_id,
            generation,
            self._etag(),
            self._credentials(draft.credentials, None),
            created_at=now,
            managed_by=draft.managed_by,
        )
        await self._store.put_module(module, replacing=None, facts=(_created(identity, generation, now),))
        return module

    def _changed_device(self, stored: Device, draft: DeviceDraft) -> Device:
        status = draft.status or stored.status
        return replace(
            stored,
            etag=self._etag(),
            credentials=self._credentials(draft.credentials, stored.credentials),
            status=status,
            status_reason=draft.status_reason,
            status_changed_at=stored.status_changed_at if status is stored.status else self._clock.now(),
            edge_capable=stored.edge_capable if draft.edge_capable is None else draft.edge_capable,
            scope=stored.scope if draft.scope is None else draft.scope,
            parent_scopes=stored.parent_scopes if draft.parent_scopes is None else draft.parent_scopes,
        )

    def _credentials(self, wanted: Credentials | None, stored: Credentials | None) -> Credentials:
        """Keys are kept on an update that names none, and generated for whoever has none."""
        if wanted is None:
            return stored if stored is not None else self._generated()
        check_credentials(wanted)
        if wanted.kind is not CredentialKind.SAS or wanted.keys is not None:
            return wanted
        return stored if stored is not None and stored.keys is not None else self._generated()

    def _generated(self) -> Credentials:
        keys = SymmetricKeys(self._entropy.token_bytes(KEY_SIZE), self._entropy.token_bytes(KEY_SIZE))
        return Credentials(CredentialKind.SAS, keys=keys)

    def _etag(self) -> str:
        return b64encode(self._entropy.token_bytes(9)).decode()

    def _generation(self, now: float) -> str:
        """Decimal digits, never the same twice for one id: the time, made unique by randomness."""
        return f"{int(now * 1000):013d}{int.from_bytes(self._entropy.token_bytes(2), 'big'):05d}"


def _created(identity: Identity, generation: str, at: float) -> Fact:
    return Fact(FactKind.DEVICE_CREATED, identity, at, {"generation_id": generation})


def _found(device: Device | None, identity: Identity) -> Device:
    if device is None:
        raise DeviceNotFound(f"{identity.device_id} is not registered")
    return device


def _not_there(identity: Identity, if_match: str) -> DeviceNotFound | EtagMismatch:
    if if_match == "*":
        return DeviceNotFound(f"{identity.device_id} is not registered")
    return EtagMismatch(f"{identity.device_id} is not registered, so it has no such etag")
