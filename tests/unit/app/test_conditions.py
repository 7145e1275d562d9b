"""Tests of app/conditions.py."""

import pytest
from tests.fakes.services import SmallHub

from ironhub.app.conditions import QueriedConditions
from ironhub.core.ids import identity
from ironhub.twins.queries.model import QueryInvalid


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


@pytest.mark.parametrize("text", ["SELECT * FROM devices", "", "deviceId =", "devices.jobs.status = 'x' AND"])
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(QueryInvalid):
        QueriedConditions(SmallHub().stores.queries).check(text)
