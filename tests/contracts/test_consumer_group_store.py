"""The contract of messaging.telemetry.ports.ConsumerGroupStore, against every implementation."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contracts.stores import CREATED_AT, IMPLEMENTATIONS, open_stores

from ironhub.messaging.telemetry.model import ConsumerGroup
from ironhub.messaging.telemetry.ports import ConsumerGroupStore

BILLING = ConsumerGroup("Billing", CREATED_AT)
ALARMS = ConsumerGroup("alarms", CREATED_AT + 1.5)


@pytest.fixture(params=IMPLEMENTATIONS)
async def groups(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ConsumerGroupStore]:
    async with open_stores(request.param, tmp_path) as opened:
        yield opened.consumer_groups


async def test_a_group_is_found_whatever_the_case_of_its_name(groups: ConsumerGroupStore) -> None:
    await groups.add_group(BILLING)
    for name in ("Billing", "billing", "BILLING"):
        assert await groups.get_group(name) == BILLING
    assert await groups.get_group("billin") is None


async def test_groups_are_listed_in_the_order_they_were_created(groups: ConsumerGroupStore) -> None:
    assert list(await groups.list_groups()) == []
    for group in (BILLING, ALARMS):
        await groups.add_group(group)
    assert list(await groups.list_groups()) == [BILLING, ALARMS]


async def test_the_group_that_was_there_first_stays(groups: ConsumerGroupStore) -> None:
    await groups.add_group(BILLING)
    await groups.add_group(ConsumerGroup("BILLING", CREATED_AT + 9.0))
    assert list(await groups.list_groups()) == [BILLING]


async def test_a_deleted_group_is_gone_and_the_others_stay(groups: ConsumerGroupStore) -> None:
    for group in (BILLING, ALARMS):
        await groups.add_group(group)
    assert await groups.delete_group("BILLING") is True
    assert await groups.delete_group("Billing") is False
    assert await groups.get_group("Billing") is None
    await groups.add_group(BILLING)
    assert list(await groups.list_groups()) == [ALARMS, BILLING]
