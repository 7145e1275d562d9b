"""Queries in SQLite."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from ironhub.core.ids import Identity
from ironhub.core.pages import Page
from ironhub.storage.places import ids_behind, place_of_ids, place_of_result, result_behind
from ironhub.storage.sqlite.database import Database
from ironhub.storage.sqlite.queries.documents import Reader, document_of_job
from ironhub.storage.sqlite.queries.statements import Statement, count, groups, job_rows, rows
from ironhub.storage.sqlite.statements import identity_of
from ironhub.storage.sqlite.tables import Row
from ironhub.storage.sqlite.transaction import Transaction
from ironhub.twins.queries.bounds import fields_of
from ironhub.twins.queries.model import DOCUMENT_FIELDS, Aggregate, Condition, Kind, Query, Source
from ironhub.twins.queries.model import Row as Document
from ironhub.twins.queries.rows import Group, check_groups, group_value, page_of_groups, row_of_group, shown

MAX_PAGE_BYTES: Final = 4 * 1024 * 1024
"""Text of one page, as stored; a page that would have more is cut, and the next one goes on."""


class SqliteQueryStore:
    """A QueryStore over the tables of devices, twins and jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self, query: Query, *, after: str | None, limit: int) -> Page[Document]:
        """Return at most `limit` rows. Raises QueryTooExpensive, InvalidArgument."""
        if query.grouped:
            made = await self._database.search(lambda tx: _groups(tx, query))
            return page_of_groups(made, after=after, limit=limit)
        if query.source is Source.JOBS:
            statement = job_rows(query.condition, result_behind(after), limit + 1)
            return await self._page(statement, limit, document_of_job, lambda row: place_of_result(*row[:2]))
        fields = fields_of([column.shown for column in query.columns if not isinstance(column.shown, Aggregate)])
        reader = Reader(query.source, sorted(fields if query.columns else DOCUMENT_FIELDS))
        statement = rows(reader, query.condition, query.source, ids_behind(after), limit + 1)
        return await self._page(
            statement, limit, lambda row: shown(query.columns, reader.document(row)), lambda row: place_of_ids(*row[:2])
        )

    async def matching(self, condition: Condition, source: Source, *, after: str | None, limit: int) -> Page[Identity]:
        """Return at most `limit` of those that meet `condition`. Raises QueryTooExpensive, InvalidArgument."""
        statement = rows(Reader(source, ()), condition, source, ids_behind(after), limit + 1)
        return await self._page(statement, limit, lambda row: identity_of(*row), lambda row: place_of_ids(*row[:2]))

    async def count(self, condition: Condition, source: Source = Source.DEVICES) -> int:
        """Return how many meet `condition`. Raises QueryTooExpensive."""
        text, values = count(condition, source)
        row = await self._database.search(lambda tx: tx.one(text, values))
        return 0 if row is None else int(row[0])

    async def _page(
        self, statement: Statement, limit: int, made: Callable[[Row], Any], place: Callable[[Row], str]
    ) -> Page[Any]:
        """One row more than the page has is read, to know whether the page is the last."""

        def work(tx: Transaction) -> Page[Any]:
            items: list[Any] = []
            last, size = None, 0
            for row in tx.each(*statement):
                if len(items) == limit or size > MAX_PAGE_BYTES:
                    return Page(tuple(items), last)
                items.append(made(row))
                last, size = place(row), size + _size(row)
            return Page(tuple(items), None)

        return await self._database.search(work)


def _groups(tx: Transaction, query: Query) -> list[Group]:
    """Values that SQLite tells apart and JSON does not are one group: 1 and 1.0 come as either."""
    width = len(query.group_by)
    made: list[Group] = []
    for row in tx.each(*groups(query)):
        check_groups(len(made) + 1)
        key = tuple(_keyed(kind, value) for kind, value in _pairs(row[: 2 * width]))
        made.append(Group(key, row_of_group(query, key, row[2 * width :])))
    return made


def _pairs(values: Row) -> Iterator[tuple[str, Any]]:
    return zip(values[::2], values[1::2], strict=True)


def _keyed(kind: str, value: Any) -> Any:
    return bool(value) if kind == Kind.BOOLEAN else group_value(value)


def _size(row: Row) -> int:
    return sum(len(value) for value in row if isinstance(value, str | bytes))
