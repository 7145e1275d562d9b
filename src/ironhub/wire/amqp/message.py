"""Messages (part 3, 3.2): cut into their sections without decoding them."""

from typing import Final, final

from ironhub.wire.amqp.decode import decode, skip
from ironhub.wire.amqp.errors import MalformedValue
from ironhub.wire.amqp.fields import descriptor_at
from ironhub.wire.amqp.scalars import number
from ironhub.wire.amqp.sections import (
    APPLICATION_PROPERTIES,
    DATA,
    DELIVERY_ANNOTATIONS,
    FOOTER,
    HEADER,
    MESSAGE_ANNOTATIONS,
    PROPERTIES,
    SEQUENCE,
    VALUE,
)
from ironhub.wire.amqp.values import Value

BODY_NONE: Final = 0
BODY_DATA: Final = 1
BODY_SEQUENCE: Final = 2
BODY_VALUE: Final = 3
MESSAGE: Final = 0
"""The message format of one message (3.2.16)."""
BATCH: Final = 0x8001_3700
"""The message format of Azure's batches: a message whose data sections are each an encoded message."""
MAX_BATCH: Final = 5000
"""Messages in one batch."""

_NAMES: Final = {
    "amqp:header:list": HEADER,
    "amqp:delivery-annotations:map": DELIVERY_ANNOTATIONS,
    "amqp:message-annotations:map": MESSAGE_ANNOTATIONS,
    "amqp:properties:list": PROPERTIES,
    "amqp:application-properties:map": APPLICATION_PROPERTIES,
    "amqp:data:binary": DATA,
    "amqp:amqp-sequence:list": SEQUENCE,
    "amqp:amqp-value:*": VALUE,
    "amqp:footer:map": FOOTER,
}
_LISTS: Final = b"\x45\xc0\xd0"
_MAPS: Final = b"\xc1\xd1"
_SHAPES: Final = (_LISTS, _MAPS, _MAPS, _LISTS, _MAPS, b"\xa0\xb0", _LISTS, b"", _MAPS)
"""The constructors that a section's value may have, from the header on; none: any."""


@final
class RawMessage:
    """A message's sections as they came, each with its descriptor, b"" where there is none. Its repr tells no content.

    `body` is what the body says in bytes: data sections joined; of a value that is binary its bytes, that is a string
    its UTF-8; nothing of a null; of anything else its encoding.
    """

    __slots__ = (
        "application_properties",
        "body",
        "body_kind",
        "delivery_annotations",
        "encoded_body",
        "footer",
        "header",
        "message_annotations",
        "properties",
    )

    def __init__(self) -> None:
        self.header = b""
        self.delivery_annotations = b""
        self.message_annotations = b""
        self.properties = b""
        self.application_properties = b""
        self.footer = b""
        self.body = b""
        self.body_kind = BODY_NONE
        self.encoded_body = b""

    def __repr__(self) -> str:
        return f"RawMessage(body_kind={self.body_kind}, body=<{len(self.body)} bytes>)"

    def value(self) -> Value:
        """What an amqp-value section holds; None where the body is of another kind."""
        return decode(self.encoded_body)[0] if self.body_kind == BODY_VALUE else None


def split_message(payload: bytes) -> RawMessage:
    """Cut a message into its sections; all values in it are checked, none is built.

    Raises:
        MalformedValue: it has other sections than a message, or in another order, or bytes that are no values.
    """
    found = RawMessage()
    pieces: list[bytes] = []
    end = len(payload)
    at = 0
    last = 0
    while at < end:
        code, start = _section_at(payload, at, end, last)
        if code == DATA:
            first, stop = _binary_at(payload, start, end)
            pieces.append(payload[first:stop])
        else:
            stop = skip(payload, start, end)
            if code in (SEQUENCE, VALUE):
                pieces.append(payload[start:stop])
            else:
                _place(found, code, payload[at:stop])
        if code >= DATA and code != FOOTER:
            found.body_kind = code - DATA + BODY_DATA
        last = code
        at = stop
    if pieces:
        found.encoded_body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        found.body = _value_bytes(found.encoded_body) if found.body_kind == BODY_VALUE else found.encoded_body
    return found


def split_batch(payload: bytes) -> list[RawMessage]:
    """Cut a batch, whose message format is BATCH, into its messages; what stands beside its data sections is skipped.

    Raises:
        MalformedValue: it, or one of its messages, is no message, or there are more than MAX_BATCH.
    """
    found: list[RawMessage] = []
    end = len(payload)
    at = 0
    last = 0
    while at < end:
        code, start = _section_at(payload, at, end, last)
        if code in (SEQUENCE, VALUE):
            raise MalformedValue("a batch has a body that is not data")
        if code == DATA:
            if len(found) >= MAX_BATCH:
                raise MalformedValue("a batch has too many messages")
            first, at = _binary_at(payload, start, end)
            found.append(split_message(payload[first:at]))
        else:
            at = skip(payload, start, end)
        last = code
    return found


def decode_map_section(section: bytes) -> dict[Value, Value]:
    """What a section that is a map holds: annotations, application properties, a footer; {} for b"".

    Raises:
        MalformedValue: it is no map, or a key comes twice.
    """
    if not section:
        return {}
    _, _, start = descriptor_at(section, 0, len(section))
    value, _ = decode(section, start)
    if not isinstance(value, dict):
        raise MalformedValue("a section is no map")
    return value


def _section_at(payload: bytes, at: int, end: int, last: int) -> tuple[int, int]:
    """The section at `at`: its descriptor, and where its value begins; `last` is the one before it, 0 if none."""
    if at + 3 < end and payload[at] == 0 and payload[at + 1] == 0x53:
        code = payload[at + 2]
        start = at + 3
    else:
        code, name, start = descriptor_at(payload, at, end)
        code = _NAMES.get(name, code)
    if code < HEADER or code > FOOTER or start >= end:
        raise MalformedValue("a message has a section that there is not")
    if code <= last and (code != last or (code != DATA and code != SEQUENCE)):
        raise MalformedValue("a message has a section twice, or out of order")
    if last >= DATA and code != last and code != FOOTER:
        raise MalformedValue("a message has bodies of two kinds")
    shapes = _SHAPES[code - HEADER]
    if shapes and payload[start] not in shapes:
        raise MalformedValue("a section holds a value of another type")
    return code, start


def _binary_at(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Where the bytes of the binary at `at` begin and end; that it is one is checked."""
    width = 1 if data[at] == 0xA0 else 4
    first = at + 1 + width
    if first > end:
        raise MalformedValue("a body ends before its bytes do")
    stop = first + number(data, at + 1, width)
    if stop > end:
        raise MalformedValue("a body is longer than what it stands in")
    return first, stop


def _place(found: RawMessage, code: int, section: bytes) -> None:
    if code == PROPERTIES:
        found.properties = section
    elif code == APPLICATION_PROPERTIES:
        found.application_properties = section
    elif code == MESSAGE_ANNOTATIONS:
        found.message_annotations = section
    elif code == DELIVERY_ANNOTATIONS:
        found.delivery_annotations = section
    elif code == HEADER:
        found.header = section
    else:
        found.footer = section


def _value_bytes(encoded: bytes) -> bytes:
    code = encoded[0]
    if code == 0x40:
        return b""
    if code == 0xA0 or code == 0xA1:
        return encoded[2:]
    if code == 0xB0 or code == 0xB1:
        return encoded[5:]
    return encoded
