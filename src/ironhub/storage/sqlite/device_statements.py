"""The statements of the device store."""

from functools import cache
from typing import Final

from sqlalchemy import ColumnClause, and_, bindparam, delete, func, insert, literal_column, select, update

from ironhub.storage.sqlite.device_rows import COLUMNS, UNSEEN
from ironhub.storage.sqlite.statements import is_device, is_identity, limited, names, rows_of, sql
from ironhub.storage.sqlite.tables import DEVICE_COUNTS, IDENTITIES, OUTBOX

_NO_MODULE: Final[ColumnClause[str]] = literal_column("''")
_ONE: Final[ColumnClause[int]] = literal_column("1")
_C: Final = IDENTITIES.c
_DEVICE: Final = IDENTITIES.alias("device")

GET: Final = sql(select(*COLUMNS).where(is_identity(IDENTITIES)))
KNOWN: Final = sql(
    select(
        _C.generation_id,
        _DEVICE.c.status,
        _C.credential_kind,
        _C.sealed_keys,
        _C.primary_thumbprint,
        _C.secondary_thumbprint,
    )
    .join_from(IDENTITIES, _DEVICE, and_(_DEVICE.c.device_id == _C.device_id, _DEVICE.c.module_id == _NO_MODULE))
    .where(is_identity(IDENTITIES))
)
"""A module is enabled when its device is, so the status comes from the device's row."""
ETAG: Final = sql(select(_C.etag).where(is_identity(IDENTITIES)))

_STORED: Final = names(IDENTITIES, "device_id", "module_id", *UNSEEN)
INSERT: Final = sql(insert(IDENTITIES), *names(IDENTITIES))
UPDATE: Final = sql(update(IDENTITIES).where(is_identity(IDENTITIES), _C.etag == bindparam("replacing")), *_STORED)
REPLACE: Final = sql(update(IDENTITIES).where(is_identity(IDENTITIES)), *_STORED)
"""For a transaction that has looked at the stored etag itself."""
DELETE_DEVICE: Final = sql(delete(IDENTITIES).where(is_device(IDENTITIES)))
DELETE_MODULE: Final = sql(delete(IDENTITIES).where(is_identity(IDENTITIES)))
"""Foreign keys take twins, commands, feedback and sessions with them."""

LIST_DEVICES: Final = sql(
    limited(
        select(*COLUMNS).where(_C.device_id > bindparam("after"), _C.module_id == _NO_MODULE).order_by(_C.device_id)
    )
)
COUNT_DEVICES: Final = sql(select(DEVICE_COUNTS.c.devices, DEVICE_COUNTS.c.enabled))
"""One row that the database itself keeps true (migration 0004): counting a million takes too long."""
LIST_MODULES: Final = sql(
    select(*COLUMNS).where(is_device(IDENTITIES), _C.module_id > _NO_MODULE).order_by(_C.module_id)
)
COUNT_MODULES: Final = sql(
    select(func.count()).select_from(IDENTITIES).where(is_device(IDENTITIES), _C.module_id > _NO_MODULE)
)


@cache
def came_or_went(count: int) -> str:
    """Return what stores the presence of `count` identities: (device, module, connected, at, announced model) of each.

    Who goes leaves the model that it announced.
    """
    changed = (
        "UPDATE identities SET connected = given.column3, presence_changed_at = given.column4,"
        " last_activity_at = given.column4, model_id = coalesce(given.column5, model_id)"
    )
    found = "identities.device_id = given.column1 AND identities.module_id = given.column2"
    return f"{changed} FROM ({rows_of(count, 5)}) AS given WHERE {found}"


_FACT_COLUMNS: Final = [OUTBOX.c.device_id, OUTBOX.c.module_id, OUTBOX.c.kind, OUTBOX.c.at, OUTBOX.c.data]
_FACT_OF_IDENTITY: Final = select(_C.device_id, _C.module_id, bindparam("kind"), bindparam("at"), bindparam("data"))
FACT_IF_STILL_THERE: Final = sql(
    insert(OUTBOX).from_select(_FACT_COLUMNS, _FACT_OF_IDENTITY.where(is_identity(IDENTITIES)))
)
FACT_OF_ALL_ONLINE: Final = sql(
    insert(OUTBOX).from_select(_FACT_COLUMNS, _FACT_OF_IDENTITY.where(_C.connected == _ONE))
)
ALL_WENT: Final = sql(
    update(IDENTITIES).where(_C.connected == _ONE).values(connected=literal_column("0")),
    "connected",
    "presence_changed_at",
)
