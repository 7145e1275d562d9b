"""Messages over HTTPS: properties as headers, batches as JSON, commands with their lock, and the module that calls.

What it protects: what a back end writes into a command becomes headers, and no header can carry a line end, so nothing
it writes can end a header or begin another answer.
Source: azure "Send Device Event", "Receive Device Bound Notification"; the Node and C SDKs. Header values are Latin-1
to Node and UTF-8 to others: what is good UTF-8 is read as that.
"""

import re
from base64 import b64decode
from collections.abc import Iterable
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from ironhub.core.errors import InvalidArgument
from ironhub.core.ids import Identity, identity
from ironhub.core.strict_json import decode_json, encode_json
from ironhub.dialects.azure.if_match import encode_etag
from ironhub.dialects.azure.timestamps import instant
from ironhub.dialects.azure.topics import base_of
from ironhub.messaging.commands.model import Ack, Delivery

CALLER_HEADER: Final = "x-ms-edge-moduleid"
"""The request header, in lower case, with which a module says who it is when it calls a method."""
MAX_BATCH: Final = 5000
"""Messages of one batch."""
PREFIX: Final = "iothub-app-"
_BATCH_TYPE: Final = "application/vnd.microsoft.iothub.json"
_TO: Final = "iothub-to"
_PROPERTIES: Final = {
    "iothub-messageid": "$.mid",
    "iothub-correlationid": "$.cid",
    "iothub-userid": "$.uid",
    _TO: "$.to",
    "iothub-expiry": "$.exp",
    "iothub-contenttype": "$.ct",
    "iothub-contentencoding": "$.ce",
    "iothub-creationtimeutc": "$.ctime",
    "iothub-interface-id": "$.ifid",
    "iothub-messageschema": "$.schema",
    "dt-subject": "$.sub",
    "iothub-ack": "iothub-ack",
}
_BATCH_DEPTH: Final = 3
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_SAFE_IN_NAMES: Final = "!#$&'*+^`|~"
_VALUE: Final = re.compile(r"(?:[\x21-\x7e\xa0-\xff](?:[\t \x21-\x7e\xa0-\xff]*[\x21-\x7e\xa0-\xff])?)?")
_SAFE_IN_VALUES: Final = "!\"#$&'()*+,/:;<=>?@[\\]^`{|}"


class HttpMessage(NamedTuple):
    """One message of a device."""

    properties: bytes
    """A JSON object of strings, system properties by the names they have in a property bag; empty: none."""
    body: bytes


def is_batch(content_type: str) -> bool:
    """Tell whether a request with this Content-Type holds many messages."""
    return content_type.partition(";")[0].strip().lower() == _BATCH_TYPE


def decode_properties(fields: Iterable[tuple[str, str]], address: str) -> bytes:
    """Return the properties that stand in a request's headers, as `HttpMessage` has them.

    Args:
        fields: names as sent, values as Latin-1.
        address: the path of the request; Node repeats it as the message's destination, which says nothing.
    """
    properties: dict[str, str] = {}
    for name, value in fields:
        known = _known(name)
        if known is not None and not (known == "$.to" and value.lower() == address.lower()):
            properties[known] = _decoded(value)
    return encode_json(properties) if properties else b""


def decode_batch(data: bytes) -> list[HttpMessage]:
    """Return the messages of a batch, in order.

    Raises:
        JsonInvalid; InvalidArgument: an item is no message, or there are more than MAX_BATCH.
    """
    fits = data.count(b'"body"') <= MAX_BATCH  # in a text the quotes are escaped; a bomb is not even read
    items = decode_json(data, max_depth=_BATCH_DEPTH) if fits else None
    if not isinstance(items, list) or len(items) > MAX_BATCH:
        raise InvalidArgument(f"a batch is an array of at most {MAX_BATCH} messages")
    return [_message(item) for item in items]


def encode_delivery(delivery: Delivery) -> tuple[tuple[str, str], ...]:
    """Return the headers of a command in the hands of a device; the token of its lock is the etag.

    What no header can carry is percent-encoded, the "%" in it too.
    """
    command = delivery.command
    named = (
        ("ETag", encode_etag(delivery.lock_token)),
        ("iothub-messagelocktoken", delivery.lock_token),
        ("iothub-sequencenumber", str(command.sequence_number)),
        ("iothub-enqueuedtime", instant(command.enqueued_at)),
        ("iothub-deliverycount", str(command.delivery_count)),
        ("iothub-messageid", command.message_id),
        ("iothub-correlationid", command.correlation_id),
        ("iothub-userid", command.user_id),
        (_TO, f"/{base_of(command.identity)}/messages/deviceBound"),
        ("iothub-expiry", instant(command.expires_at)),
        ("iothub-ack", "" if command.ack is Ack.NONE else command.ack.value),
        ("ContentType", command.content_type),
        ("ContentEncoding", command.content_encoding),
    )
    own = ((f"{PREFIX}{_name(name)}", _value(value)) for name, value in command.properties.items())
    return (*((name, _value(value)) for name, value in named if value), *own)


def decode_caller(header: str) -> Identity:
    """Return the module that says it calls: `device/module`. Raises InvalidArgument, InvalidId."""
    device, slash, module = header.partition("/")
    if not slash:
        raise InvalidArgument(f"{CALLER_HEADER} must name a device and its module as device/module")
    return identity(device, module)


def _known(name: str) -> str | None:
    lower = name.lower()
    if lower.startswith(PREFIX):
        return name[len(PREFIX) :] or None
    return _PROPERTIES.get(lower)


def _decoded(value: str) -> str:
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def _message(item: Any) -> HttpMessage:
    if not isinstance(item, dict) or not isinstance(body := item.get("body"), str):
        raise InvalidArgument("each message of a batch is an object with a body that is a text")
    properties = item.get("properties") or {}
    if not isinstance(properties, dict) or not all(isinstance(value, str) for value in properties.values()):
        raise InvalidArgument("the properties of a message are an object of texts")
    named = {_known(name) or name: value for name, value in properties.items()}
    is_base64 = item.get("base64Encoded", True)
    if not isinstance(is_base64, bool):
        raise InvalidArgument("base64Encoded is true or false")
    return HttpMessage(encode_json(named) if named else b"", _body(body, is_base64=is_base64))


def _body(text: str, *, is_base64: bool) -> bytes:
    if not is_base64:
        return text.encode()
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise InvalidArgument("a body is no base64; send base64Encoded false with one that is plain text") from error


def _name(text: str) -> str:
    return text if _NAME.fullmatch(text) else quote(text, safe=_SAFE_IN_NAMES, errors="replace")


def _value(text: str) -> str:
    return text if _VALUE.fullmatch(text) else quote(text, safe=_SAFE_IN_VALUES, errors="replace")
