"""What the bodies of all performatives have in common: a described list, whose absent fields are null."""

from ironhub.wire.amqp.encode import NULL, string, symbols, uint
from ironhub.wire.amqp.errors import MalformedValue
from ironhub.wire.amqp.fields import Fields, text_map


def encode_performative(code: int, count: int, fields: bytes) -> bytes:
    """A performative of `count` fields, already encoded."""
    size = len(fields)
    if size < 255:
        return bytes((0x00, 0x53, code, 0xC0, size + 1, count)) + fields
    return bytes((0x00, 0x53, code, 0xD0)) + (size + 4).to_bytes(4, "big") + count.to_bytes(4, "big") + fields


def check_end(body: bytes, fields: Fields) -> None:
    """Refuse fields that the performative does not have, and a payload after it: only a transfer has one (2.3.1)."""
    if fields.finish() != len(body):
        raise MalformedValue("a frame goes on after its performative")


def optional_uint(value: int) -> bytes:
    """A field that is a number, or absent."""
    return NULL if value < 0 else uint(value)


def optional_text(text: str | None) -> bytes:
    """A field that is a string, or absent."""
    return NULL if text is None else string(text)


def optional_symbols(names: list[str]) -> bytes:
    """A field that is symbols, absent if there are none."""
    return symbols(names) if names else NULL


def map_field(fields: Fields) -> bytes:
    """The next field, a map whose keys are texts, as it is encoded."""
    raw = fields.raw()
    text_map(raw)
    return raw
