"""Twins in SQLite."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import and_, bindparam, exists, insert, select, update

from ironhub.core.facts import Fact
from ironhub.core.ids import Identity
from ironhub.core.receipts import Receipt
from ironhub.storage.sqlite.database import Database
from ironhub.storage.sqlite.jobs import take_receipt
from ironhub.storage.sqlite.outbox import leave_facts
from ironhub.storage.sqlite.rows import json_object, json_text, reading
from ironhub.storage.sqlite.statements import Values, is_identity, key_of, names, sql
from ironhub.storage.sqlite.tables import IDENTITIES, TWINS, Row
from ironhub.storage.sqlite.transaction import Transaction
from ironhub.twins.model import FIRST_VERSION, Section, Twin, TwinVersionConflict, initial_twin

_STATE: Final = names(TWINS, "device_id", "module_id")
TWIN_COLUMNS: Final = tuple(TWINS.c[name] for name in _STATE)
SAME_IDENTITY: Final = and_(TWINS.c.device_id == IDENTITIES.c.device_id, TWINS.c.module_id == IDENTITIES.c.module_id)

GET: Final = sql(
    select(IDENTITIES.c.created_at, *(TWINS.c[name] for name in _STATE))
    .join_from(IDENTITIES, TWINS, SAME_IDENTITY, isouter=True)
    .where(is_identity(IDENTITIES))
)
UPDATE: Final = sql(update(TWINS).where(is_identity(TWINS), TWINS.c.version == bindparam("replacing")), *_STATE)
_FIRST: Final = select(IDENTITIES.c.device_id, IDENTITIES.c.module_id, *(bindparam(name) for name in _STATE))
INSERT_FIRST: Final = sql(
    insert(TWINS).from_select(
        ["device_id", "module_id", *_STATE],
        _FIRST.where(is_identity(IDENTITIES), ~exists().where(is_identity(TWINS))),
    )
)
"""A twin gets its row with the first change; until then it is the initial one of its identity."""


PUT: Final = sql(update(TWINS).where(is_identity(TWINS)), *_STATE)
"""For a transaction that has looked at the stored version itself."""


def read_twin(tx: Transaction, identity: Identity) -> Twin | None:
    """Return the twin; the initial one if nothing was ever written; None when the identity is not registered."""
    row = tx.one(GET, key_of(identity))
    return None if row is None else twin_of(identity, row)


def write_twin(tx: Transaction, twin: Twin, *, is_new: bool = False) -> None:
    """Store the twin of an identity that is registered, whatever is stored of it; `is_new`: nothing can be."""
    values = _values(twin) | key_of(twin.identity)
    if is_new or not tx.change(PUT, values):
        tx.change(INSERT_FIRST, values)


class SqliteTwinStore:
    """A TwinStore over the twins table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get_twin(self, identity: Identity) -> Twin | None:
        """Return the twin; the initial one if nothing was ever written; None when the identity is not registered."""
        row = await self._database.read(lambda tx: tx.one(GET, key_of(identity)))
        return None if row is None else twin_of(identity, row)

    async def put_twin(
        self, twin: Twin, *, replacing: int, facts: Sequence[Fact] = (), receipt: Receipt | None = None
    ) -> None:
        """Store it, its facts and the receipt if `replacing` is the stored version. Raises TwinVersionConflict,
        ReceiptRefused."""
        values = _values(twin) | key_of(twin.identity) | {"replacing": replacing}

        def work(tx: Transaction) -> None:
            stored = tx.change(UPDATE, values)
            if not stored and replacing == FIRST_VERSION:
                stored = tx.change(INSERT_FIRST, values)
            if not stored:
                raise TwinVersionConflict(f"the twin of {twin.identity} is not at version {replacing}")
            leave_facts(tx, facts)
            if receipt is not None:
                take_receipt(tx, receipt)

        await self._database.write(work)


def _values(twin: Twin) -> Values:
    return {
        "version": twin.version,
        "etag_counter": twin.etag_counter,
        "tags": json_text(twin.tags),
        "desired_version": twin.desired.version,
        "desired": json_text(twin.desired.properties),
        "desired_metadata": json_text(twin.desired.metadata),
        "reported_version": twin.reported.version,
        "reported": json_text(twin.reported.properties),
        "reported_metadata": json_text(twin.reported.metadata),
        "configurations": json_text(twin.configurations) if twin.configurations else None,
    }


def twin_of(identity: Identity, row: Row) -> Twin:
    """Return the twin in a row of the instant its identity was created at and TWIN_COLUMNS. Raises CorruptStore."""
    created_at, version, etag_counter, tags, *sections, configurations = row
    if version is None:
        return initial_twin(identity, created_at)
    with reading(f"the twin of {identity}"):
        desired, reported = _section(sections[:3]), _section(sections[3:])
        configured = json_object(configurations) if configurations is not None else {}
        return Twin(identity, version, etag_counter, json_object(tags), desired, reported, configured)


def _section(columns: list[object]) -> Section:
    version, properties, metadata = columns
    return Section(int(str(version)), json_object(str(properties)), json_object(str(metadata)))
