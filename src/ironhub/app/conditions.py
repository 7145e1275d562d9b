"""Which devices a condition names: the dialect reads its text, the store finds them."""

from typing import Final

from ironhub.core.ids import Identity
from ironhub.core.pages import Page
from ironhub.dialects.azure.query import parse_condition
from ironhub.twins.queries.model import (
    ALWAYS,
    And,
    Comparison,
    Condition,
    Constant,
    Operator,
    Path,
    QueryTooExpensive,
    Source,
)
from ironhub.twins.queries.ports import QueryStore

STRETCH: Final = 5000
"""Devices that are looked through at once when looking through all of them takes too long."""
_DEVICE_ID: Final = Path(("device_id",))


class QueriedConditions:
    """messaging.jobs.ports.Conditions over the query language."""

    def __init__(self, store: QueryStore) -> None:
        self._store = store
        self._read: tuple[str, Condition] | None = None
        """The last one; a job asks for one page after the other."""
        self._slow: str | None = None
        """The last that took too long."""

    def check(self, condition: str) -> None:
        """Raise QueryInvalid if it cannot be understood."""
        self._condition(condition)

    async def matching(self, condition: str, *, after: str | None, limit: int) -> Page[Identity]:
        """Return at most `limit` devices that it names, ordered by id; perhaps none, although more may follow.

        Raises QueryInvalid, QueryTooExpensive.
        """
        wanted = self._condition(condition)
        if condition != self._slow:
            try:
                return await self._store.matching(wanted, Source.DEVICES, after=after, limit=limit)
            except QueryTooExpensive:
                self._slow = condition
        return await self._within_a_stretch(wanted, after, limit)

    async def _within_a_stretch(self, wanted: Condition, after: str | None, limit: int) -> Page[Identity]:
        """A few devices in a large fleet, and no index that leads to them: look through it piece by piece."""
        stretch = await self._store.matching(ALWAYS, Source.DEVICES, after=after, limit=STRETCH)
        if not stretch.items:
            return stretch
        end = Comparison(Operator.LESS_OR_EQUAL, _DEVICE_ID, Constant(str(stretch.items[-1].device_id)))
        page = await self._store.matching(And((wanted, end)), Source.DEVICES, after=after, limit=limit)
        return Page(page.items, stretch.after if page.after is None else page.after)

    def _condition(self, text: str) -> Condition:
        if self._read is None or self._read[0] != text:
            self._read = text, parse_condition(text)
        return self._read[1]
