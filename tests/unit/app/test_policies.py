"""app/policies.py"""

from tests.fakes.clock import FakeEntropy

from ironhub.app.policies import BUILT_IN, ensure_policies
from ironhub.identity.model import Right
from ironhub.storage.memory.stores import memory_stores


async def test_the_first_start_makes_the_five_policies_with_keys_of_their_own() -> None:
    store = memory_stores(FakeEntropy()).policies
    await ensure_policies(store, FakeEntropy())
    policies = await store.list_policies()
    assert [policy.name for policy in policies] == list(BUILT_IN)
    keys = [key for policy in policies for key in policy.keys]
    assert len(set(keys)) == 10
    assert all(len(key) == 32 for key in keys)
    assert policies[0].rights == frozenset(Right)


async def test_the_next_start_keeps_their_keys() -> None:
    store = memory_stores(FakeEntropy()).policies
    await ensure_policies(store, FakeEntropy())
    before = await store.list_policies()
    await ensure_policies(store, FakeEntropy("another"))
    assert await store.list_policies() == before
