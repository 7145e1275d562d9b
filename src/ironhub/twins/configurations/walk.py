"""A walk over all twins that configurations concern, in the order of their ids, a bounded batch at a time.

What it protects: however many devices there are, a batch costs a bounded number of rows, and a condition that the store
refuses (it takes too long) holds up its own configuration only.
"""

import logging
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from ironhub.core.errors import HubError
from ironhub.core.ids import Identity
from ironhub.twins.configurations.model import Configuration, Target
from ironhub.twins.configurations.ports import ConfigurationStore
from ironhub.twins.model import Properties
from ironhub.twins.queries.model import And, Comparison, Condition, Constant, Operator, Or, Path, Source
from ironhub.twins.queries.ports import QueryStore

log: Final = logging.getLogger(__name__)

Place = tuple[str, str]
"""Where an identity stands in the walk; a device comes before its modules."""


class Visit(NamedTuple):
    """One twin of a batch."""

    identity: Identity
    matching: frozenset[str]
    """The configurations whose condition it meets."""
    configurations: Properties
    """Those that it has."""


class Walk:
    """Goes on after `after`, for the configurations that it was made with."""

    def __init__(
        self,
        configurations: Sequence[tuple[Configuration, Target]],
        queries: QueryStore,
        store: ConfigurationStore,
        after: Identity | None,
        limit: int,
    ) -> None:
        self._matching = [
            _Matching(configuration.id, target, queries, after, limit) for configuration, target in configurations
        ]
        self._configured = _Configured(store, after, limit)
        self._limit = limit

    @property
    def failed(self) -> frozenset[str]:
        """The configurations whose condition the store would not answer."""
        return frozenset(each.configuration_id for each in self._matching if each.failed)

    async def next(self) -> list[Visit]:
        """Return the next batch; an empty one is the end."""
        await self._configured.fill()
        for each in self._matching:
            await each.fill()
        visits: list[Visit] = []
        while len(visits) < self._limit and (nearest := self._nearest()) is not None:
            matching = [each.configuration_id for each in self._matching if each.take(nearest)]
            stored = self._configured.take(nearest)
            # Of whom the store tells nothing, nothing is changed.
            matching += [each.configuration_id for each in self._matching if each.keeps(nearest, stored)]
            visits.append(Visit(nearest, frozenset(matching), stored))
        return visits

    def _nearest(self) -> Identity | None:
        """The next one, as long as every source knows what stands there."""
        sources: list[_Configured | _Matching] = [self._configured, *self._matching]
        if any(source.must_fill for source in sources):
            return None
        heads = [source.head for source in sources if source.head is not None]
        return min(heads, key=place_of, default=None)


class _Matching:
    """Those who meet one configuration's condition, read ahead."""

    def __init__(
        self, configuration_id: str, target: Target, queries: QueryStore, after: Identity | None, limit: int
    ) -> None:
        self.configuration_id = configuration_id
        self.failed = False
        self._source = target.source
        self._condition = target.condition
        self._queries = queries
        self._after = after
        self._limit = limit
        self._waiting: deque[Identity] = deque()
        self._exhausted = False

    @property
    def head(self) -> Identity | None:
        return self._waiting[0] if self._waiting else None

    @property
    def must_fill(self) -> bool:
        return not self._waiting and not self._exhausted

    async def fill(self) -> None:
        if not self.must_fill:
            return
        condition = behind(self._condition, self._source, self._after)
        try:
            page = await self._queries.matching(condition, self._source, after=None, limit=self._limit)
        except HubError as error:
            log.warning("configuration_not_evaluated", extra={"id": self.configuration_id, "code": error.code})
            self.failed = self._exhausted = True
            return
        self._waiting.extend(page.items)
        self._exhausted = page.after is None
        if page.items:
            self._after = page.items[-1]

    def take(self, identity: Identity) -> bool:
        if self.head != identity:
            return False
        self._waiting.popleft()
        return True

    def keeps(self, identity: Identity, stored: Properties) -> bool:
        is_module = identity.module_id is not None
        return self.failed and self.configuration_id in stored and is_module == (self._source is Source.MODULES)


class _Configured:
    """Those who have configurations, read ahead."""

    def __init__(self, store: ConfigurationStore, after: Identity | None, limit: int) -> None:
        self._store = store
        self._after = after
        self._limit = limit
        self._waiting: deque[tuple[Identity, Properties]] = deque()
        self._exhausted = False

    @property
    def head(self) -> Identity | None:
        return self._waiting[0][0] if self._waiting else None

    @property
    def must_fill(self) -> bool:
        return not self._waiting and not self._exhausted

    async def fill(self) -> None:
        if self.must_fill:
            found = await self._store.configured_twins(after=self._after, limit=self._limit)
            self._waiting.extend(found)
            self._exhausted = len(found) < self._limit
            if found:
                self._after = found[-1].identity

    def take(self, identity: Identity) -> Properties:
        return self._waiting.popleft()[1] if self.head == identity else {}


def place_of(identity: Identity) -> Place:
    """Return where `identity` stands."""
    return identity.device_id, identity.module_id or ""


def behind(condition: Condition, source: Source, after: Identity | None) -> Condition:
    """Return `condition`, for those behind `after` only: a range of ids, which a store finds without a scan."""
    if after is None:
        return condition
    device, its_id = Path(("device_id",)), Constant(str(after.device_id))
    bound: Condition = Comparison(Operator.GREATER, device, its_id)
    if source is Source.MODULES:
        module = Comparison(Operator.GREATER, Path(("module_id",)), Constant(str(after.module_id or "")))
        within = And((Comparison(Operator.EQUAL, device, its_id), module))
        bound = And((Comparison(Operator.GREATER_OR_EQUAL, device, its_id), Or((bound, within))))
    return And((bound, condition))
