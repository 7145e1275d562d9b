"""What can be asked about all devices at once.

Protects against queries that cost others: a caller's queries run one after the other, whoever else asks comes in
between, and only so many wait.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ironhub.access.model import Grant, Permission
from ironhub.core.clock import Clock
from ironhub.core.errors import InvalidArgument
from ironhub.core.sealing import Sealer
from ironhub.core.tally import Tally
from ironhub.identity.model import Principal, ServicePrincipal
from ironhub.twins.queries.continuation import Continuations, Place
from ironhub.twins.queries.model import ContinuationInvalid, Query, Row, TooManyQueries
from ironhub.twins.queries.ports import QueryStore

MAX_WAITING: Final = 16
"""Queries of one caller that are answered or wait for it."""
DEFAULT_PAGE: Final = 100
MAX_PAGE: Final = 1000
"""Rows."""


class Answer(NamedTuple):
    """One page of what a query found."""

    rows: tuple[Row, ...]
    continuation: str | None
    """Ask with it for the next page; None: there is none."""


@dataclass(slots=True)
class _Turn:
    """The queries of one caller."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    count: int = 0


class QueryService:
    """Answers queries, page by page."""

    def __init__(self, store: QueryStore, sealer: Sealer, clock: Clock) -> None:
        self.tally = Tally()
        """Pages by what was asked about: "devices", "modules", "jobs"."""
        self._store = store
        self._continuations = Continuations(sealer)
        self._clock = clock
        self._turns: dict[str, _Turn] = {}

    async def run(
        self, grant: Grant, query: Query, *, limit: int = DEFAULT_PAGE, continuation: str | None = None
    ) -> Answer:
        """Return at most `limit` rows (never more than MAX_PAGE).

        Raises:
            ContinuationInvalid: the token is not one for this query and this caller.
            TooManyQueries, QueryTooExpensive.
        """
        grant.require_whole_hub(Permission.REGISTRY_QUERY)
        caller = _name_of(grant.principal)
        now = self._clock.now()
        place = Place("", 0)
        if continuation is not None:
            place = self._continuations.open(continuation, query, caller, now=now)
        left = MAX_PAGE if query.top is None else query.top - place.given
        async with self._turn(caller):
            try:
                page = await self._store.run(
                    query,
                    after=place.after if continuation is not None else None,
                    limit=max(1, min(limit, left, MAX_PAGE)),
                )
            except InvalidArgument as error:
                raise ContinuationInvalid(str(error)) from error
        self.tally.add(query.source.value)
        given = place.given + len(page.items)
        if page.after is None or (query.top is not None and given >= query.top):
            return Answer(page.items, None)
        return Answer(page.items, self._continuations.seal(Place(page.after, given), query, caller, now=now))

    @asynccontextmanager
    async def _turn(self, caller: str) -> AsyncIterator[None]:
        turn = self._turns.setdefault(caller, _Turn())
        if turn.count >= MAX_WAITING:
            raise TooManyQueries(f"{MAX_WAITING} queries of this caller are under way")
        turn.count += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.count -= 1
            if not turn.count:
                del self._turns[caller]


def _name_of(principal: Principal) -> str:
    """Whose token it is for; a scope is part of it, because it says what its bearer may see."""
    if isinstance(principal, ServicePrincipal):
        return f"policy {principal.policy} {principal.scope}"
    return type(principal).__name__
