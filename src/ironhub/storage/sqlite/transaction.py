"""What a store's function may do inside a transaction."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final

from ironhub.storage.sqlite.errors import Clash
from ironhub.storage.sqlite.statements import Values
from ironhub.storage.sqlite.tables import Row

_TOGETHER: Final = (64, 16, 4, 1)
"""How many rows one statement takes; few sizes, so that each is prepared once."""


class Transaction:
    """Runs statements; whoever made it commits. For the thread that runs the transaction only."""

    __slots__ = ("_connection", "has_facts")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.has_facts = False
        """Whether facts were left in the outbox."""

    def one(self, statement: str, values: Values) -> Row | None:
        """Return the first row, or None."""
        row: Row | None = self._connection.execute(statement, values).fetchone()
        return row

    def all(self, statement: str, values: Values) -> list[Row]:
        """Return all rows. Raises Clash."""
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.IntegrityError as error:
            raise Clash(str(error)) from error

    def each(self, statement: str, values: Values) -> Iterator[Row]:
        """Yield the rows one by one, for as long as the transaction lasts."""
        yield from self._connection.execute(statement, values)

    def change(self, statement: str, values: Values) -> int:
        """Return how many rows were inserted, changed or deleted. Raises Clash."""
        try:
            return self._connection.execute(statement, values).rowcount
        except sqlite3.IntegrityError as error:
            raise Clash(str(error)) from error

    def change_each(self, statement: str, rows: Iterable[Values]) -> int:
        """Run it once for each of `rows`; returns how many rows changed in all. Raises Clash."""
        try:
            return self._connection.executemany(statement, rows).rowcount
        except sqlite3.IntegrityError as error:
            raise Clash(str(error)) from error

    def change_together(self, statement: Callable[[int], str], rows: Sequence[tuple[Any, ...]]) -> int:
        """As `change_each`, in the order of `rows`, with few statements: beside a busy event loop each one costs the
        threads two turns at the interpreter's lock, which is more than its row costs.

        Args:
            statement: returns the statement that takes so many rows, its values by position.
        """
        changed = begin = 0
        while begin < len(rows):
            size = next(size for size in _TOGETHER if size <= len(rows) - begin)
            values = tuple(chain.from_iterable(rows[begin : begin + size]))
            try:
                changed += self._connection.execute(statement(size), values).rowcount
            except sqlite3.IntegrityError as error:
                raise Clash(str(error)) from error
            begin += size
        return changed
