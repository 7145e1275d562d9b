"""Sections of messages (part 3, 3.2.1 to 3.2.9) as they are written, and messages put together of them."""

from collections.abc import Sequence
from typing import Final

from ironhub.wire.amqp import encode

HEADER: Final = 0x70
DELIVERY_ANNOTATIONS: Final = 0x71
MESSAGE_ANNOTATIONS: Final = 0x72
PROPERTIES: Final = 0x73
APPLICATION_PROPERTIES: Final = 0x74
DATA: Final = 0x75
SEQUENCE: Final = 0x76
VALUE: Final = 0x77
FOOTER: Final = 0x78


def header_section(durable: bool = False, delivery_count: int = 0, ttl_ms: int | None = None) -> bytes:
    """The header (3.2.1)."""
    ttl = encode.NULL if ttl_ms is None else encode.uint(ttl_ms)
    fields = [encode.boolean(durable), encode.NULL, ttl, encode.NULL, encode.uint(delivery_count)]
    return encode.described(HEADER, encode.list_(fields))


def delivery_annotations_section(pairs: Sequence[tuple[str, bytes]]) -> bytes:
    """Annotations for the next peer only, by symbol; values are encoded (3.2.2)."""
    return encode.described(DELIVERY_ANNOTATIONS, _annotations(pairs))


def annotations_section(pairs: Sequence[tuple[str, bytes]]) -> bytes:
    """Message annotations, by symbol; values are encoded (3.2.3)."""
    return encode.described(MESSAGE_ANNOTATIONS, _annotations(pairs))


def application_section(pairs: Sequence[tuple[str, bytes]]) -> bytes:
    """Application properties; values are encoded (3.2.5)."""
    return encode.described(APPLICATION_PROPERTIES, encode.map_([(encode.string(key), value) for key, value in pairs]))


def data_section(body: bytes) -> bytes:
    """A body of bytes (3.2.6)."""
    return encode.described(DATA, encode.binary(body))


def value_section(encoded: bytes) -> bytes:
    """A body of one encoded value (3.2.8)."""
    return encode.described(VALUE, encoded)


def encode_message(
    *,
    header: bytes = b"",
    delivery_annotations: bytes = b"",
    message_annotations: bytes = b"",
    properties: bytes = b"",
    application_properties: bytes = b"",
    body: bytes = b"",
) -> bytes:
    """The payload of sections that are encoded already; `body` is one or more sections too."""
    return b"".join((header, delivery_annotations, message_annotations, properties, application_properties, body))


def _annotations(pairs: Sequence[tuple[str, bytes]]) -> bytes:
    return encode.map_([(encode.symbol(key), value) for key, value in pairs])
