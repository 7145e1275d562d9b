"""Credentials as callers send them and see them."""

import re
from base64 import b64decode, b64encode
from enum import StrEnum
from typing import Final

from pydantic import Field

from ironhub.console.shapes import Given, Taken
from ironhub.core.errors import InvalidArgument
from ironhub.identity.model import CredentialKind, Credentials, SymmetricKeys, Thumbprints

MIN_KEY: Final = 16
MAX_KEY: Final = 64
"""Bytes of a key, base64 undone."""
_HEX: Final = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")


class AuthKind(StrEnum):
    """How a device or module proves itself."""

    SAS = "sas"
    X509_THUMBPRINT = "x509-thumbprint"
    X509_CA = "x509-ca"
    NONE = "none"


_STORED: Final = {
    AuthKind.SAS: CredentialKind.SAS,
    AuthKind.X509_THUMBPRINT: CredentialKind.SELF_SIGNED,
    AuthKind.X509_CA: CredentialKind.CERTIFICATE_AUTHORITY,
    AuthKind.NONE: CredentialKind.NONE,
}
_SHOWN: Final = {stored: kind for kind, stored in _STORED.items()}


class KeysTaken(Taken):
    """Two keys of one's own, base64 of 16 to 64 bytes."""

    primary: str = Field(repr=False, max_length=128)
    secondary: str = Field(repr=False, max_length=128)


class AuthTaken(Taken):
    """How a device or module shall prove itself. SAS without keys: keep those that are stored, or make new ones."""

    kind: AuthKind
    keys: KeysTaken | None = None
    thumbprints: tuple[str, ...] = Field(default=(), max_length=2)
    """One or two, SHA-1 or SHA-256 in hex; colons and capitals do not matter."""


class KeysGiven(Given):
    """Base64."""

    primary: str = Field(repr=False)
    secondary: str = Field(repr=False)


class AuthGiven(Given):
    """How a device or module proves itself; keys only where they were asked for."""

    kind: AuthKind
    keys: KeysGiven | None = None
    thumbprints: tuple[str, ...] | None = None


def credentials_taken(taken: AuthTaken | None) -> Credentials | None:
    """Return the credentials that `taken` means; None: leave them. Raises InvalidArgument."""
    if taken is None:
        return None
    kind = _STORED[taken.kind]
    if taken.keys is not None and kind is not CredentialKind.SAS:
        raise InvalidArgument(f"{taken.kind} has no keys")
    if bool(taken.thumbprints) != (kind is CredentialKind.SELF_SIGNED):
        raise InvalidArgument("one or two thumbprints belong to x509-thumbprint, and to nothing else")
    return Credentials(kind, _keys_taken(taken.keys), _thumbprints_taken(taken.thumbprints))


def credentials_given(stored: Credentials, *, with_keys: bool) -> AuthGiven:
    """Return what callers see of `stored`."""
    keys = None
    if with_keys and stored.keys is not None:
        keys = KeysGiven(primary=_text(stored.keys.primary), secondary=_text(stored.keys.secondary))
    thumbprints = None if stored.thumbprints is None else tuple(filter(None, stored.thumbprints))
    return AuthGiven(kind=_SHOWN[stored.kind], keys=keys, thumbprints=thumbprints)


def _keys_taken(taken: KeysTaken | None) -> SymmetricKeys | None:
    return None if taken is None else SymmetricKeys(_key(taken.primary), _key(taken.secondary))


def _key(text: str) -> bytes:
    try:
        key = b64decode(text, validate=True)
    except ValueError:
        raise InvalidArgument("a key is no base64") from None
    if not MIN_KEY <= len(key) <= MAX_KEY:
        raise InvalidArgument(f"a key has {MIN_KEY} to {MAX_KEY} bytes")
    return key


def _thumbprints_taken(taken: tuple[str, ...]) -> Thumbprints | None:
    if not taken:
        return None
    normal = [text.replace(":", "").replace(" ", "").lower() for text in taken]
    if not all(_HEX.match(text) for text in normal):
        raise InvalidArgument("a thumbprint has 40 (SHA-1) or 64 (SHA-256) hex digits")
    return Thumbprints(normal[0], normal[1] if len(normal) > 1 else None)


def _text(key: bytes) -> str:
    return b64encode(key).decode()
