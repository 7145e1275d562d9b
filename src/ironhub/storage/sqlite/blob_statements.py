"""The statements of the blob index."""

from typing import Final

from sqlalchemy import and_, bindparam, delete, func, insert, literal_column, or_, select, update

from ironhub.storage.sqlite.statements import limited, names, sql
from ironhub.storage.sqlite.tables import BLOB_CONTENTS, BLOB_PIECES, BLOBS

_B: Final = BLOBS.c
_C: Final = BLOB_CONTENTS.c
_P: Final = BLOB_PIECES.c

_IS_BLOB: Final = and_(_B.container == bindparam("of_container"), _B.name == bindparam("of_name"))
_OF_BLOB: Final = and_(_C.container == bindparam("of_container"), _C.name == bindparam("of_name"))
_IN_BLOB: Final = and_(_P.container == bindparam("of_container"), _P.name == bindparam("of_name"))
_IS_CONTENT: Final = _C.content_id == bindparam("of_content")
_IN_STATE: Final = _C.state == bindparam("in_state")

GET: Final = sql(select(*BLOBS.columns).where(_IS_BLOB))
ADD: Final = sql(insert(BLOBS), *names(BLOBS))
DELETE: Final = sql(delete(BLOBS).where(_IS_BLOB))
LIST: Final = sql(
    limited(
        select(*BLOBS.columns)
        .where(
            _B.container == bindparam("of_container"),
            _B.name > bindparam("after"),
            _B.name >= bindparam("first"),
            _B.name < bindparam("beyond"),
        )
        .order_by(_B.name)
    )
)

PIECES: Final = sql(select(_P.content_id, _P.size, _P.block_id).where(_IN_BLOB).order_by(_P.position))
DROP_PIECES: Final = sql(delete(BLOB_PIECES).where(_IN_BLOB))
ADD_PIECE: Final = sql(insert(BLOB_PIECES), *names(BLOB_PIECES))

BEGIN: Final = sql(insert(BLOB_CONTENTS), *names(BLOB_CONTENTS))
CHANGE: Final = sql(update(BLOB_CONTENTS).where(_IS_CONTENT, _IN_STATE), "state", "size", "due_at", "block_id")
KEEP: Final = sql(update(BLOB_CONTENTS).where(_IS_CONTENT), "state", "due_at")
BLOB_OF: Final = sql(select(_C.container, _C.name).where(_IS_CONTENT))
STAGED: Final = sql(select(_C.block_id, _C.content_id, _C.size).where(_OF_BLOB, _IN_STATE).order_by(_C.block_id))
COUNT_STAGED: Final = sql(select(func.count()).select_from(BLOB_CONTENTS).where(_OF_BLOB, _IN_STATE))
DROP_STAGED_BLOCK: Final = sql(
    update(BLOB_CONTENTS).where(_OF_BLOB, _IN_STATE, _C.block_id == bindparam("of_block")), "state", "due_at"
)
DROP_OF_BLOB: Final = sql(update(BLOB_CONTENTS).where(_OF_BLOB, _IN_STATE), "state", "due_at")
DROP_ALL: Final = sql(update(BLOB_CONTENTS).where(_C.state == literal_column("'writing'")), "state", "due_at")
DUE: Final = sql(limited(select(_C.content_id, _C.size).where(_C.due_at <= bindparam("now")).order_by(_C.due_at)))
FORGET: Final = sql(delete(BLOB_CONTENTS).where(_IS_CONTENT))
NEXT_DUE: Final = sql(select(func.min(_C.due_at)))
STORED: Final = sql(select(func.coalesce(func.sum(_C.size), literal_column("0"))))
WHOLE: Final = sql(
    select(_C.content_id).where(or_(_C.state == literal_column("'staged'"), _C.state == literal_column("'committed'")))
)
