"""Tests of app/conditions.py."""

from typing import cast

import pytest
from tests.fakes.services import SmallHub

from ironhub.app import conditions as module
from ironhub.app.conditions import QueriedConditions
from ironhub.core.ids import Identity, identity
from ironhub.core.pages import Page
from ironhub.twins.queries.model import ALWAYS, Condition, QueryInvalid, QueryTooExpensive, Source
from ironhub.twins.queries.ports import QueryStore


@pytest.fixture
async def conditions() -> QueriedConditions:
    hub = SmallHub()
    await hub.register(*map(identity, ("a", "b", "c")), identity("a", "arm"))
    return QueriedConditions(hub.stores.queries)


async def found(conditions: QueriedConditions, text: str) -> list[str]:
    page = await conditions.matching(text, after=None, limit=10)
    return [str(who) for who in page.items]


async def test_devices_are_found_and_never_modules(conditions: QueriedConditions) -> None:
    assert await found(conditions, "*") == ["a", "b", "c"]
    assert await found(conditions, "deviceId IN ['c', 'a']") == ["a", "c"]
    assert await found(conditions, "tags.hall = 'b'") == []


async def test_a_page_begins_where_the_last_one_ended(conditions: QueriedConditions) -> None:
    first = await conditions.matching("*", after=None, limit=2)
    assert first.after is not None
    second = await conditions.matching("*", after=first.after, limit=2)
    assert ([who.device_id for who in second.items], second.after) == (["c"], None)


class SlowStore:
    """A QueryStore for which looking through all devices takes too long."""

    def __init__(self, store: QueryStore) -> None:
        self._store = store
        self.refused = 0

    async def matching(self, condition: Condition, source: Source, *, after: str | None, limit: int) -> Page[Identity]:
        if condition != ALWAYS and "LESS_OR_EQUAL" not in repr(condition):
            self.refused += 1
            raise QueryTooExpensive("it takes too long")
        return await self._store.matching(condition, source, after=after, limit=limit)


@pytest.mark.parametrize("limit", [1, 2, 100])
@pytest.mark.parametrize("stretch", [1, 3, 7, 100])
async def test_a_large_fleet_is_looked_through_piece_by_piece(
    monkeypatch: pytest.MonkeyPatch, stretch: int, limit: int
) -> None:
    monkeypatch.setattr(module, "STRETCH", stretch)
    hub = SmallHub()
    await hub.register(*(identity(f"d{number}") for number in range(10)))
    slow = SlowStore(hub.stores.queries)
    conditions = QueriedConditions(cast("QueryStore", slow))
    names, after, pages = [], None, 0
    while pages == 0 or after is not None:
        page = await conditions.matching("deviceId IN ['d0', 'd4', 'd5', 'd9', 'x']", after=after, limit=limit)
        assert len(page.items) <= limit
        names += [str(who) for who in page.items]
        after, pages = page.after, pages + 1
    assert names == ["d0", "d4", "d5", "d9"]
    assert slow.refused == 1


async def test_a_fleet_of_nobody_is_looked_through_too() -> None:
    conditions = QueriedConditions(cast("QueryStore", SlowStore(SmallHub().stores.queries)))
    assert await conditions.matching("deviceId = 'x'", after=None, limit=9) == Page((), None)


@pytest.mark.parametrize("text", ["SELECT * FROM devices", "", "deviceId =", "devices.jobs.status = 'x' AND"])
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(QueryInvalid):
        QueriedConditions(SmallHub().stores.queries).check(text)
