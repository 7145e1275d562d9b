"""Tokens put to `$cbs`, and the answers to requests there and at `$management`.

What it protects: a token that is too long is refused before anybody looks into it. The name that comes with a token
says nothing: what the token opens stands in the token.
Source: azure-device-api 3.3, azure-service-api 2.5, 2.6.
"""

from typing import ClassVar, Final, NamedTuple

from ironhub.core.errors import HubError
from ironhub.dialects.azure.amqp_reading import read_application, read_head
from ironhub.wire.amqp.encode import int_, null, string
from ironhub.wire.amqp.message import RawMessage
from ironhub.wire.amqp.properties import properties_section
from ironhub.wire.amqp.sections import application_section, encode_message, value_section

MAX_TOKEN: Final = 16_384
"""Bytes."""
STATUS_CODE: Final = "status-code"
STATUS_DESCRIPTION: Final = "status-description"
OK: Final = 200
_NOTHING: Final = value_section(null())
_BEARER: Final = "bearer "


class CbsInvalid(HubError):
    """What was sent to `$cbs` is no request to take a token."""

    code: ClassVar[str] = "cbs.invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Send operation put-token with a SAS token as the body, as an unmodified SDK does."


class BearerRefused(HubError):
    """The token is one of Entra ID, which this hub does not know."""

    code: ClassVar[str] = "cbs.bearer_refused"
    status: ClassVar[int] = 401
    next_step: ClassVar[str] = "Connect with a connection string: a SAS token of a policy or of the device."


class PutToken(NamedTuple):
    """A request to take a token."""

    token: str
    audience: str
    """The name it was put under, as sent; perhaps ""."""
    reply_to: str | None
    message_id_raw: bytes


def decode_put_token(message: RawMessage) -> PutToken:
    """Return the token that a client puts. To answer a request that is refused, `amqp_reading.read_head` is enough.

    Raises:
        MessageMalformed; CbsInvalid: another operation, no token, or a longer one than MAX_TOKEN.
        BearerRefused
    """
    if len(message.body) > MAX_TOKEN:
        raise CbsInvalid(f"a token has at most {MAX_TOKEN} bytes")
    named = read_application(message)
    if named.get("operation") != "put-token":
        raise CbsInvalid("the operation must be put-token")
    audience = named.get("name")
    head = read_head(message)
    return PutToken(_token(message), audience if isinstance(audience, str) else "", head.reply_to, head.message_id)


def encode_reply(message_id_raw: bytes, status: int, description: str, *, body: bytes = _NOTHING) -> bytes:
    """Return the answer to a request.

    Args:
        message_id_raw: of the request, as encoded.
        status: an HTTP status; written as an int, since some clients read no other type.
        body: encoded sections.
    """
    told = [(STATUS_CODE, int_(status)), (STATUS_DESCRIPTION, string(description))]
    return encode_message(
        properties=properties_section(correlation_id=message_id_raw),
        application_properties=application_section(told),
        body=body,
    )


def _token(message: RawMessage) -> str:
    try:
        token = message.body.decode("ascii")
    except UnicodeDecodeError as error:
        raise CbsInvalid("a token is plain text") from error
    if not token:
        raise CbsInvalid("the body must be a token")
    if token[: len(_BEARER)].lower() == _BEARER:
        raise BearerRefused("bearer tokens are not taken")
    return token
