"""The statements of the command store."""

from typing import Final

from sqlalchemy import and_, bindparam, delete, func, insert, literal_column, null, or_, select, update

from ironhub.storage.sqlite.statements import is_identity, limited, names, sql
from ironhub.storage.sqlite.tables import COMMANDS, FEEDBACK, IDENTITIES

_C: Final = COMMANDS.c
_IS_IT: Final = _C.sequence_number == bindparam("of_sequence_number")
_FREE: Final = and_(is_identity(COMMANDS), _C.lock_token.is_(None), _C.expires_at > bindparam("now"))
_STILL_HELD: Final = or_(_C.locked_until.is_(None), _C.locked_until > bindparam("now"))

_ENDING: Final = tuple(
    _C[name]
    for name in ("sequence_number", "device_id", "module_id", "message_id", "ack", "delivery_count", "expires_at")
)
COMMAND_COLUMNS: Final = names(COMMANDS, "lock_token", "lock_owner", "locked_until", "due_at")
ADD: Final = sql(
    insert(COMMANDS).returning(_C.sequence_number),
    *names(COMMANDS, "sequence_number", "lock_token", "lock_owner", "locked_until"),
)
GENERATION: Final = sql(select(IDENTITIES.c.generation_id).where(is_identity(IDENTITIES)))
COUNT: Final = sql(select(func.count()).select_from(COMMANDS).where(is_identity(COMMANDS)))

FREE: Final = sql(limited(select(_C.sequence_number).where(_FREE).order_by(_C.sequence_number)))
FREE_COMMANDS: Final = sql(
    limited(select(*(_C[name] for name in COMMAND_COLUMNS)).where(_FREE).order_by(_C.sequence_number))
)
LOCK: Final = sql(update(COMMANDS).where(_IS_IT), "lock_token", "lock_owner", "locked_until", "due_at")
HELD: Final = sql(select(*_ENDING).where(is_identity(COMMANDS), _C.lock_token == bindparam("held_with"), _STILL_HELD))
_UNLOCKED: Final = {"lock_token": null(), "lock_owner": null(), "locked_until": null(), "due_at": _C.expires_at}
PUT_BACK: Final = sql(update(COMMANDS).where(_IS_IT).values(_UNLOCKED), "delivery_count")
RELEASE: Final = sql(update(COMMANDS).where(_C.lock_owner == bindparam("owner")).values(_UNLOCKED))
RELEASE_ALL: Final = sql(update(COMMANDS).where(_C.lock_owner >= literal_column("''")).values(_UNLOCKED))
"""Every owner is at or after the empty text; asked like this, the index answers."""
REMOVE: Final = sql(delete(COMMANDS).where(_IS_IT))

QUEUE: Final = sql(select(*_ENDING).where(is_identity(COMMANDS)).order_by(_C.sequence_number))
DUE: Final = sql(
    limited(
        select(*_ENDING, _C.lock_token).where(_C.due_at <= bindparam("now")).order_by(_C.due_at, _C.sequence_number)
    )
)
NEXT_DUE: Final = sql(select(func.min(_C.due_at)))

_F: Final = FEEDBACK.c
ADD_FEEDBACK: Final = sql(insert(FEEDBACK), *names(FEEDBACK, "record_id"))
LIST_FEEDBACK: Final = sql(
    limited(
        select(*FEEDBACK.columns)
        .where(_F.record_id > bindparam("after"), _F.expires_at > bindparam("now"))
        .order_by(_F.record_id)
    )
)
DROP_FEEDBACK: Final = sql(delete(FEEDBACK).where(_F.record_id <= bindparam("up_to")))
DROP_RECORD: Final = sql(delete(FEEDBACK).where(_F.record_id == bindparam("record_id")))
EXPIRE_FEEDBACK: Final = sql(
    delete(FEEDBACK).where(
        _F.record_id.in_(limited(select(_F.record_id).where(_F.expires_at <= bindparam("now")).order_by(_F.expires_at)))
    )
)
