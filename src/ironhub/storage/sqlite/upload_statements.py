"""The statements of the upload store."""

from typing import Final

from sqlalchemy import bindparam, delete, func, insert, null, select, update

from ironhub.storage.sqlite.statements import is_identity, limited, names, sql
from ironhub.storage.sqlite.tables import BLOB_ACCOUNT, FILE_NOTIFICATIONS, UPLOADS

_U: Final = UPLOADS.c
_N: Final = FILE_NOTIFICATIONS.c

ADD_UPLOAD: Final = sql(insert(UPLOADS), *names(UPLOADS))
COUNT_UPLOADS: Final = sql(
    select(func.count()).select_from(UPLOADS).where(is_identity(UPLOADS), _U.expires_at > bindparam("now"))
)
GET_UPLOAD: Final = sql(
    select(*UPLOADS.columns).where(_U.correlation_id == bindparam("of_correlation"), is_identity(UPLOADS))
)
END_UPLOAD: Final = sql(delete(UPLOADS).where(_U.correlation_id == bindparam("of_correlation")))
OVER: Final = sql(limited(select(*UPLOADS.columns).where(_U.expires_at <= bindparam("now")).order_by(_U.expires_at)))
NEXT_UPLOAD: Final = sql(select(func.min(_U.expires_at)))

_SHOWN: Final = tuple(
    _N[name]
    for name in (
        "record_id",
        "device_id",
        "module_id",
        "blob",
        "uri",
        "size",
        "modified_at",
        "enqueued_at",
        "expires_at",
        "delivery_count",
    )
)
_IS_IT: Final = _N.record_id == bindparam("of_record")
ADD_NOTIFICATION: Final = sql(
    insert(FILE_NOTIFICATIONS), *names(FILE_NOTIFICATIONS, "record_id", "lock_token", "locked_until")
)
LIST_NOTIFICATIONS: Final = sql(
    limited(
        select(*_SHOWN)
        .where(_N.record_id > bindparam("after"), _N.expires_at > bindparam("now"))
        .order_by(_N.record_id)
    )
)
FREE: Final = sql(
    limited(select(*_SHOWN).where(_N.lock_token.is_(None), _N.expires_at > bindparam("now")).order_by(_N.record_id))
)
LOCK: Final = sql(update(FILE_NOTIFICATIONS).where(_IS_IT), "lock_token", "locked_until", "due_at")
HELD: Final = sql(
    select(_N.record_id, _N.delivery_count).where(
        _N.lock_token == bindparam("held_with"), _N.locked_until > bindparam("now")
    )
)
REMOVE: Final = sql(delete(FILE_NOTIFICATIONS).where(_IS_IT))
PUT_BACK: Final = sql(
    update(FILE_NOTIFICATIONS).where(_IS_IT).values(lock_token=null(), locked_until=null(), due_at=_N.expires_at),
    "delivery_count",
)
DROP: Final = sql(delete(FILE_NOTIFICATIONS).where(_N.record_id <= bindparam("up_to")))
DUE: Final = sql(
    limited(
        select(_N.record_id, _N.delivery_count, _N.lock_token, _N.expires_at)
        .where(_N.due_at <= bindparam("now"))
        .order_by(_N.due_at)
    )
)
NEXT_NOTIFICATION: Final = sql(select(func.min(_N.due_at)))

GET_ACCOUNT: Final = sql(select(BLOB_ACCOUNT.c.name, BLOB_ACCOUNT.c.sealed_keys))
DROP_ACCOUNT: Final = sql(delete(BLOB_ACCOUNT))
ADD_ACCOUNT: Final = sql(insert(BLOB_ACCOUNT), *names(BLOB_ACCOUNT))
