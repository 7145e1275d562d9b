"""What one row changes, given what is stored: the rules of the single calls, applied within one transaction."""

from dataclasses import replace
from typing import TypeVar

from ironhub.core.bus import CredentialsChanged
from ironhub.core.clock import Clock
from ironhub.core.errors import InvalidArgument
from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import DeviceId, Identity
from ironhub.identity.model import CredentialKind, Credentials
from ironhub.provisioning.bulk.model import Change, Row, RowMode
from ironhub.provisioning.bulk.ports import View
from ironhub.provisioning.bulk.twins import TwinChange, first_twin, merged, overwritten
from ironhub.registry.edge import SystemModule, check_parent, is_system_module, owner_of, parent_of
from ironhub.registry.making import IdentityMaker, created
from ironhub.registry.model import (
    MAX_MODULES_PER_DEVICE,
    Device,
    DeviceDraft,
    DeviceExists,
    DeviceNotFound,
    EtagMismatch,
    Module,
    ModuleDraft,
    ModuleExists,
    ModuleNotFound,
    TooManyModules,
)
from ironhub.twins.model import Twin, TwinVersionConflict, etag_of

T = TypeVar("T", Device, Module)


class Decider:
    """Decides on rows. Every method may raise the HubError that is the row's outcome."""

    def __init__(self, maker: IdentityMaker, clock: Clock) -> None:
        self._maker = maker
        self._clock = clock

    def decide(self, row: Row, view: View) -> Change:
        """Return what `row` changes."""
        if row.mode is RowMode.UPDATE_TWIN:
            return self._twin_alone(row, view)
        if row.identity.module_id is None:
            return self._device(row, view)
        _check_no_system_module(row.identity, view)
        return self._module(row, view)

    def new_key(self, identity: Identity, *, secondary: bool, view: View) -> Change:
        """Return `identity` with a new key in one of its two places."""
        stored = _owner(identity, view)
        keys = stored.credentials.keys
        if keys is None:
            raise InvalidArgument(f"{identity} has no keys that could be replaced")
        fresh = self._maker.new_keys()
        keys = keys._replace(secondary=fresh.secondary) if secondary else keys._replace(primary=fresh.primary)
        credentials = Credentials(CredentialKind.SAS, keys=keys)
        put: Device | Module
        if isinstance(stored, Device):
            put = self._maker.changed_device(
                stored, DeviceDraft(status_reason=stored.status_reason, credentials=credentials)
            )
        else:
            put = self._maker.changed_module(stored, ModuleDraft(credentials=credentials))
        return Change(identity=identity, put=put, notices=(CredentialsChanged(identity, whole_device=False),))

    def _device(self, row: Row, view: View) -> Change:
        stored = view.device(row.identity.device_id)
        if row.mode is RowMode.DELETE:
            return self._deleted(row, _matching(row, stored, DeviceNotFound(_missing(row.identity))))
        if stored is None:
            if row.mode is RowMode.UPDATE:
                raise DeviceNotFound(_missing(row.identity))
            return self._new_device(row, view)
        if row.mode is RowMode.CREATE:
            raise DeviceExists(f"{row.identity} exists already")
        return self._changed_device(row, _matching(row, stored, DeviceNotFound(_missing(row.identity))), view)

    def _new_device(self, row: Row, view: View) -> Change:
        device = self._maker.new_device(row.identity.device_id, row.device)
        _check_parents(device, None, row, view)
        modules = self._maker.system_modules(device, None)
        twin = first_twin(row.identity, row.twin, device.created_at) if row.twin else None
        facts = created(device, *modules)
        return Change(identity=row.identity, put=device, is_new=True, modules=modules, twin=twin, facts=facts)

    def _changed_device(self, row: Row, stored: Device, view: View) -> Change:
        device = self._maker.changed_device(stored, row.device)
        _check_parents(device, stored, row, view)
        modules = self._maker.system_modules(device, stored)
        told: tuple[CredentialsChanged, ...] = ()
        if row.device.credentials is not None or row.device.status is not None:
            told = (CredentialsChanged(row.identity, whole_device=row.device.status is not None),)
        change = Change(identity=row.identity, put=device, modules=modules, facts=created(*modules), notices=told)
        return _with_twin(change, self._overwritten_twin(row, view))

    def _module(self, row: Row, view: View) -> Change:
        stored = view.module(row.identity)
        if stored is None and view.device(row.identity.device_id) is None:
            raise DeviceNotFound(f"{row.identity.device_id} is not registered")
        missing = ModuleNotFound(_missing(row.identity))
        if row.mode is RowMode.DELETE:
            return self._deleted(row, _matching(row, stored, missing))
        if stored is None:
            if row.mode is RowMode.UPDATE:
                raise missing
            return self._new_module(row, view)
        if row.mode is RowMode.CREATE:
            raise ModuleExists(f"{row.identity} exists already")
        module = self._maker.changed_module(_matching(row, stored, missing), row.module)
        told = () if row.module.credentials is None else (CredentialsChanged(row.identity, whole_device=False),)
        return _with_twin(Change(identity=row.identity, put=module, notices=told), self._overwritten_twin(row, view))

    def _new_module(self, row: Row, view: View) -> Change:
        if view.count_modules(row.identity.device_id) >= MAX_MODULES_PER_DEVICE:
            raise TooManyModules(f"{row.identity.device_id} has {MAX_MODULES_PER_DEVICE} modules already")
        module = self._maker.new_module(row.identity, row.module)
        twin = first_twin(row.identity, row.twin, module.created_at) if row.twin else None
        return Change(identity=row.identity, put=module, is_new=True, twin=twin, facts=created(module))

    def _deleted(self, row: Row, stored: Device | Module) -> Change:
        who = stored.identity
        facts = (Fact(FactKind.DEVICE_DELETED, who, self._clock.now(), {}),)
        told = (CredentialsChanged(who, whole_device=who.module_id is None),)
        return Change(identity=who, delete=True, facts=facts, notices=told)

    def _twin_alone(self, row: Row, view: View) -> Change:
        _owner(row.identity, view)
        stored = _matching_twin(row, view)
        return _with_twin(Change(identity=row.identity), merged(stored, row.twin, self._clock.now()))

    def _overwritten_twin(self, row: Row, view: View) -> TwinChange | None:
        if not row.twin:
            return None
        return overwritten(_matching_twin(row, view), row.twin, self._clock.now())


def _owner(identity: Identity, view: View) -> Device | Module:
    found: Device | Module | None
    device = view.device(identity.device_id)
    if device is None:
        raise DeviceNotFound(f"{identity.device_id} is not registered")
    found = device if identity.module_id is None else view.module(identity)
    if found is None:
        raise ModuleNotFound(_missing(identity))
    return found


def _matching(row: Row, stored: T | None, missing: Exception) -> T:
    if stored is None:
        raise missing
    if row.if_match not in (None, "*", stored.etag):
        raise EtagMismatch(f"{row.identity} has another etag")
    return stored


def _matching_twin(row: Row, view: View) -> Twin:
    stored = view.twin(row.identity)
    if stored is None:
        raise DeviceNotFound(_missing(row.identity))
    if row.twin_if_match not in (None, "*", etag_of(stored)):
        raise TwinVersionConflict(f"the twin of {row.identity} has another etag")
    return stored


def _with_twin(change: Change, twin: TwinChange | None) -> Change:
    if twin is None:
        return change
    return replace(change, twin=twin.twin, facts=(*change.facts, twin.fact), notices=(*change.notices, *twin.notices))


def _check_parents(device: Device, before: Device | None, row: Row, view: View) -> None:
    """A parent that stays is not looked at again: it may be gone by now."""
    if before is not None and parent_of(device) == parent_of(before):
        return
    scope, level = parent_of(device), 1
    while scope is not None:
        owner: DeviceId = owner_of(scope)
        parent = view.device(owner)
        if parent is None and row.parent_may_follow and owner != device.device_id:
            return
        scope, level = check_parent(device.device_id, scope, parent, level), level + 1


def _check_no_system_module(identity: Identity, view: View) -> None:
    if is_system_module(identity):
        device = view.device(identity.device_id)
        if device is not None and device.edge_capable:
            raise SystemModule(f"{identity} belongs to the runtime of the edge device")


def _missing(identity: Identity) -> str:
    return f"{identity} is not registered"
