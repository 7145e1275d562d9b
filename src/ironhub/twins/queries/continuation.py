"""Where a query goes on, as text that callers carry and cannot change.

Protects against forged places: the token is sealed (AES-256-GCM) for one query and one caller, and ends. It opens for
nobody else and for no other query, so it says nothing about devices that its bearer could not ask for.
"""

from base64 import b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from hashlib import sha256
from typing import Final, NamedTuple

from ironhub.core.errors import CorruptStore
from ironhub.core.sealing import Sealer
from ironhub.core.strict_json import JsonInvalid, decode_json, encode_json
from ironhub.twins.queries.model import ContinuationInvalid, Query

MAX_TOKEN: Final = 12_000
"""Characters; what is longer was not made here, and does not open when it is cut."""
LIFETIME: Final = 3600.0
"""Seconds between two pages, at most."""


class Place(NamedTuple):
    """Where a query goes on."""

    after: str
    """As the store gave it."""
    given: int
    """How many rows came before."""


class Continuations:
    """Makes tokens and reads them."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def seal(self, place: Place, query: Query, caller: str, *, now: float) -> str:
        """Return the token for the next page of `query` for `caller`."""
        content = encode_json([place.after, place.given, now + LIFETIME])
        return urlsafe_b64encode(self._sealer.seal(content, _context(query, caller))).decode()

    def open(self, token: str, query: Query, caller: str, *, now: float) -> Place:
        """Return where `query` goes on. Raises ContinuationInvalid, with the same words whatever is wrong."""
        try:
            sealed = b64decode(token[:MAX_TOKEN].encode("ascii"), b"-_", validate=True)
            after, given, ends_at = decode_json(self._sealer.open(sealed, _context(query, caller)))
        except (ValueError, Base64Error, CorruptStore, JsonInvalid) as error:
            raise _invalid(repr(error)) from error
        if now > ends_at:
            raise _invalid("it is too old")
        return Place(after, given)


def _invalid(detail: str) -> ContinuationInvalid:
    return ContinuationInvalid("the continuation token is none for this query, or is too old", detail=detail)


def _context(query: Query, caller: str) -> bytes:
    """Queries are values all the way down: equal ones have the same text."""
    return b"query continuation " + sha256(repr((query, caller)).encode("utf-8", "backslashreplace")).digest()
