"""Service shared access signatures of Azure storage: links to one blob or one container, made and read.

Protects against links that two readers understand differently: a field that stands twice, one that changes what the
link means and is not kept here, a version whose signed text is another.
Source: Azure storage, "Create a service SAS" (string-to-sign of versions 2018-11-09 and 2020-12-06).
"""

import binascii
import hmac
import re
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from ironhub.dialects.azure.timestamps import TimestampInvalid, decode_instant
from ironhub.identity.links import BlobAccount, LinkClaim, refuse_link
from ironhub.identity.model import LinkRight

VERSION: Final = "2021-08-06"
"""Of the links that are made here."""
OLDEST: Final = "2018-11-09"
_WITH_SCOPE: Final = "2020-12-06"
"""From this version on the encryption scope is signed too."""
_VERSION: Final = re.compile(r"20\d\d-\d\d-\d\d", re.ASCII)
_BROKEN_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
MAX_QUERY: Final = 8192
_DIGEST_SIZE: Final = 32

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LETTERS: Final = {"r": LinkRight.READ, "w": LinkRight.WRITE, "d": LinkRight.DELETE, "l": LinkRight.LIST}
_KNOWN_LETTERS: Final = frozenset("racwdxyltmeopi")
_UNKEPT: Final = ("si", "sip", "ses", "rscc", "rscd", "rsce", "rscl", "rsct", "sst", "skoid", "sdd", "saoid", "suoid")
"""Fields that narrow or change what a link means, which is not done here: such a link is refused."""
_FIELDS: Final = frozenset({"sv", "sr", "sp", "st", "se", "spr", "sig", *_UNKEPT})


def decode_link(query: str, account: str, container: str, blob: str | None) -> LinkClaim:
    """Return what the link in `query` (as sent) says about this container or blob. It is not verified.

    Args:
        account: the name under which blobs are kept; it is part of what was signed.
        blob: which one is asked for; None: the container.

    Raises:
        AuthenticationFailed: there is no link, or it cannot be one of ours.
    """
    fields = _fields(query)
    version, scope = fields.get("sv", ""), fields.get("sr", "")
    if _VERSION.fullmatch(version) is None or version < OLDEST:
        raise refuse_link("no link, or of a version that is not read")
    if scope not in ("b", "c") or any(fields.get(name) for name in _UNKEPT):
        raise refuse_link("neither for a blob nor for a container, or with a field that is not kept")
    if fields.get("spr", "https") not in ("https", "https,http"):
        raise refuse_link("not for HTTPS")
    named = blob if scope == "b" else None
    if scope == "b" and blob is None:
        raise refuse_link("for a blob, and used at its container")
    message = _string_to_sign(fields, version, scope, _resource(account, container, named))
    return LinkClaim(
        container=container,
        blob=named,
        rights=_rights(fields.get("sp", "")),
        starts_at=_instant(fields["st"]) if fields.get("st") else None,
        expires_at=_instant(fields.get("se", "")),
        message=message.encode(),
        signature=_signature(fields.get("sig", "")),
    )


def encode_link(
    account: BlobAccount,
    container: str,
    blob: str | None,
    rights: str,
    *,
    expires_at: float,
    starts_at: float | None = None,
    https_only: bool = True,
) -> str:
    """Return the query (without "?") that lets its holder do `rights`, letters such as "rw", until `expires_at`.

    Args:
        blob: to one blob; None: to the container and all that is in it.
        https_only: False for an emulator without TLS.
    """
    scope = "c" if blob is None else "b"
    ordered = "".join(letter for letter in "rcwdl" if letter in rights)
    fields = {"sv": VERSION, "sr": scope, "sp": ordered, "se": storage_instant(expires_at)}
    if https_only:
        fields["spr"] = "https"
    if starts_at is not None:
        fields["st"] = storage_instant(starts_at)
    text = _string_to_sign(fields, VERSION, scope, _resource(account.name, container, blob))
    fields["sig"] = b64encode(hmac.digest(account.keys.primary, text.encode(), "sha256")).decode()
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items())


def storage_instant(seconds: float) -> str:
    """Return e.g. "2026-01-31T12:00:00Z": whole seconds, as storage links write them."""
    return f"{_EPOCH + timedelta(seconds=int(seconds)):%Y-%m-%dT%H:%M:%SZ}"


def _string_to_sign(fields: dict[str, str], version: str, scope: str, resource: str) -> str:
    lines = [
        *(fields.get(name, "") for name in ("sp", "st", "se")),
        resource,
        "",  # no stored access policy
        "",  # no range of addresses
        fields.get("spr", ""),
        version,
        scope,
        "",  # no snapshot
        *([""] if version >= _WITH_SCOPE else []),
        *[""] * 5,  # no headers are overridden
    ]
    return "\n".join(lines)


def _resource(account: str, container: str, blob: str | None) -> str:
    return f"/blob/{account}/{container}" + ("" if blob is None else f"/{blob}")


def _fields(query: str) -> dict[str, str]:
    """The fields of the link, decoded once; what else stands in the query belongs to the call."""
    if len(query) > MAX_QUERY:
        raise refuse_link("longer than any link")
    fields: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if name in _FIELDS:
            if name in fields:
                raise refuse_link("a field stands twice")
            fields[name] = _decoded(value)
        elif unquoted(name).lower() in _FIELDS:
            raise refuse_link("the name of a field is spelt in two ways")
    return fields


def unquoted(name: str) -> str:
    """Return a name of the query, decoded as leniently as anybody may decode it."""
    return unquote_to_bytes(name.replace("+", " ")).decode("utf-8", "replace").strip()


def _decoded(value: str) -> str:
    if _BROKEN_ESCAPE.search(value.encode()):
        raise refuse_link("a field is not percent-encoded as it should be")
    try:
        return unquote_to_bytes(value).decode("utf-8")
    except UnicodeDecodeError as error:
        raise refuse_link("a field is not UTF-8") from error


def _rights(letters: str) -> frozenset[LinkRight]:
    if not letters or not set(letters) <= _KNOWN_LETTERS:
        raise refuse_link("no permissions, or unknown ones")
    return frozenset(_LETTERS[letter] for letter in letters if letter in _LETTERS)


def _instant(text: str) -> float:
    try:
        return decode_instant(text if "T" in text else f"{text}T00:00:00Z")
    except TimestampInvalid as error:
        raise refuse_link("an instant that is none") from error


def _signature(text: str) -> bytes:
    try:
        signature = binascii.a2b_base64(text.encode(), strict_mode=True)
    except ValueError as error:
        raise refuse_link("a signature that is no base64") from error
    if len(signature) != _DIGEST_SIZE:
        raise refuse_link("a signature of another length")
    return signature
