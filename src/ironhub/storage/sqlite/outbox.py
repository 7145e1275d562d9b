"""Facts in SQLite: left in the transaction of the change they tell of, fetched by whoever writes the log."""

import asyncio
from collections.abc import Sequence
from functools import cache
from typing import Final

from sqlalchemy import bindparam, delete, insert, select

from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import Identity
from ironhub.storage.sqlite.database import Database
from ironhub.storage.sqlite.rows import json_object, json_text, reading
from ironhub.storage.sqlite.statements import Values, identity_of, ids_of, limited, names, rows_of, sql
from ironhub.storage.sqlite.tables import OUTBOX, Row
from ironhub.storage.sqlite.transaction import Transaction

ADD_NUMBERED: Final = sql(insert(OUTBOX), *names(OUTBOX))
_KINDS: Final = {kind.value: kind for kind in FactKind}
_COLUMNS: Final = tuple(OUTBOX.columns)
LIST: Final = sql(limited(select(*_COLUMNS).where(OUTBOX.c.fact_id > bindparam("after")).order_by(OUTBOX.c.fact_id)))
DROP: Final = sql(delete(OUTBOX).where(OUTBOX.c.fact_id <= bindparam("up_to")))


@cache
def add(count: int) -> str:
    """Return what leaves `count` facts, each with the values of `fact_values`."""
    return f"INSERT INTO outbox (device_id, module_id, kind, at, data) {rows_of(count, 5)}"


def leave_facts(tx: Transaction, facts: Sequence[Fact]) -> None:
    """Store facts in the transaction of their change."""
    if facts:
        tx.change_together(add, [tuple(fact_values(fact).values()) for fact in facts])
        tx.has_facts = True


def fact_values(fact: Fact) -> Values:
    """A fact as the columns of its row, in the order that `add` takes."""
    return {**ids_of(fact.identity), "kind": fact.kind.value, "at": fact.at, "data": json_text(fact.data)}


DELETE_EVERY: Final = 1000
"""Facts that were dropped and not deleted yet, at most: under load a delete for each commit of the log is half of all
commits here. A process that dies before makes up for it with `continue_after`."""


class SqliteOutbox:
    """An Outbox over the outbox table; make one of them per process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._dropped = self._deleted = 0
        self._something = asyncio.Event()
        self._something.set()  # the process before may have left some
        database.on_facts(self._something.set)

    async def pending_facts(self, limit: int) -> Sequence[tuple[int, Fact]]:
        """Return (outbox id, Fact), ids ascending, of facts not yet dropped."""
        self._something.clear()
        try:
            values = {"after": self._dropped, "limit": limit}
            rows = await self._database.read(lambda tx: tx.all(LIST, values))
            if not rows:
                await self._delete()
        except BaseException:
            self._something.set()
            raise
        if rows:
            self._something.set()
        return [_fact(row) for row in rows]

    async def drop_facts(self, up_to: int) -> None:
        """Forget the facts with ids up to and including `up_to`; they are deleted when there are many, or no others."""
        self._dropped = max(self._dropped, up_to)
        if self._dropped - self._deleted >= DELETE_EVERY:
            await self._delete()

    async def continue_after(self, number: int) -> None:
        """Forget the facts with ids up to and including `number`, and give no new fact such an id."""
        if number:
            await self._database.write(lambda tx: _continue_after(tx, number))

    async def wait_for_facts(self, timeout: float) -> bool:
        """Return True as soon as there may be pending facts, False after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._something.wait()
        except TimeoutError:
            return False
        return True

    async def _delete(self) -> None:
        up_to = self._dropped
        if up_to > self._deleted:
            await self._database.write(lambda tx: tx.change(DROP, {"up_to": up_to}))
            self._deleted = up_to


def _continue_after(tx: Transaction, number: int) -> None:
    """SQLite never gives an id again, be it that of a row which was there for a moment only."""
    tx.change(DROP, {"up_to": number})
    placeholder = {"device_id": "", "module_id": "", "kind": "", "at": 0.0, "data": ""}
    tx.change(ADD_NUMBERED, {"fact_id": number, **placeholder})
    tx.change(DROP, {"up_to": number})


def _fact(row: Row) -> tuple[int, Fact]:
    fact_id, kind, device_id, module_id, at, data = row
    with reading(f"fact {fact_id}"):
        identity: Identity = identity_of(device_id, module_id)
        return fact_id, Fact(_KINDS[kind], identity, at, json_object(data))
