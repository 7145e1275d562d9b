"""The gate for links believes what was signed with the account's key, for as long as it was signed for."""

from dataclasses import replace
from hmac import digest

import pytest
from tests.fakes.clock import START, FakeClock

from ironhub.identity.links import BlobAccount, LinkClaim, LinkGate, refuse_link
from ironhub.identity.model import AuthenticationFailed, LinkRight, SymmetricKeys

KEYS = SymmetricKeys(b"p" * 64, b"s" * 64)
ACCOUNT = BlobAccount("ironhub", KEYS)
RIGHTS = frozenset({LinkRight.READ})


def claim(key: bytes = KEYS.primary, *, ends_at: float = START + 60.0, starts_at: float | None = None) -> LinkClaim:
    return LinkClaim("uploads", "a", RIGHTS, starts_at, ends_at, b"message", digest(key, b"message", "sha256"))


def refused(given: LinkClaim, clock: FakeClock | None = None) -> str:
    with pytest.raises(AuthenticationFailed) as caught:
        LinkGate(ACCOUNT, clock or FakeClock()).admit(given)
    assert str(caught.value) == str(refuse_link(""))
    return caught.value.detail


@pytest.mark.parametrize("key", KEYS)
def test_both_keys_of_the_account_sign(key: bytes) -> None:
    principal = LinkGate(ACCOUNT, FakeClock()).admit(claim(key))
    assert (principal.container, principal.blob, principal.rights) == ("uploads", "a", RIGHTS)
    assert principal.expires_at == START + 60.0


def test_what_was_signed_with_another_key_or_altered_is_refused() -> None:
    assert "another key" in refused(claim(b"x" * 64))
    assert "another key" in refused(replace(claim(), message=b"messagf"))
    assert "another key" in refused(replace(claim(), signature=b""))


def test_a_link_is_good_from_its_beginning_to_its_end() -> None:
    assert "ended" in refused(claim(ends_at=START))
    assert "not good yet" in refused(claim(starts_at=START + 1.0))
    LinkGate(ACCOUNT, FakeClock()).admit(claim(starts_at=START))


def test_keys_and_signatures_are_never_shown() -> None:
    assert "pppp" not in repr(ACCOUNT)
    assert "message" not in repr(claim())
