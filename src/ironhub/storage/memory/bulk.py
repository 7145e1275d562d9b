"""Many identities at once, in memory."""

from collections.abc import Sequence
from copy import copy, deepcopy
from dataclasses import fields

from ironhub.core.errors import HubError
from ironhub.core.ids import DeviceId, Identity
from ironhub.provisioning.bulk.model import Change, Mark, Outcome, Registered
from ironhub.provisioning.bulk.ports import Conclude, Step
from ironhub.registry.model import Device, Module
from ironhub.storage.memory.outbox import MemoryOutbox
from ironhub.storage.memory.state import State
from ironhub.twins.model import Twin, initial_twin


class MemoryBulkStore:
    """A BulkStore over the dictionaries of the others."""

    def __init__(self, state: State, outbox: MemoryOutbox) -> None:
        self._state = state
        self._outbox = outbox

    async def apply(
        self, steps: Sequence[Step], *, conclude: Conclude | None = None, dry_run: bool = False
    ) -> Sequence[Outcome]:
        """Take the steps one after the other, all or nothing, and return the outcome of each."""
        before = {each.name: copy(getattr(self._state, each.name)) for each in fields(State)}
        try:
            outcomes = [self._take(step) for step in steps]
            mark = None if conclude is None or dry_run else conclude(outcomes)
        except BaseException:
            self._restore(before)
            raise
        if dry_run:
            self._restore(before)
        if mark is not None:
            self._state.import_marks[mark.name] = deepcopy(mark)
        return outcomes

    async def page(self, *, after: Identity | None, limit: int) -> Sequence[Registered]:
        """Return at most `limit` identities behind `after`, ordered by device id, each device before its modules."""
        owners: list[Device | Module] = [*self._state.devices.values(), *self._state.modules.values()]
        behind = [owner for owner in owners if after is None or _key(owner) > (after.device_id, after.module_id or "")]
        twins = [(owner, self.twin(owner.identity)) for owner in sorted(behind, key=_key)[:limit]]
        return [Registered(owner, twin) for owner, twin in twins if twin is not None]

    async def get_mark(self, name: str) -> Mark | None:
        """Return the newest mark of this name, or None."""
        return deepcopy(self._state.import_marks.get(name))

    async def drop_mark(self, name: str) -> None:
        """Forget the mark."""
        self._state.import_marks.pop(name, None)

    async def drop_marks(self, before: float) -> None:
        """Forget marks that nobody wrote since `before`."""
        for name in [name for name, mark in self._state.import_marks.items() if mark.at < before]:
            del self._state.import_marks[name]

    def device(self, device_id: DeviceId) -> Device | None:
        """Return the device, or None."""
        return self._state.devices.get(device_id)

    def module(self, identity: Identity) -> Module | None:
        """Return the module, or None."""
        return self._state.modules.get(identity)

    def count_modules(self, device_id: DeviceId) -> int:
        """Return how many modules the device has."""
        return sum(module.device_id == device_id for module in self._state.modules.values())

    def twin(self, identity: Identity) -> Twin | None:
        """Return the twin; the initial one if nothing was ever written; None when the identity is not registered."""
        owner = self._state.identity(identity)
        if owner is None:
            return None
        return deepcopy(self._state.twins.get(identity)) or initial_twin(identity, owner.created_at)

    def _take(self, step: Step) -> Outcome:
        try:
            change = step(self)
        except HubError as error:
            return error
        self._store(change)
        self._outbox.leave(change.facts)
        return change

    def _store(self, change: Change) -> None:
        state = self._state
        if change.delete:
            self._delete(change.identity)
        if isinstance(change.put, Device):
            state.devices[change.put.device_id] = change.put
        elif change.put is not None:
            state.modules[change.put.identity] = change.put
        for module in change.modules:
            state.modules.setdefault(module.identity, module)
        if change.twin is not None:
            state.twins[change.identity] = deepcopy(change.twin)

    def _delete(self, identity: Identity) -> None:
        state = self._state
        if identity.module_id is None:
            for module in [each for each in state.modules if each.device_id == identity.device_id]:
                del state.modules[module]
                state.forget(module)
            del state.devices[identity.device_id]
        else:
            del state.modules[identity]
        state.forget(identity)

    def _restore(self, before: dict[str, object]) -> None:
        for name, value in before.items():
            setattr(self._state, name, value)


def _key(owner: Device | Module) -> tuple[str, str]:
    return owner.identity.device_id, owner.identity.module_id or ""
