"""Which devices a condition names: the dialect reads its text, the store finds them."""

from ironhub.core.ids import Identity
from ironhub.core.pages import Page
from ironhub.dialects.azure.query import parse_condition
from ironhub.twins.queries.model import Condition, Source
from ironhub.twins.queries.ports import QueryStore


class QueriedConditions:
    """messaging.jobs.ports.Conditions over the query language."""

    def __init__(self, store: QueryStore) -> None:
        self._store = store
        self._read: tuple[str, Condition] | None = None
        """The last one; a job asks for one page after the other."""

    def check(self, condition: str) -> None:
        """Raise QueryInvalid if it cannot be understood."""
        self._condition(condition)

    async def matching(self, condition: str, *, after: str | None, limit: int) -> Page[Identity]:
        """Return at most `limit` devices that it names, ordered by id. Raises QueryInvalid, QueryTooExpensive."""
        return await self._store.matching(self._condition(condition), Source.DEVICES, after=after, limit=limit)

    def _condition(self, text: str) -> Condition:
        if self._read is None or self._read[0] != text:
            self._read = text, parse_condition(text)
        return self._read[1]
