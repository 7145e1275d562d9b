"""The statements of the job store."""

from typing import Final

from sqlalchemy import bindparam, delete, func, insert, literal_column, null, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_not

from ironhub.storage.sqlite.statements import limited, names, sql
from ironhub.storage.sqlite.tables import JOB_DEVICES, JOBS

COUNTS: Final = ("total", "pending", "running", "succeeded", "failed", "cancelled")
_J: Final = JOBS.c
_D: Final = JOB_DEVICES.c
_IS_JOB: Final = _J.job_number == bindparam("number")
_IS_STATUS: Final = _J.status == bindparam("of_status")
_IS_KIND: Final = _J.kind == bindparam("of_kind")
_OLDER: Final = _J.job_number < bindparam("before")
_OF_JOB: Final = _D.job_number == bindparam("number")
_IS_TARGET: Final = (_OF_JOB, _D.device_id == bindparam("of_device"))
_TARGET_STATUS: Final = _D.status == bindparam("of_status")

JOB_COLUMNS: Final = names(JOBS, "due_at", "settle_at")
_SELECT: Final = select(*(_J[name] for name in JOB_COLUMNS))
_NEWEST: Final = _J.job_number.desc()

ADD: Final = sql(insert(JOBS).returning(_J.job_number), *names(JOBS, "job_number", "settle_at"))
GET: Final = sql(_SELECT.where(_J.job_id == bindparam("job_id")))
GET_NUMBER: Final = sql(_SELECT.where(_IS_JOB))
COUNT: Final = sql(select(func.count()).select_from(JOBS).where(_IS_STATUS))
LIST_ALL: Final = sql(limited(_SELECT.where(_OLDER).order_by(_NEWEST)))
LIST_KIND: Final = sql(limited(_SELECT.where(_IS_KIND, _OLDER).order_by(_NEWEST)))
LIST_STATUS_KIND: Final = sql(limited(_SELECT.where(_IS_STATUS, _IS_KIND, _OLDER).order_by(_NEWEST)))

DUE: Final = sql(limited(_SELECT.where(_J.due_at <= bindparam("now")).order_by(_J.due_at, _J.job_number)))
NEXT_START: Final = sql(select(func.min(_J.due_at)))
START: Final = sql(update(JOBS).where(_IS_JOB).values(due_at=null()), "status", "started_at")
QUEUE: Final = sql(update(JOBS).where(_IS_JOB), "status")
RUNS: Final = sql(select(_J.job_number).where(_IS_JOB, _IS_STATUS))
WALK: Final = sql(update(JOBS).where(_IS_JOB), "walked_to", "collected")
COUNT_ON: Final = sql(
    update(JOBS).where(_IS_JOB).values({_J[name]: _J[name] + bindparam(f"more_{name}") for name in COUNTS})
)
"""Takes `more_…` for each of COUNTS."""
END: Final = sql(
    update(JOBS).where(_J.job_id == bindparam("of_job_id"), _J.ended_at.is_(None)).values(due_at=null()),
    "status",
    "ended_at",
    "error_code",
    "reason",
    "settle_at",
)

_NEW: Final = names(JOB_DEVICES, "started_at", "ended_at", "answer_status", "answer_payload")
ADD_TARGET: Final = sql(insert_or_not(JOB_DEVICES).on_conflict_do_nothing(), *_NEW)
NEXT_TARGETS: Final = sql(limited(select(_D.device_id).where(_OF_JOB, _TARGET_STATUS).order_by(_D.device_id)))
BEGIN_TARGET: Final = sql(update(JOB_DEVICES).where(*_IS_TARGET), "status", "started_at", "updated_at")
FINISH_TARGET: Final = sql(
    update(JOB_DEVICES).where(*_IS_TARGET, _TARGET_STATUS),
    "status",
    "ended_at",
    "updated_at",
    "answer_status",
    "answer_payload",
    "error_code",
    "error",
)
RECOVER: Final = sql(
    update(JOB_DEVICES).where(_OF_JOB, _TARGET_STATUS), "status", "ended_at", "updated_at", "error_code", "error"
)
RECEIVE: Final = sql(
    update(JOB_DEVICES)
    .where(*_IS_TARGET, _TARGET_STATUS)
    .where(select(_J.job_number).where(_IS_JOB, _J.status == bindparam("of_job_status")).exists()),
    "status",
    "ended_at",
    "updated_at",
)
UNSETTLED: Final = sql(
    limited(_SELECT.where(_J.settle_at >= literal_column("0")).order_by(_J.settle_at, _J.job_number))
)
SETTLED: Final = sql(update(JOBS).where(_IS_JOB).values(settle_at=null()))

TARGETS: Final = sql(
    limited(select(*JOB_DEVICES.columns).where(_OF_JOB, _D.device_id > bindparam("after")).order_by(_D.device_id))
)
TARGETS_OF_STATUS: Final = sql(
    limited(
        select(*JOB_DEVICES.columns)
        .where(_OF_JOB, _TARGET_STATUS, _D.device_id > bindparam("after"))
        .order_by(_D.device_id)
    )
)

ENDED: Final = sql(
    limited(select(_J.job_number).where(_J.ended_at < bindparam("before")).order_by(_J.ended_at, _J.job_number))
)
FORGET_TARGETS: Final = sql(
    delete(JOB_DEVICES).where(
        _OF_JOB,
        _D.device_id.in_(limited(select(_D.device_id).where(_OF_JOB).order_by(_D.device_id))),
    )
)
FORGET: Final = sql(delete(JOBS).where(_IS_JOB))
