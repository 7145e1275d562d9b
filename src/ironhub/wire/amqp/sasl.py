"""The frames of the security layer (part 5, 5.3.3)."""

from collections.abc import Sequence
from typing import Final, TypeAlias, final

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.bodies import check_end, encode_performative
from ironhub.wire.amqp.errors import MalformedValue
from ironhub.wire.amqp.fields import Fields, descriptor_at

OUTCOME_OK: Final = 0
OUTCOME_AUTH: Final = 1
"""Refused for what was shown."""

_MECHANISMS: Final = 0x40
_INIT: Final = 0x41
_CHALLENGE: Final = 0x42
_RESPONSE: Final = 0x43
_OUTCOME: Final = 0x44
_NAMES: Final = {
    "amqp:sasl-mechanisms:list": _MECHANISMS,
    "amqp:sasl-init:list": _INIT,
    "amqp:sasl-challenge:list": _CHALLENGE,
    "amqp:sasl-response:list": _RESPONSE,
    "amqp:sasl-outcome:list": _OUTCOME,
}


@final
class SaslMechanisms:
    """What the server offers."""

    __slots__ = ("mechanisms",)

    def __init__(self, mechanisms: Sequence[str]) -> None:
        self.mechanisms = tuple(mechanisms)

    def encode(self) -> bytes:
        """The frame body."""
        return encode_performative(_MECHANISMS, 1, encode.symbols(self.mechanisms))


@final
class SaslInit:
    """What the client chose. Its repr tells the response's size only."""

    __slots__ = ("hostname", "mechanism", "response")

    def __init__(self, mechanism: str, response: bytes | None = None, hostname: str | None = None) -> None:
        self.mechanism = mechanism
        self.response = response
        self.hostname = hostname

    def __repr__(self) -> str:
        size = len(self.response or b"")
        return f"SaslInit(mechanism={self.mechanism!r}, response=<{size} bytes>, hostname={self.hostname!r})"

    def encode(self) -> bytes:
        """The frame body."""
        response = encode.NULL if self.response is None else encode.binary(self.response)
        hostname = encode.NULL if self.hostname is None else encode.string(self.hostname)
        return encode_performative(_INIT, 3, encode.symbol(self.mechanism) + response + hostname)


@final
class SaslChallenge:
    """A question of the server's."""

    __slots__ = ("challenge",)

    def __init__(self, challenge: bytes) -> None:
        self.challenge = challenge

    def encode(self) -> bytes:
        """The frame body."""
        return encode_performative(_CHALLENGE, 1, encode.binary(self.challenge))


@final
class SaslResponse:
    """The answer to a challenge."""

    __slots__ = ("response",)

    def __init__(self, response: bytes) -> None:
        self.response = response

    def encode(self) -> bytes:
        """The frame body."""
        return encode_performative(_RESPONSE, 1, encode.binary(self.response))


@final
class SaslOutcome:
    """The server's verdict, and the end of the layer."""

    __slots__ = ("additional", "code")

    def __init__(self, code: int, additional: bytes | None = None) -> None:
        self.code = code
        self.additional = additional

    def encode(self) -> bytes:
        """The frame body."""
        additional = encode.NULL if self.additional is None else encode.binary(self.additional)
        return encode_performative(_OUTCOME, 2, encode.ubyte(self.code) + additional)


SaslFrame: TypeAlias = SaslMechanisms | SaslInit | SaslChallenge | SaslResponse | SaslOutcome


def decode_sasl(body: bytes) -> SaslFrame:
    """The performative that a SASL frame carries.

    Raises:
        MalformedValue: it carries something else.
    """
    code, name, at = descriptor_at(body, 0, len(body))
    code = _NAMES.get(name, code)
    fields = Fields(body, at, len(body))
    frame: SaslFrame
    if code == _INIT:
        frame = SaslInit(fields.certain_text(), fields.binary(), fields.text())
    elif code == _RESPONSE:
        frame = SaslResponse(_some(fields.binary()))
    elif code == _MECHANISMS:
        frame = SaslMechanisms(fields.texts())
    elif code == _CHALLENGE:
        frame = SaslChallenge(_some(fields.binary()))
    elif code == _OUTCOME:
        frame = _outcome(fields)
    else:
        raise MalformedValue("a SASL frame carries no performative of its own")
    check_end(body, fields)
    return frame


def decode_plain(response: bytes) -> tuple[str, str, str]:
    """What the mechanism PLAIN says: on whose behalf ("" for one's own), user name and password (RFC 4616).

    Raises:
        MalformedValue: it is not three UTF-8 strings with a NUL between them.
    """
    parts = response.split(b"\0")
    if len(parts) != 3:
        raise MalformedValue("a PLAIN response is not three strings")
    try:
        return parts[0].decode("utf-8"), parts[1].decode("utf-8"), parts[2].decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedValue("a PLAIN response is not UTF-8") from None


def _outcome(fields: Fields) -> SaslOutcome:
    code = fields.ubyte()
    if code < 0:
        raise MalformedValue("a SASL outcome has no code")
    return SaslOutcome(code, fields.binary())


def _some(value: bytes | None) -> bytes:
    if value is None:
        raise MalformedValue("a SASL frame lacks a field that it must have")
    return value
