"""The contract of access.ports.PolicyStore, against every implementation."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contracts.stores import IMPLEMENTATIONS, KEYS, open_stores

from ironhub.identity.model import KnownPolicy, Right, SymmetricKeys
from ironhub.storage.stores import Stores

OWNER = KnownPolicy("iothubowner", KEYS, frozenset(Right))
SERVICE = KnownPolicy("Service", SymmetricKeys(b"a" * 16, b"b" * 16), frozenset({Right.SERVICE_CONNECT}))
NOTHING = KnownPolicy("nothing", KEYS, frozenset())


@pytest.fixture(params=IMPLEMENTATIONS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with open_stores(request.param, tmp_path) as opened:
        yield opened


async def test_a_policy_is_found_whatever_the_case_of_its_name(stores: Stores) -> None:
    await stores.policies.put_policy(SERVICE)
    for name in ("Service", "service", "SERVICE"):
        assert await stores.policies.known_policy(name) == SERVICE
    assert await stores.policies.known_policy("servic") is None


async def test_policies_are_listed_in_the_order_they_were_created(stores: Stores) -> None:
    assert list(await stores.policies.list_policies()) == []
    for policy in (SERVICE, OWNER, NOTHING):
        await stores.policies.put_policy(policy)
    assert list(await stores.policies.list_policies()) == [SERVICE, OWNER, NOTHING]


async def test_a_put_replaces_the_one_of_that_name_in_its_place(stores: Stores) -> None:
    await stores.policies.put_policy(SERVICE)
    await stores.policies.put_policy(OWNER)
    rolled = KnownPolicy("SERVICE", SymmetricKeys(b"c" * 16, b"a" * 16), frozenset({Right.REGISTRY_READ}))
    await stores.policies.put_policy(rolled)
    assert await stores.policies.known_policy("service") == rolled
    assert list(await stores.policies.list_policies()) == [rolled, OWNER]


async def test_a_deleted_policy_is_gone_and_the_others_stay(stores: Stores) -> None:
    for policy in (SERVICE, OWNER):
        await stores.policies.put_policy(policy)
    assert await stores.policies.delete_policy("SERVICE") is True
    assert await stores.policies.delete_policy("service") is False
    assert await stores.policies.known_policy("service") is None
    assert list(await stores.policies.list_policies()) == [OWNER]
    await stores.policies.put_policy(SERVICE)
    assert list(await stores.policies.list_policies()) == [OWNER, SERVICE]
