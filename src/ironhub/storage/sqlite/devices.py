"""Devices and modules in SQLite."""

from collections.abc import Sequence
from contextlib import suppress

from ironhub.core.errors import CorruptStore, HubError
from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import DeviceId, Identity
from ironhub.core.pages import Page
from ironhub.core.sealing import Sealer
from ironhub.identity.model import KnownIdentity
from ironhub.registry.model import (
    MAX_MODULES_PER_DEVICE,
    Device,
    DeviceExists,
    DeviceNotFound,
    EtagMismatch,
    Module,
    ModuleExists,
    ModuleNotFound,
    TooManyModules,
    announced_model,
)
from ironhub.storage.sqlite import device_statements as statements
from ironhub.storage.sqlite.database import Database
from ironhub.storage.sqlite.device_rows import UNSEEN, device_of, device_values, known_of, module_of, module_values
from ironhub.storage.sqlite.errors import Clash
from ironhub.storage.sqlite.identity_cache import IdentityCache
from ironhub.storage.sqlite.outbox import fact_values, leave_facts
from ironhub.storage.sqlite.sessions import GET as SESSION
from ironhub.storage.sqlite.sessions import Remembered, remembered_of
from ironhub.storage.sqlite.statements import Values, key_of
from ironhub.storage.sqlite.transaction import Transaction
from ironhub.storage.sqlite.workers import Work


class SqliteDeviceStore:
    """A DeviceStore over the identities table."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        cache: IdentityCache[KnownIdentity] | None = None,
        sessions_cache: IdentityCache[Remembered] | None = None,
    ) -> None:
        """Begin.

        Args:
            sessions_cache: the session store's: who is asked for will ask for its session next.
        """
        self._database = database
        self._sealer = sealer
        self._cache = cache or IdentityCache()
        self._sessions_cache = sessions_cache or IdentityCache()

    async def known_identity(self, identity: Identity) -> KnownIdentity | None:
        """Return what the gate must know of it, or None when there is no such device or module."""
        cached = self._cache.get(identity)
        if cached is not None:
            return cached
        asked_at, seen_at = self._cache.generation, self._sessions_cache.generation
        key = key_of(identity)
        row, session = await self._database.read(lambda tx: (tx.one(statements.KNOWN, key), tx.one(SESSION, key)))
        if row is None:
            return None
        known = known_of(identity, row, self._sealer)
        self._cache.put(identity, known, asked_at)
        with suppress(CorruptStore):  # whoever asks for the session learns it
            self._sessions_cache.put(identity, remembered_of(identity, session), seen_at)
        return known

    async def get_device(self, device_id: DeviceId) -> Device | None:
        """Return the device with its presence and number of pending commands, or None."""
        row = await self._database.read(lambda tx: tx.one(statements.GET, key_of(Identity(device_id))))
        return None if row is None else device_of(row, self._sealer)

    async def put_device(
        self, device: Device, *, replacing: str | None, facts: Sequence[Fact] = (), modules: Sequence[Module] = ()
    ) -> None:
        """Store it if `replacing` (None: nothing) is the stored etag. Raises DeviceExists, EtagMismatch."""
        values = device_values(device, self._sealer)
        exists = DeviceExists(f"{device.device_id} exists already")

        def work(tx: Transaction) -> None:
            _put(tx, device.identity, values, replacing, exists, facts)
            for module in modules:
                insert_new(tx, module_values(module, self._sealer))

        await self._write(device.device_id, work)

    async def delete_device(self, device_id: DeviceId, *, replacing: str | None, facts: Sequence[Fact] = ()) -> None:
        """Delete it and all that is its own. Raises DeviceNotFound, EtagMismatch."""

        def work(tx: Transaction) -> None:
            missing = DeviceNotFound(f"{device_id} is not registered")
            _check_etag(tx, Identity(device_id), replacing, missing)
            tx.change(statements.DELETE_DEVICE, {"of_device": device_id})
            leave_facts(tx, facts)

        await self._write(device_id, work)

    async def list_devices(self, *, after: str | None, limit: int) -> Page[Device]:
        """Return at most `limit` devices ordered by id; `after` from the page before."""
        values = {"after": after or "", "limit": limit + 1}
        rows = await self._database.browse(lambda tx: tx.all(statements.LIST_DEVICES, values))
        devices = tuple(device_of(row, self._sealer) for row in rows[:limit])
        return Page(devices, devices[-1].device_id if len(rows) > limit else None)

    async def count_devices(self) -> tuple[int, int]:
        """Return how many devices there are, and how many of them are enabled."""
        row = await self._database.read(lambda tx: tx.one(statements.COUNT_DEVICES, {}))
        return (0, 0) if row is None else (row[0], row[1])

    async def get_module(self, identity: Identity) -> Module | None:
        """Return the module, or None when it or its device is not there."""
        row = await self._database.read(lambda tx: tx.one(statements.GET, key_of(identity)))
        return None if row is None else module_of(row, self._sealer)

    async def put_module(self, module: Module, *, replacing: str | None, facts: Sequence[Fact] = ()) -> None:
        """As put_device. Raises ModuleExists, EtagMismatch, DeviceNotFound, TooManyModules."""
        values = module_values(module, self._sealer)
        exists = ModuleExists(f"{module.identity} exists already")

        def work(tx: Transaction) -> None:
            _put(tx, module.identity, values, replacing, exists, facts)
            if replacing is None:
                _check_device(tx, module.device_id)

        await self._write(module.device_id, work)

    async def delete_module(self, identity: Identity, *, replacing: str | None, facts: Sequence[Fact] = ()) -> None:
        """As delete_device. Raises ModuleNotFound, EtagMismatch."""

        def work(tx: Transaction) -> None:
            _check_etag(tx, identity, replacing, ModuleNotFound(f"{identity} is not registered"))
            tx.change(statements.DELETE_MODULE, key_of(identity))
            leave_facts(tx, facts)

        await self._write(identity.device_id, work)

    async def list_modules(self, device_id: DeviceId) -> tuple[Module, ...]:
        """Return all modules of the device ordered by id; empty when there is no device."""
        rows = await self._database.read(lambda tx: tx.all(statements.LIST_MODULES, {"of_device": device_id}))
        return tuple(module_of(row, self._sealer) for row in rows)

    async def record_presence(self, changes: Sequence[Fact]) -> None:
        """Store who came and went, with the facts in the outbox; those of identities that are gone are dropped."""
        states = _last_states(changes)

        def work(tx: Transaction) -> None:
            if tx.change_together(statements.came_or_went, states) == len(states):
                leave_facts(tx, changes)
            else:
                rows = [fact_values(fact) | key_of(fact.identity) for fact in changes]
                tx.has_facts |= tx.change_each(statements.FACT_IF_STILL_THERE, rows) > 0

        if changes:
            await self._database.write(work)

    async def forget_presence(self, at: float) -> int:
        """Mark everybody disconnected since `at`, with a fact each; returns how many were connected."""
        values = {"kind": FactKind.DISCONNECTED.value, "at": at, "data": "{}", "presence_changed_at": at}

        def work(tx: Transaction) -> int:
            tx.has_facts |= tx.change(statements.FACT_OF_ALL_ONLINE, values) > 0
            return tx.change(statements.ALL_WENT, values)

        return await self._database.write(work)

    async def _write(self, device_id: DeviceId, work: Work[None]) -> None:
        """Whatever the end, and whether or not the caller still waits, the caches forget the device."""

        def forget() -> None:
            self._cache.forget(device_id)
            self._sessions_cache.forget(device_id)

        await self._database.write(work, after=forget)


def insert_new(tx: Transaction, values: Values) -> bool:
    """Create an identity that nobody saw yet; returns False when it is there already."""
    try:
        return tx.change(statements.INSERT, values | UNSEEN) > 0
    except Clash:
        return False


def _put(
    tx: Transaction,
    identity: Identity,
    values: Values,
    replacing: str | None,
    exists: HubError,
    facts: Sequence[Fact],
) -> None:
    if replacing is None:
        if not insert_new(tx, values):
            raise exists
    elif not tx.change(statements.UPDATE, values | key_of(identity) | {"replacing": replacing}):
        raise EtagMismatch(f"{identity} has another etag, or is gone")
    leave_facts(tx, facts)


def _check_etag(tx: Transaction, identity: Identity, etag: str | None, missing: HubError) -> None:
    stored = tx.one(statements.ETAG, key_of(identity))
    if stored is None:
        raise missing
    if etag not in (None, stored[0]):
        raise EtagMismatch(f"{identity} has another etag")


def _check_device(tx: Transaction, device_id: DeviceId) -> None:
    """A new module needs its device, and room there; raising here takes its row back."""
    if tx.one(statements.ETAG, key_of(Identity(device_id))) is None:
        raise DeviceNotFound(f"{device_id} is not registered")
    counted = tx.one(statements.COUNT_MODULES, {"of_device": device_id})
    if counted is not None and counted[0] > MAX_MODULES_PER_DEVICE:
        raise TooManyModules(f"{device_id} has {MAX_MODULES_PER_DEVICE} modules already")


def _last_states(changes: Sequence[Fact]) -> list[tuple[str, str, int, float, str | None]]:
    """How each identity is after all of `changes`: who came and went again is written once, as if it had never come."""
    states: dict[Identity, tuple[str, str, int, float, str | None]] = {}
    for fact in changes:
        device_id, module_id = identity = fact.identity
        announced = announced_model(fact)
        if announced is None and identity in states:
            *_, announced = states[identity]
        states[identity] = (device_id, module_id or "", int(fact.kind is FactKind.CONNECTED), fact.at, announced)
    return list(states.values())
