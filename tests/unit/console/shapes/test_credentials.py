"""Tests of console/shapes/credentials.py."""

from base64 import b64encode

import pytest

from ironhub.console.shapes.credentials import AuthKind, AuthTaken, KeysTaken, credentials_given, credentials_taken
from ironhub.core.errors import InvalidArgument
from ironhub.identity.model import CredentialKind, Credentials, SymmetricKeys, Thumbprints

KEY = b64encode(b"k" * 32).decode()
SHA256 = "AB" * 32


def test_nothing_said_leaves_the_credentials() -> None:
    assert credentials_taken(None) is None


def test_keys_are_taken_as_bytes() -> None:
    taken = AuthTaken(kind=AuthKind.SAS, keys=KeysTaken(primary=KEY, secondary=KEY))
    assert credentials_taken(taken) == Credentials(CredentialKind.SAS, keys=SymmetricKeys(b"k" * 32, b"k" * 32))
    assert credentials_taken(AuthTaken(kind=AuthKind.SAS)) == Credentials(CredentialKind.SAS)


@pytest.mark.parametrize("key", ["", "not base64!", b64encode(b"x" * 15).decode(), b64encode(b"x" * 65).decode()])
def test_what_is_no_key_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        credentials_taken(AuthTaken(kind=AuthKind.SAS, keys=KeysTaken(primary=KEY, secondary=key)))
    assert not key or key not in str(refused.value)


def test_thumbprints_are_kept_in_lower_case_without_colons() -> None:
    colons = ":".join("CD" for _ in range(20))
    taken = AuthTaken(kind=AuthKind.X509_THUMBPRINT, thumbprints=(SHA256, colons))
    expected = Thumbprints("ab" * 32, "cd" * 20)
    assert credentials_taken(taken) == Credentials(CredentialKind.SELF_SIGNED, thumbprints=expected)


@pytest.mark.parametrize(
    "taken",
    [
        AuthTaken(kind=AuthKind.X509_THUMBPRINT),
        AuthTaken(kind=AuthKind.X509_THUMBPRINT, thumbprints=("12",)),
        AuthTaken(kind=AuthKind.X509_CA, thumbprints=(SHA256,)),
        AuthTaken(kind=AuthKind.X509_CA, keys=KeysTaken(primary=KEY, secondary=KEY)),
    ],
)
def test_what_does_not_fit_together_is_refused(taken: AuthTaken) -> None:
    with pytest.raises(InvalidArgument):
        credentials_taken(taken)


def test_keys_are_given_only_when_asked_for_and_stand_in_no_repr() -> None:
    stored = Credentials(CredentialKind.SAS, keys=SymmetricKeys(b"k" * 32, b"k" * 32))
    assert credentials_given(stored, with_keys=False).keys is None
    given = credentials_given(stored, with_keys=True)
    assert given.keys is not None
    assert given.keys.primary == KEY
    assert KEY not in repr(given)
    assert KEY not in repr(KeysTaken(primary=KEY, secondary=KEY))


def test_only_thumbprints_that_are_there_are_given() -> None:
    stored = Credentials(CredentialKind.SELF_SIGNED, thumbprints=Thumbprints(None, "ab" * 20))
    given = credentials_given(stored, with_keys=True)
    assert (given.kind, given.thumbprints, given.keys) == (AuthKind.X509_THUMBPRINT, ("ab" * 20,), None)
