"""Properties of a message that came over AMQP: what the log keeps of them, and how they are read again.

The log keeps the three sections that hold properties, one after the other, as they came; only the descriptors in front
of them are written anew, in their shortest form. What is read from there may be of any type and under any name.
What it protects: of the annotations a device sends only those reach a reader that are its own to say, and nothing of a
type that stops a reader's decoder: one message must not be able to end everybody's reading of a partition.
Source: azure-device-api 3.5, azure-service-api 6.7, 6.8.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from ironhub.dialects.azure.amqp_values import FIELDS, text_of
from ironhub.dialects.azure.properties import MAX_BAG, MAX_PROPERTIES, PropertiesInvalid
from ironhub.dialects.azure.vouched import is_vouched
from ironhub.wire.amqp.decode import decode, skip
from ironhub.wire.amqp.encode import string
from ironhub.wire.amqp.errors import MalformedValue
from ironhub.wire.amqp.message import RawMessage

ANNOTATIONS: Final = b"\x00\x53\x72"
PROPERTIES: Final = b"\x00\x53\x73"
APPLICATION: Final = b"\x00\x53\x74"
"""The descriptor of a section of application properties, which begins it."""
_OUTPUT: Final = "iothub-outputname"
_OUTPUT_NAME: Final = "iothub-output-name"
_OWN_ANNOTATIONS: Final = frozenset({"iothub-creation-time-utc", "dt-subject", "iothub-interface-id"})
_STRING: Final = b"\xa1\xb1"
_SYMBOL: Final = b"\xa3\xb3"
_ID: Final = _STRING + b"\xa0\xb0\x80\x53\x44\x98"
_CODES_OF_FIELDS: Final = (
    *(_ID, b"\xa0\xb0", _STRING, _STRING, _STRING, _ID, _SYMBOL, _SYMBOL, b"\x83", b"\x83"),
    *(_STRING, b"\x70\x52\x43", _STRING),
)
_PLAIN_CODES: Final = (
    b"\x40\x41\x42\x43\x44\x50\x51\x52\x53\x54\x55\x56\x60\x61\x70\x71\x72\x80\x81\x82\x83\x98\xa0\xa1\xa3\xb0\xb1\xb3"
)
"""Constructors that every reader decodes: no char, no decimal, nothing that holds other values."""
_NULL: Final = 0x40
_SMALL_MAP: Final = 0xC1
_LARGE_MAP: Final = 0xD1
_SMALL_LIST: Final = 0xC0
_LARGE_LIST: Final = 0xD0

Pairs = dict[str, bytes]
"""Names and encoded values, each of a type that every reader decodes."""


class Stored(NamedTuple):
    """The properties of one message, as texts."""

    system: dict[str, str]
    """By their names in the standard, e.g. "message-id"."""
    annotations: dict[str, str]
    """Those that are the device's own to say."""
    application: dict[str, str | None]
    """The sender's own, under whatever names."""


def stored_properties(message: RawMessage) -> bytes:
    """Return what the log keeps of a device's message besides its body (Encoding.AZURE_AMQP).

    Raises:
        PropertiesInvalid: over the bounds that a property bag has.
    """
    annotations, application = message.message_annotations, message.application_properties
    if not annotations and not application and not message.properties:
        return b""
    kept = b"".join(
        (
            _normal(annotations, ANNOTATIONS),
            _normal(message.properties, PROPERTIES),
            _normal(application, APPLICATION),
        )
    )
    if len(kept) > MAX_BAG or _count(application) > MAX_PROPERTIES:
        raise PropertiesInvalid("the properties are too large, or too many")
    return kept


def decode_stored(properties: bytes) -> Stored:
    """Return what `stored_properties` kept; never fails: what cannot be read is left out."""
    annotations, standard, application = _sections(properties)
    own = dict(_application(application))
    return Stored(_system(standard), _annotations(annotations, own), {name: _text(raw) for name, raw in own.items()})


def reader_sections(properties: bytes) -> tuple[dict[str, str], bytes, Pairs]:
    """Return what `stored_properties` kept for a reader that speaks AMQP.

    Returns:
        annotations: as in Stored.
        standard: the properties section as the device sent it, or b"" where it holds something else than it should
            (or nothing): then its texts are in Stored.
        application: the sender's own without the names that are the hub's to use; with the types they were sent with.
    """
    annotations, standard, application = _sections(properties)
    own = dict(_application(application))
    told = _annotations(annotations, own)
    return told, standard if _is_clean(standard) else b"", {k: v for k, v in own.items() if not is_vouched(k)}


def _normal(section: bytes, descriptor: bytes) -> bytes:
    if not section or section.startswith(descriptor):
        return section
    return descriptor + section[skip(section, 1, len(section)) :]


def _count(section: bytes) -> int:
    return _content(section, _SMALL_MAP, _LARGE_MAP)[1] // 2


def _sections(stored: bytes) -> tuple[bytes, bytes, bytes]:
    found = {ANNOTATIONS: b"", PROPERTIES: b"", APPLICATION: b""}
    at = 0
    try:
        while at < len(stored):
            end = skip(stored, at, len(stored))
            found[stored[at : at + 3]] = stored[at:end]
            at = end
    except MalformedValue:
        return b"", b"", b""
    return found[ANNOTATIONS], found[PROPERTIES], found[APPLICATION]


def _content(section: bytes, small: int, large: int) -> tuple[int, int]:
    """Where the first element of a section's map or list is, and how many there are; none when it is none."""
    code = section[3] if section else _NULL
    if code == small:
        return 6, section[5]
    if code == large:
        return 12, int.from_bytes(section[8:12], "big")
    return len(section), 0


def _pairs(section: bytes) -> Iterator[tuple[str, bytes]]:
    """The pairs of a map section whose keys are texts, values encoded."""
    at, count = _content(section, _SMALL_MAP, _LARGE_MAP)
    end = len(section)
    for _ in range(count // 2):
        key, middle = decode(section, at, end)
        at = skip(section, middle, end)
        if isinstance(key, str):
            yield key, section[middle:at]


def _application(section: bytes) -> list[tuple[str, bytes]]:
    try:
        return [(name, raw if raw[0] in _PLAIN_CODES else string(_text(raw) or "")) for name, raw in _pairs(section)]
    except MalformedValue:
        return []


def _annotations(section: bytes, application: Pairs) -> dict[str, str]:
    """The device's own, and the output of a module, which comes among its properties and is taken away there."""
    told = {}
    try:
        for name, raw in _pairs(section):
            if name.lower() in _OWN_ANNOTATIONS and (text := _text(raw)) is not None:
                told[name.lower()] = text
    except MalformedValue:
        told = {}
    for name in [name for name in application if name.lower() == _OUTPUT]:
        told[_OUTPUT_NAME] = _text(application.pop(name)) or ""
    return told


def _system(section: bytes) -> dict[str, str]:
    try:
        values = decode(section, len(PROPERTIES))[0] if section else None
    except MalformedValue:
        return {}
    if not isinstance(values, list):
        return {}
    texts = zip(FIELDS, map(text_of, values), strict=False)
    return {name: text for name, text in texts if text is not None}


def _is_clean(section: bytes) -> bool:
    """Whether every field of a properties section has its own type, so that it can be copied."""
    at, count = _content(section, _SMALL_LIST, _LARGE_LIST)
    end = len(section)
    if not 0 < count <= len(_CODES_OF_FIELDS):
        return False
    for codes in _CODES_OF_FIELDS[:count]:
        if section[at] == _NULL:
            at += 1
        elif section[at] in codes:
            at = skip(section, at, end)
        else:
            return False
    return at == end


def _text(raw: bytes) -> str | None:
    return text_of(decode(raw)[0])
