"""What a device or module is after a caller's wish: new ones have keys of their own, changed ones keep the rest."""

from base64 import b64encode
from dataclasses import replace
from typing import Final

from ironhub.core.clock import Clock, Entropy
from ironhub.core.errors import InvalidArgument
from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import DeviceId, Identity
from ironhub.identity.model import CredentialKind, Credentials, SymmetricKeys
from ironhub.registry.edge import SYSTEM_MANAGER, SYSTEM_MODULES, place_of
from ironhub.registry.model import (
    MAX_STATUS_REASON,
    Device,
    DeviceDraft,
    DeviceStatus,
    Module,
    ModuleDraft,
    check_credentials,
)

KEY_SIZE: Final = 32
"""Bytes of a generated key."""


class IdentityMaker:
    """Makes values and stores nothing. For any thread, if clock and entropy are."""

    def __init__(self, clock: Clock, entropy: Entropy) -> None:
        self._clock = clock
        self._entropy = entropy

    def new_device(self, device_id: DeviceId, draft: DeviceDraft) -> Device:
        """Return the device that `draft` asks for. Raises InvalidArgument, ScopeInvalid."""
        _check_reason(draft)
        now = self._clock.now()
        generation = self._generation(now)
        place = place_of(device_id, generation, draft, None)
        return Device(
            device_id,
            generation,
            self._etag(),
            self._credentials(draft.credentials, None),
            created_at=now,
            status=draft.status or DeviceStatus.ENABLED,
            status_reason=draft.status_reason,
            edge_capable=bool(draft.edge_capable),
            scope=place.scope,
            parent_scopes=place.parent_scopes,
        )

    def changed_device(self, stored: Device, draft: DeviceDraft) -> Device:
        """Return `stored` as `draft` wants it, with another etag. Raises InvalidArgument, ScopeInvalid."""
        _check_reason(draft)
        status = draft.status or stored.status
        place = place_of(stored.device_id, stored.generation_id, draft, stored)
        return replace(
            stored,
            etag=self._etag(),
            credentials=self._credentials(draft.credentials, stored.credentials),
            status=status,
            status_reason=draft.status_reason,
            status_changed_at=stored.status_changed_at if status is stored.status else self._clock.now(),
            edge_capable=stored.edge_capable if draft.edge_capable is None else draft.edge_capable,
            scope=place.scope,
            parent_scopes=place.parent_scopes,
        )

    def new_module(self, identity: Identity, draft: ModuleDraft) -> Module:
        """Return the module that `draft` asks for. Raises InvalidArgument."""
        if identity.module_id is None:
            raise InvalidArgument("a module needs a module id")
        now = self._clock.now()
        return Module(
            identity.device_id,
            identity.module_id,
            self._generation(now),
            self._etag(),
            self._credentials(draft.credentials, None),
            created_at=now,
            managed_by=draft.managed_by,
        )

    def changed_module(self, stored: Module, draft: ModuleDraft) -> Module:
        """Return `stored` as `draft` wants it, with another etag. Raises InvalidArgument."""
        return replace(
            stored,
            etag=self._etag(),
            credentials=self._credentials(draft.credentials, stored.credentials),
            managed_by=stored.managed_by if draft.managed_by is None else draft.managed_by,
        )

    def system_modules(self, device: Device, before: Device | None) -> tuple[Module, ...]:
        """Return the modules that come with `device`, which was `before`: two when it becomes an edge device."""
        if not device.edge_capable or (before is not None and before.edge_capable):
            return ()
        draft = ModuleDraft(managed_by=SYSTEM_MANAGER)
        return tuple(self.new_module(Identity(device.device_id, module), draft) for module in SYSTEM_MODULES)

    def new_keys(self) -> SymmetricKeys:
        """Return two random keys."""
        return SymmetricKeys(self._entropy.token_bytes(KEY_SIZE), self._entropy.token_bytes(KEY_SIZE))

    def _credentials(self, wanted: Credentials | None, stored: Credentials | None) -> Credentials:
        """Keys are kept on an update that names none, and generated for whoever has none."""
        if wanted is None:
            return stored if stored is not None else self._generated()
        check_credentials(wanted)
        if wanted.kind is not CredentialKind.SAS or wanted.keys is not None:
            return wanted
        return stored if stored is not None and stored.keys is not None else self._generated()

    def _generated(self) -> Credentials:
        return Credentials(CredentialKind.SAS, keys=self.new_keys())

    def _etag(self) -> str:
        return b64encode(self._entropy.token_bytes(9)).decode()

    def _generation(self, now: float) -> str:
        """Decimal digits, never the same twice for one id: the time, made unique by randomness."""
        return f"{int(now * 1000):013d}{int.from_bytes(self._entropy.token_bytes(2), 'big'):05d}"


def created(*made: Device | Module) -> tuple[Fact, ...]:
    """Return the facts that tell of new identities."""
    return tuple(
        Fact(FactKind.DEVICE_CREATED, each.identity, each.created_at, {"generation_id": each.generation_id})
        for each in made
    )


def _check_reason(draft: DeviceDraft) -> None:
    if draft.status_reason is not None and len(draft.status_reason) > MAX_STATUS_REASON:
        raise InvalidArgument(f"the status reason has more than {MAX_STATUS_REASON} characters")
