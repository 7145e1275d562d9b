"""What was read of identities lately."""

import pytest

from ironhub.core.ids import Identity, identity
from ironhub.identity.model import CredentialKind, Credentials, KnownIdentity
from ironhub.storage.sqlite.identity_cache import IdentityCache

A, B, C = identity("a"), identity("b"), identity("c")
A_ARM = identity("a", "arm")


def known(of: Identity) -> KnownIdentity:
    return KnownIdentity(of, "g", True, Credentials(CredentialKind.NONE))


def filled(*identities: Identity, size: int = 2) -> IdentityCache[KnownIdentity]:
    cache: IdentityCache[KnownIdentity] = IdentityCache(size)
    for each in identities:
        cache.put(each, known(each), cache.generation)
    return cache


def test_what_was_put_is_there_until_its_device_is_written() -> None:
    cache = filled(A, A_ARM, B)
    cache.forget(A.device_id)
    assert cache.get(A) is None
    assert cache.get(A_ARM) is None
    assert cache.get(B) == known(B)


def test_an_answer_that_was_asked_for_before_a_write_is_not_kept() -> None:
    cache = filled()
    asked_at = cache.generation
    cache.forget(B.device_id)
    cache.put(A, known(A), asked_at)
    assert cache.get(A) is None


def test_the_device_that_was_not_asked_for_longest_makes_room() -> None:
    cache = filled(A, B)
    assert cache.get(A) == known(A)
    cache.put(C, known(C), cache.generation)
    assert [cache.get(each) is None for each in (A, B, C)] == [False, True, False]


def test_a_module_is_not_its_device() -> None:
    cache = filled(A)
    assert cache.get(A_ARM) is None


@pytest.mark.parametrize("size", [0, 1])
def test_a_cache_may_be_as_small_as_one_likes(size: int) -> None:
    cache = filled(A, B, size=size)
    assert [cache.get(each) is None for each in (A, B)] == [True, size == 0]
