"""What queries need of a store."""

from typing import Protocol

from ironhub.core.ids import Identity
from ironhub.core.pages import Page
from ironhub.twins.queries.model import Condition, Query, Row, Source


class QueryStore(Protocol):
    """Where documents are found. Whatever implements it passes tests/contracts/test_query_store.py.

    `after` is what the page before gave; it says where to go on and nothing else, and is no secret.
    """

    async def run(self, query: Query, *, after: str | None, limit: int) -> Page[Row]:
        """Return at most `limit` rows: documents in the order of their ids, groups in that of their keys.

        `query.top` is not looked at: it counts over all pages, which only the caller sees.

        Raises:
            QueryTooExpensive: it takes too long, or makes too many groups.
            InvalidArgument: `after` is none that this store gave for this query.
        """

    async def matching(self, condition: Condition, source: Source, *, after: str | None, limit: int) -> Page[Identity]:
        """Return at most `limit` of the devices or modules that meet `condition`, ordered by device and module id.

        Raises QueryTooExpensive, InvalidArgument, as `run`.
        """

    async def count(self, condition: Condition, source: Source = Source.DEVICES) -> int:
        """Return how many devices or modules meet `condition`. Raises QueryTooExpensive."""
