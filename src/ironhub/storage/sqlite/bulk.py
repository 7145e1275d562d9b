"""Many identities in one transaction of SQLite: a hundred rows cost one sync of the disk."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import bindparam, delete, literal_column, select, tuple_
from sqlalchemy.dialects.sqlite import insert

from ironhub.core.errors import HubError
from ironhub.core.ids import DeviceId, Identity
from ironhub.core.sealing import Sealer
from ironhub.provisioning.bulk.model import Change, Mark, Outcome, Registered
from ironhub.provisioning.bulk.ports import Conclude, Step
from ironhub.registry.model import Device, Module
from ironhub.storage.sqlite import device_statements as statements
from ironhub.storage.sqlite.database import Database
from ironhub.storage.sqlite.device_rows import COLUMNS, device_of, device_values, module_of, module_values
from ironhub.storage.sqlite.devices import insert_new
from ironhub.storage.sqlite.identity_cache import IdentityCache
from ironhub.storage.sqlite.outbox import leave_facts
from ironhub.storage.sqlite.rows import json_object, json_text, reading
from ironhub.storage.sqlite.statements import key_of, limited, names, sql
from ironhub.storage.sqlite.tables import IDENTITIES, IMPORT_MARKS, TWINS, Row
from ironhub.storage.sqlite.transaction import Transaction
from ironhub.storage.sqlite.twins import SAME_IDENTITY, TWIN_COLUMNS, read_twin, twin_of, write_twin
from ironhub.twins.model import Twin

_MARK: Final = insert(IMPORT_MARKS)
_STATE: Final = names(IMPORT_MARKS, "name")
PUT_MARK: Final = sql(
    _MARK.on_conflict_do_update(
        index_elements=[IMPORT_MARKS.c.name], set_={name: _MARK.excluded[name] for name in _STATE}
    ),
    *names(IMPORT_MARKS),
)
GET_MARK: Final = sql(select(*IMPORT_MARKS.columns).where(IMPORT_MARKS.c.name == bindparam("wanted")))
DROP_MARK: Final = sql(delete(IMPORT_MARKS).where(IMPORT_MARKS.c.name == bindparam("wanted")))
DROP_MARKS: Final = sql(delete(IMPORT_MARKS).where(IMPORT_MARKS.c.at < bindparam("before")))


_C: Final = IDENTITIES.c
_WIDTH: Final = len(COLUMNS)
PAGE: Final = sql(
    limited(
        select(*IDENTITIES.columns, literal_column("0"), *TWIN_COLUMNS)
        .join_from(IDENTITIES, TWINS, SAME_IDENTITY, isouter=True)
        .where(tuple_(_C.device_id, _C.module_id) > tuple_(bindparam("after_device"), bindparam("after_module")))
        .order_by(_C.device_id, _C.module_id)
    )
)
"""Without the number of pending commands, which costs a look each and is nobody's business elsewhere."""


class _Undone(Exception):
    """A dry run is over; raising it takes back what was done."""

    def __init__(self, outcomes: list[Outcome]) -> None:
        super().__init__()
        self.outcomes = outcomes


class SqliteBulkStore:
    """A BulkStore over the tables of the others."""

    def __init__(self, database: Database, sealer: Sealer, caches: Sequence[IdentityCache[Any]]) -> None:
        """Begin.

        Args:
            caches: all that remember something of identities.
        """
        self._database = database
        self._sealer = sealer
        self._caches = caches

    async def apply(
        self, steps: Sequence[Step], *, conclude: Conclude | None = None, dry_run: bool = False
    ) -> Sequence[Outcome]:
        """Take the steps one after the other in one transaction, and return the outcome of each."""
        written: set[DeviceId] = set()

        def work(tx: Transaction) -> list[Outcome]:
            view = _View(tx, self._sealer)
            outcomes = [view.take(step) for step in steps]
            written.update(each.identity.device_id for each in outcomes if isinstance(each, Change))
            if dry_run:
                raise _Undone(outcomes)
            if conclude is not None:
                _put_mark(tx, conclude(outcomes))
            return outcomes

        def forget() -> None:
            for cache in self._caches:
                for device_id in written:
                    cache.forget(device_id)

        try:
            return await self._database.write(work, after=forget)
        except _Undone as undone:
            return undone.outcomes

    async def page(self, *, after: Identity | None, limit: int) -> Sequence[Registered]:
        """Return at most `limit` identities behind `after`, ordered by device id, each device before its modules."""
        device, module = ("", "") if after is None else (after.device_id, after.module_id or "")
        values = {"after_device": device, "after_module": module, "limit": limit}
        return await self._database.browse(lambda tx: [_registered(row, self._sealer) for row in tx.all(PAGE, values)])

    async def get_mark(self, name: str) -> Mark | None:
        """Return the newest mark of this name, or None."""
        row = await self._database.read(lambda tx: tx.one(GET_MARK, {"wanted": name}))
        if row is None:
            return None
        with reading(f"import {name}"):
            return Mark(row[0], row[1], row[2], json_object(row[3]))

    async def drop_mark(self, name: str) -> None:
        """Forget the mark."""
        await self._database.write(lambda tx: tx.change(DROP_MARK, {"wanted": name}))

    async def drop_marks(self, before: float) -> None:
        """Forget marks that nobody wrote since `before`."""
        await self._database.write(lambda tx: tx.change(DROP_MARKS, {"before": before}))


class _View:
    """A provisioning.bulk.ports.View of a transaction that is open."""

    def __init__(self, tx: Transaction, sealer: Sealer) -> None:
        self._tx = tx
        self._sealer = sealer

    def device(self, device_id: DeviceId) -> Device | None:
        row = self._tx.one(statements.GET, key_of(Identity(device_id)))
        return None if row is None else device_of(row, self._sealer)

    def module(self, identity: Identity) -> Module | None:
        row = self._tx.one(statements.GET, key_of(identity))
        return None if row is None else module_of(row, self._sealer)

    def count_modules(self, device_id: DeviceId) -> int:
        row = self._tx.one(statements.COUNT_MODULES, {"of_device": device_id})
        return 0 if row is None else int(row[0])

    def twin(self, identity: Identity) -> Twin | None:
        return read_twin(self._tx, identity)

    def take(self, step: Step) -> Outcome:
        """A step decides before anything is written, so one that is refused leaves nothing to be undone."""
        try:
            change = step(self)
        except HubError as error:
            return error
        self._store(change)
        leave_facts(self._tx, change.facts)
        return change

    def _store(self, change: Change) -> None:
        if change.delete:
            statement = statements.DELETE_DEVICE if change.identity.module_id is None else statements.DELETE_MODULE
            self._tx.change(statement, key_of(change.identity))
        if change.put is not None:
            self._put(change.put, is_new=change.is_new)
        for module in change.modules:
            insert_new(self._tx, module_values(module, self._sealer))
        if change.twin is not None:
            write_twin(self._tx, change.twin, is_new=change.is_new)

    def _put(self, owner: Device | Module, *, is_new: bool) -> None:
        sealer = self._sealer
        values = device_values(owner, sealer) if isinstance(owner, Device) else module_values(owner, sealer)
        if is_new:
            insert_new(self._tx, values)
        else:
            self._tx.change(statements.REPLACE, values | key_of(owner.identity))


def _registered(row: Row, sealer: Sealer) -> Registered:
    owner = device_of(row, sealer) if row[1] == "" else module_of(row, sealer)
    return Registered(owner, twin_of(owner.identity, (owner.created_at, *row[_WIDTH:])))


def _put_mark(tx: Transaction, mark: Mark) -> None:
    tx.change(PUT_MARK, {"name": mark.name, "position": mark.position, "at": mark.at, "data": json_text(mark.data)})
