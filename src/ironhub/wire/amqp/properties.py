"""The properties section of a message (part 3, 3.2.4)."""

from typing import Final, final

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.decode import decode
from ironhub.wire.amqp.errors import MalformedValue
from ironhub.wire.amqp.fields import ABSENT, Fields, descriptor_at
from ironhub.wire.amqp.sections import PROPERTIES
from ironhub.wire.amqp.values import Uuid, Value

_IDS: Final = b"\x44\x53\x80\x98\xa0\xa1\xb0\xb1"
"""What an id may be (3.2.11 to 3.2.14)."""


@final
class Properties:
    """What a message says of itself; None where it does not."""

    __slots__ = (
        "absolute_expiry_time",
        "content_encoding",
        "content_type",
        "correlation_id",
        "correlation_id_raw",
        "creation_time",
        "group_id",
        "group_sequence",
        "message_id",
        "message_id_raw",
        "reply_to",
        "reply_to_group_id",
        "subject",
        "to",
        "user_id",
    )

    def __init__(self) -> None:
        self.message_id: str | int | Uuid | bytes | None = None
        self.message_id_raw = encode.NULL
        """As encoded, so that a reply can give it back in its own type."""
        self.user_id: bytes | None = None
        self.to: str | None = None
        self.subject: str | None = None
        self.reply_to: str | None = None
        self.correlation_id: str | int | Uuid | bytes | None = None
        self.correlation_id_raw = encode.NULL
        self.content_type: str | None = None
        self.content_encoding: str | None = None
        self.absolute_expiry_time: int | None = None
        """Milliseconds since the Unix epoch."""
        self.creation_time: int | None = None
        """Milliseconds since the Unix epoch."""
        self.group_id: str | None = None
        self.group_sequence: int | None = None
        self.reply_to_group_id: str | None = None


def decode_properties(section: bytes) -> Properties:
    """What a properties section says; nothing for b"".

    Raises:
        MalformedValue: it is another section, or a field is of another type.
    """
    found = Properties()
    if not section:
        return found
    _, _, at = descriptor_at(section, 0, len(section))
    fields = Fields(section, at, len(section))
    found.message_id_raw = fields.raw()
    found.message_id = _id(found.message_id_raw)
    found.user_id = fields.binary()
    found.to = fields.text()
    found.subject = fields.text()
    found.reply_to = fields.text()
    found.correlation_id_raw = fields.raw()
    found.correlation_id = _id(found.correlation_id_raw)
    found.content_type = fields.text()
    found.content_encoding = fields.text()
    found.absolute_expiry_time = fields.timestamp()
    found.creation_time = fields.timestamp()
    found.group_id = fields.text()
    sequence = fields.uint()
    found.group_sequence = None if sequence == ABSENT else sequence
    found.reply_to_group_id = fields.text()
    fields.finish()
    return found


def properties_section(
    *,
    message_id: bytes = b"",
    user_id: bytes | None = None,
    to: str | None = None,
    subject: str | None = None,
    reply_to: str | None = None,
    correlation_id: bytes = b"",
    content_type: str | None = None,
    content_encoding: str | None = None,
    absolute_expiry_ms: int | None = None,
    creation_ms: int | None = None,
) -> bytes:
    """The section; the two ids are encoded values, b"" for none. Nulls at the end are left out."""
    fields = [
        message_id or encode.NULL,
        encode.NULL if user_id is None else encode.binary(user_id),
        _string(to),
        _string(subject),
        _string(reply_to),
        correlation_id or encode.NULL,
        encode.NULL if content_type is None else encode.symbol(content_type),
        encode.NULL if content_encoding is None else encode.symbol(content_encoding),
        _timestamp(absolute_expiry_ms),
        _timestamp(creation_ms),
    ]
    while fields and fields[-1] == encode.NULL:
        fields.pop()
    return encode.described(PROPERTIES, encode.list_(fields))


def _id(raw: bytes) -> str | int | Uuid | bytes | None:
    value: Value = decode(raw)[0]
    if value is None or (raw[0] in _IDS and isinstance(value, (str, int, bytes, Uuid))):
        return value
    raise MalformedValue("a message id is no ulong, uuid, binary or string")


def _string(text: str | None) -> bytes:
    return encode.NULL if text is None else encode.string(text)


def _timestamp(milliseconds: int | None) -> bytes:
    return encode.NULL if milliseconds is None else encode.timestamp(milliseconds)
