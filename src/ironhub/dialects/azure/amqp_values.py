"""AMQP values as the texts that everybody else in the hub knows properties by, and such texts as AMQP values."""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Final

from ironhub.core.strict_json import encode_json
from ironhub.dialects.azure.timestamps import TimestampInvalid, decode_instant, instant
from ironhub.wire.amqp.encode import NULL, binary, list_, string, symbol, timestamp, uint
from ironhub.wire.amqp.sections import application_section
from ironhub.wire.amqp.values import Described, Timestamp, Uuid, Value

FIELDS: Final = (
    "message-id",
    "user-id",
    "to",
    "subject",
    "reply-to",
    "correlation-id",
    "content-type",
    "content-encoding",
    "absolute-expiry-time",
    "creation-time",
    "group-id",
    "group-sequence",
    "reply-to-group-id",
)
"""The fields of the standard's properties section, in their order."""
_FIRST_MS: Final = -30_610_224_000_000
"""The year 1000 begins."""
_LAST_MS: Final = 253_402_300_799_999
"""The year 9999 ends."""
_PROPERTIES: Final = b"\x00\x53\x73"
_MAX_UINT: Final = 2**32 - 1
_NUMBER: Final = re.compile(r"[0-9]{1,10}", re.ASCII)


def text_of(value: Value) -> str | None:
    """Return the one text that stands for `value`; None for null.

    Numbers are decimal, instants ISO 8601 in UTC with milliseconds, uuids have hyphens, binary is read as UTF-8 where
    it is that and else told in base64, lists and maps are JSON of such texts.
    """
    match value:
        case None:
            return None
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case Uuid():
            return uuid_text(value.sixteen)
        case Timestamp():
            return _instant(value.milliseconds)
        case bytes():
            return _binary(value)
        case Described():
            return text_of(value.value)
        case list() | dict():
            return encode_json(_plain(value)).decode()
        case _:
            return repr(value)


def uuid_text(sixteen: bytes) -> str:
    """Return the text of a uuid's bytes, lower case, with hyphens."""
    digits = sixteen.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def milliseconds(seconds: float) -> int:
    """Return an instant as AMQP counts it: whole milliseconds, cut as the hub's texts of instants are."""
    return round(seconds * 1_000_000) // 1000


def standard_section(texts: Mapping[str, str]) -> bytes:
    """Return the properties section that says `texts`, by names of FIELDS, each in its type; b"" for none.

    A text that its type has no value for (an instant that is none) is left out; no symbol holds more than ASCII.
    """
    return fields_section(standard_fields(texts))


def standard_fields(texts: Mapping[str, str]) -> list[bytes]:
    """Return the encoded fields of `standard_section`, all of them."""
    return [_field(name, texts[name]) if name in texts else NULL for name in FIELDS]


def fields_section(fields: Sequence[bytes]) -> bytes:
    """Return the properties section of encoded fields; b"" when all are null."""
    count = len(fields)
    while count and fields[count - 1] == NULL:
        count -= 1
    return _PROPERTIES + list_(fields[:count]) if count else b""


def annotation_pairs(texts: Mapping[str, str]) -> bytes:
    """Return `texts` as the content of a map of annotations."""
    return b"".join([symbol(name) + string(text) for name, text in texts.items()])


def application_texts(texts: Mapping[str, str] | Mapping[str, str | None]) -> bytes:
    """Return the section of application properties that says `texts`, b"" for none."""
    return application_section([(name, application_value(text)) for name, text in texts.items()]) if texts else b""


def application_value(text: str | None) -> bytes:
    """Return the value of an application property."""
    return NULL if text is None else string(text)


def _field(name: str, text: str) -> bytes:
    match name:
        case "user-id":
            return binary(text.encode())
        case "content-type" | "content-encoding":
            return symbol(text.encode("ascii", "replace").decode("ascii"))
        case "absolute-expiry-time" | "creation-time":
            return _timestamp(text)
        case "group-sequence":
            return uint(int(text)) if _NUMBER.fullmatch(text) and int(text) <= _MAX_UINT else NULL
        case _:
            return string(text)


def _timestamp(text: str) -> bytes:
    try:
        return timestamp(milliseconds(decode_instant(text)))
    except TimestampInvalid:
        return NULL


def _instant(ms: int) -> str:
    """In the years of four digits, else as it is; a float could not tell all of their milliseconds apart."""
    if not _FIRST_MS <= ms <= _LAST_MS:
        return str(ms)
    seconds, rest = divmod(ms, 1000)
    return f"{instant(seconds)[:19]}.{rest:03d}Z"


def _binary(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return b64encode(value).decode()


def _plain(value: Value) -> object:
    match value:
        case list():
            return [_plain(item) for item in value]
        case dict():
            return {text_of(key) or "": _plain(item) for key, item in value.items()}
        case _:
            return text_of(value)
