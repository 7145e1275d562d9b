"""Shared access signatures: read, verify, make.

Protects against tokens that are forged, altered, re-encoded, expired or ambiguous. Nothing of a token is believed
before `verify_sas_token` returned; what it was signed for is then compared by the gate.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import unquote, unquote_to_bytes

from ironhub.identity.audience import encode_resource
from ironhub.identity.model import AuthenticationFailed

MAX_TOKEN: Final = 4096
"""Characters; the longest that vendor clients send has some 700."""
CLOCK_SKEW: Final = 300.0
"""Seconds a token stays good after `se` (the .NET library's MaxClockSkew)."""

_PREFIX: Final = "SharedAccessSignature "
_MAX_FIELDS: Final = 8
_MAX_POLICY: Final = 256
_MAX_EXPIRY_DIGITS: Final = 12
_DIGEST_SIZE: Final = 32
_VISIBLE: Final = re.compile(r"[\x21-\x7e]+")
_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


class TokenRejected(AuthenticationFailed):
    """The token is malformed, expired, or signed with no key we know; `detail` tells which."""

    def __init__(self, detail: str) -> None:
        super().__init__("the shared access signature was not accepted", detail=detail)


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """What a token says. Nothing of it is true until it was verified."""

    signed_resource: str
    """`sr` as it stands in the token: this is what was signed."""
    resource: str
    """`sr`, percent-decoded once."""
    signed_expiry: str
    """`se` as it stands in the token: decimal digits."""
    signature: bytes = field(repr=False)
    policy: str | None
    """The shared access policy whose key signed it; None: the identity's own key."""

    @property
    def expires_at(self) -> int:
        """Seconds since the Unix epoch, UTC."""
        return int(self.signed_expiry)


class VerifiedToken(NamedTuple):
    """What a token was signed for, and with what."""

    resource: str
    """E.g. "hub.example/devices/press-7"."""
    ends_at: float
    """The instant after which the token is no longer taken, skew included."""
    key_digest: str
    """SHA-256 of the key that signed it, so that rolling that key finds the session."""


def parse_sas_token(text: str) -> UnverifiedToken:
    """Return what `text` says: `SharedAccessSignature sr=<uri>&sig=<base64>&se=<expiry>[&skn=<policy>]`, any order.

    Fields of other names are not signed and not looked at.

    Raises:
        TokenRejected: too long, malformed, or a field is missing or there twice.

    Source: Azure IoT Hub, "Control access with shared access signatures". `sig` is percent-decoded once and "+" stays
    "+": some clients encode it and some do not.
    """
    fields = _fields(text)
    sr, sig, se = (_required(fields, name) for name in ("sr", "sig", "se"))
    if not (se.isdigit() and len(se) <= _MAX_EXPIRY_DIGITS):  # ASCII was checked for the whole token
        raise TokenRejected("se is not a number of seconds")
    policy = _decoded(fields.get("skn", ""), "skn")
    if len(policy) > _MAX_POLICY:
        raise TokenRejected("skn is too long")
    return UnverifiedToken(sr, _decoded(sr, "sr"), se, _signature(sig), policy or None)


def verify_sas_token(
    token: UnverifiedToken,
    *,
    keys: Sequence[bytes],
    now: float,
    leeway: float = CLOCK_SKEW,
    by_text: bool = False,
) -> VerifiedToken:
    """Return what `token` was signed for, e.g. "hub.example/devices/press-7", and until when it is good.

    Args:
        keys: one or two raw HMAC keys (base64 already undone), primary first.
        by_text: take also what was signed with the base64 text of a key, as clients of Event Hubs do.
        now: seconds since the Unix epoch, UTC.
        leeway: seconds a token stays good after `se`, for clocks that run late.

    Raises:
        TokenRejected: expired, or signed with none of `keys`. The caller sees one message; `detail` tells them apart.

    Source: as parse_sas_token. The signed text is `sr`, a newline and `se` as they stand in the token: some SDKs write
    %2f and some %2F, so it is never decoded and encoded again.
    """
    message = f"{token.signed_resource}\n{token.signed_expiry}".encode()
    signer = find_signer(message, token.signature, keys)
    if by_text:
        texts = [base64.b64encode(key) for key in keys]
        text = find_signer(message, token.signature, texts)
        signer = signer if text is None else keys[texts.index(text)]
    if signer is None:
        raise TokenRejected("signed with another key")
    ends_at = token.expires_at + leeway
    if now >= ends_at:
        raise TokenRejected(f"expired {now - token.expires_at:.0f} s ago")
    return VerifiedToken(token.resource, ends_at, key_digest(signer))


def find_signer(message: bytes, signature: bytes, keys: Sequence[bytes]) -> bytes | None:
    """Return the first of `keys` whose HMAC-SHA256 of `message` is `signature`, whole and in constant time, or None."""
    signer = None
    for key in keys:  # every key costs the same, whether or not one before it was right
        same = hmac.compare_digest(hmac.digest(key, message, "sha256"), signature)
        if same and signer is None:
            signer = key
    return signer


def make_sas_token(resource: str, key: bytes, expiry: int, policy: str | None = None) -> str:
    """Return a token for `resource` (not encoded, e.g. "hub.example/devices/press-7") that ends at `expiry`.

    Args:
        key: raw, base64 already undone.
        expiry: seconds since the Unix epoch, UTC.
        policy: whose key it is; None: the device's own.
    """
    sr = encode_resource(resource)
    digest = hmac.digest(key, f"{sr}\n{expiry}".encode(), "sha256")
    sig = encode_resource(base64.b64encode(digest).decode())
    named = "" if policy is None else f"&skn={encode_resource(policy)}"
    return f"{_PREFIX}sr={sr}&sig={sig}&se={expiry}{named}"


def derive_device_key(group_key: bytes, registration_id: str) -> bytes:
    """Return the key of one device of an enrollment group: HMAC-SHA256 of its registration id, as given.

    Source: Azure DPS, "Symmetric key attestation", group enrollments.
    """
    return hmac.digest(group_key, registration_id.encode(), "sha256")


def key_digest(key: bytes) -> str:
    """Return what a live session remembers of the key it rests on: enough to compare, useless to sign."""
    return hashlib.sha256(key).hexdigest()


def _fields(text: str) -> dict[str, str]:
    if len(text) > MAX_TOKEN:
        raise TokenRejected("longer than any token")
    if not text.startswith(_PREFIX):
        raise TokenRejected("does not begin with SharedAccessSignature")
    body = text[len(_PREFIX) :]
    if not _VISIBLE.fullmatch(body):
        raise TokenRejected("empty, or with a character that no token has")
    pairs = body.split("&")
    if len(pairs) > _MAX_FIELDS:
        raise TokenRejected("too many fields")
    fields: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")  # at the first one: a signature that is not encoded ends with "="
        if not equals or name in fields:
            raise TokenRejected("a field has no value, or is there twice")
        fields[name] = value
    return fields


def _required(fields: dict[str, str], name: str) -> str:
    value = fields.get(name, "")
    if not value:
        raise TokenRejected(f"{name} is missing")
    return value


def _decoded(value: str, name: str) -> str:
    if _BROKEN_ESCAPE.search(value):
        raise TokenRejected(f"{name} is not percent-encoded as it should be")
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError as error:
        raise TokenRejected(f"{name} is not UTF-8") from error


def _signature(sig: str) -> bytes:
    if _BROKEN_ESCAPE.search(sig):
        raise TokenRejected("sig is not percent-encoded as it should be")
    try:
        signature = binascii.a2b_base64(unquote_to_bytes(sig), strict_mode=True)
    except ValueError as error:
        raise TokenRejected("sig is not base64") from error
    if len(signature) != _DIGEST_SIZE:
        raise TokenRejected("sig is not 32 bytes long")
    return signature
