"""Queries as statements. The text is ours, each value of a query a bound parameter."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, cast, func, literal, select, tuple_
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import REAL

from ironhub.storage.sqlite.queries.documents import JOB_COLUMNS, Reader
from ironhub.storage.sqlite.queries.terms import NULL, Sql, Term, number, types_of, word
from ironhub.storage.sqlite.queries.translate import TRUE, defined, predicate, taken, term_of
from ironhub.storage.sqlite.statements import Values
from ironhub.storage.sqlite.tables import IDENTITIES, JOB_DEVICES, JOBS, TWINS
from ironhub.twins.queries.model import MAX_GROUPS, Aggregate, Condition, Kind, Measure, Query, Source

_DIALECT: Final = sqlite.dialect(paramstyle="named")
_I: Final = IDENTITIES.c
_J: Final = JOB_DEVICES.c
_SAME: Final = and_(TWINS.c.device_id == _I.device_id, TWINS.c.module_id == _I.module_id)
_SINGLE: Final = (Kind.BOOLEAN, Kind.NUMBER, Kind.STRING)
_MEASURES: Final[dict[Measure, Callable[[Sql], Sql]]] = {
    Measure.SUM: func.sum,
    Measure.AVERAGE: func.avg,
    Measure.LEAST: func.min,
    Measure.GREATEST: func.max,
}


class Statement(NamedTuple):
    """Text with `:name` parameters, and their values."""

    text: str
    values: Values


def rows(reader: Reader, condition: Condition, source: Source, after: tuple[str, str] | None, limit: int) -> Statement:
    """Return what reads documents behind the ids `after`, in the order of their ids."""
    statement = select(*reader.columns).select_from(_joined()).where(_behind(source, after))
    return _limited(_where(statement, condition, source).order_by(_I.device_id, _I.module_id), limit)


def job_rows(condition: Condition, after: tuple[int, str] | None, limit: int) -> Statement:
    """Return what reads what jobs did, job by job, behind the number and device `after`."""
    statement = select(*JOB_COLUMNS).join_from(JOB_DEVICES, JOBS, JOBS.c.job_number == _J.job_number)
    if after is not None:
        statement = statement.where(tuple_(_J.job_number, _J.device_id) > tuple_(*map(literal, after)))
    ordered = _where(statement, condition, Source.JOBS).order_by(_J.job_number, _J.device_id)
    return _limited(ordered, limit)


def count(condition: Condition, source: Source) -> Statement:
    """Return what counts."""
    statement = select(func.count()).select_from(_joined()).where(_of(source))
    return _bound(_where(statement, condition, source))


def groups(query: Query) -> Statement:
    """Return what makes groups: the kind and the value of each part of the key, then each aggregate."""
    keys = [_key(term_of(part, query.source)) for part in query.group_by]
    measures = [
        _measured(column.shown, query.source) for column in query.columns if isinstance(column.shown, Aggregate)
    ]
    parts = [part for key in keys for part in key]
    statement = select(*parts, *measures, *([] if parts or measures else [TRUE]))
    statement = statement.select_from(_joined()).where(_of(query.source))
    if parts:
        # By position: an expression with bound values would be another one each time it is written.
        statement = statement.group_by(*(number(position) for position in range(1, len(parts) + 1)))
    return _limited(_where(statement, query.condition, query.source), MAX_GROUPS + 1)


def _joined() -> Any:
    return IDENTITIES.outerjoin(TWINS, _SAME)


def _of(source: Source) -> ColumnElement[bool]:
    return _I.module_id == word("") if source is Source.DEVICES else _I.module_id > word("")


def _behind(source: Source, after: tuple[str, str] | None) -> ColumnElement[bool]:
    if after is None:
        return _of(source)
    if source is Source.DEVICES:
        return and_(_of(source), _I.device_id > literal(after[0]))
    return and_(_of(source), tuple_(_I.device_id, _I.module_id) > tuple_(*map(literal, after)))


def _where(statement: Select[Any], condition: Condition, source: Source) -> Select[Any]:
    return statement.where(predicate(condition, source))


def _key(term: Term) -> tuple[Sql, Sql]:
    """What is no single value counts as null."""
    if term.type is None:
        if term.kind not in _SINGLE:
            return word(Kind.NULL.value), NULL
        kind = word(term.kind.value)
        return case((term.value.is_(NULL), word(Kind.NULL.value)), else_=kind), term.value
    whens = [(term.type.in_(types_of(kind)), word(kind.value)) for kind in _SINGLE]
    return case(*whens, else_=word(Kind.NULL.value)), taken(term, set(_SINGLE))


def _measured(aggregate: Aggregate, source: Source) -> Sql:
    if aggregate.of is None:
        return func.count()
    term = term_of(aggregate.of, source)
    if aggregate.measure is Measure.COUNT:
        return func.total(defined(term))
    # As doubles: a sum of whole numbers could be too large for SQLite, which then fails.
    return _MEASURES[aggregate.measure](cast(taken(term, {Kind.NUMBER}), REAL))


def _limited(statement: Select[Any], limit: int) -> Statement:
    return _bound(statement.limit(literal(limit)))


def _bound(statement: Select[Any]) -> Statement:
    compiled: Any = statement.compile(dialect=_DIALECT)
    return Statement(str(compiled), dict(compiled.params))
