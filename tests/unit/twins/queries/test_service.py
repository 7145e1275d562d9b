"""Tests of twins/queries/service.py."""

import asyncio

import pytest
from tests.contracts.stores import register
from tests.fakes.clock import FakeClock, FakeEntropy

from ironhub.access.model import WHOLE_HUB, Grant, Permission, PermissionDenied
from ironhub.access.service import authorise
from ironhub.core.errors import InvalidArgument
from ironhub.core.ids import Identity, device_id
from ironhub.core.pages import Page
from ironhub.core.sealing import KEY_SIZE, Sealer
from ironhub.identity.model import OperatorPrincipal, Right, ServicePrincipal
from ironhub.storage.memory.queries import MemoryQueryStore
from ironhub.storage.memory.stores import memory_stores
from ironhub.twins.queries.model import (
    Aggregate,
    Column,
    ContinuationInvalid,
    Measure,
    Path,
    Query,
    Row,
    Source,
    TooManyQueries,
)
from ironhub.twins.queries.ports import QueryStore
from ironhub.twins.queries.service import MAX_WAITING, QueryService

IDS = Query(Source.DEVICES, (Column("id", Path(("device_id",))),))
OPERATOR = OperatorPrincipal("root")


def service_over(store: QueryStore) -> QueryService:
    return QueryService(store, Sealer({1: b"k" * KEY_SIZE}, FakeEntropy()), FakeClock())


def grant(policy: str = "service", right: Right = Right.SERVICE_CONNECT) -> Grant:
    return authorise(ServicePrincipal(policy, frozenset({right}), "", 2e9), Permission.REGISTRY_QUERY, WHOLE_HUB)


@pytest.fixture
async def queries() -> QueryService:
    stores = memory_stores(FakeEntropy())
    await register(stores, *(Identity(device_id(name)) for name in "abcde"))
    return service_over(stores.queries)


async def all_pages(queries: QueryService, query: Query, limit: int) -> list[list[Row]]:
    answer = await queries.run(grant(), query, limit=limit)
    pages = [list(answer.rows)]
    while answer.continuation is not None:
        answer = await queries.run(grant(), query, limit=limit, continuation=answer.continuation)
        pages.append(list(answer.rows))
    return pages


async def test_pages_follow_each_other_and_the_last_has_no_token(queries: QueryService) -> None:
    pages = await all_pages(queries, IDS, 2)
    assert [[row["id"] for row in page] for page in pages] == [["a", "b"], ["c", "d"], ["e"]]
    assert queries.tally.counts == {"devices": 3}


async def test_top_counts_over_all_pages(queries: QueryService) -> None:
    for top, sizes in ((1, [1]), (2, [2]), (3, [2, 1]), (9, [2, 2, 1])):
        pages = await all_pages(queries, Query(Source.DEVICES, IDS.columns, top=top), 2)
        assert [len(page) for page in pages] == sizes


async def test_groups_come_page_by_page_too(queries: QueryService) -> None:
    place = Path(("device_id",))
    query = Query(Source.DEVICES, (*IDS.columns, Column("n", Aggregate(Measure.COUNT))), group_by=(place,))
    pages = await all_pages(queries, query, 2)
    assert [row["id"] for page in pages for row in page] == list("abcde")


async def test_a_page_has_at_least_one_row_and_never_too_many(queries: QueryService) -> None:
    assert len((await queries.run(grant(), IDS, limit=0)).rows) == 1
    assert len((await queries.run(grant(), IDS, limit=10**9)).rows) == 5


async def test_a_token_is_for_the_caller_who_got_it(queries: QueryService) -> None:
    token = (await queries.run(grant(), IDS, limit=2)).continuation
    for other in (grant("other"), authorise(OPERATOR, Permission.REGISTRY_QUERY, WHOLE_HUB)):
        with pytest.raises(ContinuationInvalid):
            await queries.run(other, IDS, continuation=token)


async def test_a_grant_for_less_than_the_hub_is_not_enough(queries: QueryService) -> None:
    one = authorise(OPERATOR, Permission.REGISTRY_QUERY, Identity(device_id("a")))
    reading = authorise(OPERATOR, Permission.REGISTRY_READ, WHOLE_HUB)
    for too_little in (one, reading):
        with pytest.raises(PermissionDenied):
            await queries.run(too_little, IDS)
    with pytest.raises(PermissionDenied):
        grant(right=Right.REGISTRY_READ)


class Held(MemoryQueryStore):
    """A store that answers when it is told to."""

    def __init__(self) -> None:
        self.running = 0
        self.most = 0
        self.go = asyncio.Event()

    async def run(self, query: Query, *, after: str | None, limit: int) -> Page[Row]:
        """Wait."""
        self.running += 1
        self.most = max(self.most, self.running)
        await self.go.wait()
        self.running -= 1
        return Page((), None)


async def test_a_caller_who_floods_waits_alone() -> None:
    store = Held()
    queries = service_over(store)
    flood = [asyncio.create_task(queries.run(grant("flood"), IDS)) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyQueries):
        await queries.run(grant("flood"), IDS)
    other = asyncio.create_task(queries.run(grant("other"), IDS))
    await asyncio.sleep(0)
    assert store.running == 2
    store.go.set()
    await asyncio.gather(*flood, other)
    assert store.most == 2
    assert (await queries.run(grant("flood"), IDS)).rows == ()


class Lost(Held):
    """A store that does not know its own places."""

    async def run(self, query: Query, *, after: str | None, limit: int) -> Page[Row]:
        """Refuse."""
        raise InvalidArgument("this is no place")


async def test_a_place_that_the_store_does_not_know_is_a_bad_token() -> None:
    with pytest.raises(ContinuationInvalid):
        await service_over(Lost()).run(grant(), IDS)
