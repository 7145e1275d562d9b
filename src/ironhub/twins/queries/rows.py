"""What a query shows: rows from documents, and groups of them in a fixed order, page by page."""

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from operator import itemgetter
from typing import Any, Final, NamedTuple

from ironhub.core.errors import InvalidArgument
from ironhub.core.pages import Page
from ironhub.twins.queries.evaluate import kind_of, value_of
from ironhub.twins.queries.functions import PRIMITIVES, finite, plain
from ironhub.twins.queries.model import (
    MAX_GROUPS,
    UNDEFINED,
    Aggregate,
    Column,
    Kind,
    Measure,
    Query,
    QueryTooExpensive,
    Row,
    Undefined,
)

PLACE_TEXT: Final = 64
"""Characters of a text that say where its group stands."""

GroupKey = tuple[Any, ...]
"""The values that the documents of a group have in common: None, bool, number or str each."""

_RANKS: Final = {Kind.NULL: 0, Kind.BOOLEAN: 1, Kind.NUMBER: 2, Kind.STRING: 3}


class Group(NamedTuple):
    """One group, and what its columns show."""

    key: GroupKey
    row: Row


def shown(columns: Sequence[Column], document: Row) -> Row:
    """Return the row that shows `document`; without columns the document itself."""
    if not columns:
        return document
    row = {}
    for name, what in columns:
        value = UNDEFINED if isinstance(what, Aggregate) else value_of(what, document)
        if value is not UNDEFINED:
            row[name] = value
    return row


def group(query: Query, documents: Iterable[Row]) -> list[Group]:
    """Return the groups of the documents that met the condition. Raises QueryTooExpensive.

    Without GROUP BY there is one group, also of no document at all.
    """
    members: dict[str, tuple[GroupKey, list[Row]]] = {} if query.group_by else {"[]": ((), [])}
    for document in documents:
        key = tuple(group_value(value_of(part, document)) for part in query.group_by)
        members.setdefault(_encoded(key), (key, []))[1].append(document)
        check_groups(len(members))
    return [Group(key, _row(query, key, own)) for key, own in members.values()]


def check_groups(count: int) -> None:
    """Refuse a query that makes more groups than one caller may have. Raises QueryTooExpensive."""
    if count > MAX_GROUPS:
        raise QueryTooExpensive(f"the query makes more than {MAX_GROUPS} groups")


def group_value(value: Any) -> Any:
    """Return what a document is grouped by: what is missing, null or no single value counts as null."""
    kind = kind_of(value)
    if kind is Kind.NUMBER:
        return plain(value)
    return value if kind in PRIMITIVES else None


def row_of_group(query: Query, key: GroupKey, measured: Sequence[Any]) -> Row:
    """Return the row of a group.

    Args:
        measured: what each aggregate came to, in the order of the columns; None: nothing to measure.
    """
    row: Row = {}
    results = iter(measured)
    for column in query.columns:
        if isinstance(column.shown, Aggregate):
            value = measure_of(next(results))
            if value is not UNDEFINED:
                row[column.name] = value
        else:
            row[column.name] = key[query.group_by.index(column.shown)]
    return row


def measure_of(number: float | None) -> Any:
    """Return the result of an aggregate as a JSON number, or UNDEFINED."""
    result = UNDEFINED if number is None else finite(number)
    return result if isinstance(result, Undefined) else plain(result)


def page_of_groups(groups: Iterable[Group], *, after: str | None, limit: int) -> Page[Row]:
    """Return the groups behind `after` in the order of their keys. Raises InvalidArgument."""
    last = None if after is None else _rank(*_decoded(after))
    ordered = sorted(((_rank(*_place(one.key)), one) for one in groups), key=itemgetter(0))
    left = [one for rank, one in ordered if last is None or rank > last]
    page = left[:limit]
    more = len(left) > len(page) and bool(page)
    return Page(tuple(one.row for one in page), json.dumps(_place(page[-1].key)) if more else None)


def _row(query: Query, key: GroupKey, documents: Sequence[Row]) -> Row:
    aggregates = [column.shown for column in query.columns if isinstance(column.shown, Aggregate)]
    return row_of_group(query, key, [_measured(aggregate, documents) for aggregate in aggregates])


def _measured(aggregate: Aggregate, documents: Sequence[Row]) -> Any:
    if aggregate.of is None:
        return len(documents)
    values = [value_of(aggregate.of, document) for document in documents]
    if aggregate.measure is Measure.COUNT:
        return sum(value is not UNDEFINED for value in values)
    numbers = [float(value) for value in values if kind_of(value) is Kind.NUMBER]
    if not numbers:
        return None
    match aggregate.measure:
        case Measure.SUM:
            return sum(numbers)
        case Measure.AVERAGE:
            return sum(numbers) / len(numbers)
        case Measure.LEAST:
            return min(numbers)
    return max(numbers)


def _place(key: GroupKey) -> tuple[GroupKey, str]:
    """Where a group stands: in the order of the beginnings of its values, which make it short, and then of a digest."""
    short = tuple(value[:PLACE_TEXT] if isinstance(value, str) else value for value in key)
    return short, sha256(_encoded(key).encode()).hexdigest()


def _rank(short: GroupKey, digest: str) -> tuple[tuple[tuple[int, Any], ...], str]:
    ranks = tuple((_RANKS[kind_of(value) or Kind.NULL], "" if value is None else value) for value in short)
    return ranks, digest


def _encoded(key: GroupKey) -> str:
    return json.dumps(key)


def _decoded(text: str) -> tuple[GroupKey, str]:
    try:
        short, digest = json.loads(text)
    except (ValueError, TypeError):
        short, digest = None, None
    if not isinstance(short, list) or not isinstance(digest, str) or not PRIMITIVES.issuperset(map(kind_of, short)):
        raise InvalidArgument("this is no place in the groups of a query")
    return tuple(short), digest
