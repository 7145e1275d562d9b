"""Properties of a message that came over AMQP: what the log keeps of them, and how they are read again.

The log keeps the three sections that hold properties, one after the other, as they came; only the descriptors in front
of them are written anew, in their shortest form. What is read from there may be of any type and under any name.
What it protects: of the annotations a device sends only those reach a reader that are its own to say, and nothing of a
type that stops a reader's decoder: one message must not be able to end everybody's reading of a partition.
Source: azure-device-api 3.5, azure-service-api 6.7, 6.8.
"""

from typing import Final, NamedTuple

from ironhub.dialects.azure.amqp_values import FIELDS, text_of
from ironhub.dialects.azure.properties import MAX_BAG, MAX_PROPERTIES, PropertiesInvalid
from ironhub.dialects.azure.vouched import is_vouched
from ironhub.wire.amqp.decode import decode, skip
from ironhub.wire.amqp.encode import NULL, string
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
_SMALL_MAP: Final = b"\xc1"
_LARGE_MAP: Final = b"\xd1"
_SMALL_LIST: Final = b"\xc0"
_LARGE_LIST: Final = b"\xd0"

_ONE, _FOUR = -1, -2
"""Instead of a width: the length stands in front, in one byte or in four."""
_KINDS: Final = {4: 0, 5: 1, 6: 2, 7: 4, 8: 8, 9: 16, 10: _ONE, 11: _FOUR}
"""Widths of plain values by the first four bits of their constructors."""
_WIDTHS: Final = [_KINDS.get(code >> 4, 0) for code in range(256)]


class Sections(NamedTuple):
    """The three sections of a message that hold properties, each with its descriptor."""

    annotations: bytes
    properties: bytes
    application: bytes


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
    annotations, standard, application = split_stored(properties)
    own = dict(_application(application))
    told = _annotations(annotations, own)
    return Stored(decode_standard(standard), told, {name: _text(raw) for name, raw in own.items()})


def split_stored(properties: bytes) -> Sections:
    """Return the sections that `stored_properties` joined, each b"" where there is none."""
    found = {ANNOTATIONS: b"", PROPERTIES: b"", APPLICATION: b""}
    at, size = 0, len(properties)
    try:
        while at < size:
            end = _end(properties, at)
            found[properties[at : at + 3]] = properties[at:end]
            at = end
    except IndexError:
        at = -1
    return Sections(*found.values()) if at == size and len(found) == 3 else Sections(b"", b"", b"")


def own_values(annotations: bytes, application: bytes) -> tuple[dict[str, str], dict[str, bytes]]:
    """Return what a reader that speaks AMQP gets of those two sections.

    Returns:
        annotations: as in Stored.
        application: encoded, in the types they were sent with if all readers decode those; without the names that are
            the hub's to use.
    """
    own = dict(_application(application))
    told = _annotations(annotations, own)
    return told, {name: raw for name, raw in own.items() if not is_vouched(name)}


def decode_standard(section: bytes) -> dict[str, str]:
    """Return the texts of a properties section, as in Stored."""
    try:
        values = decode(section, len(PROPERTIES))[0] if section else None
    except MalformedValue:
        return {}
    if not isinstance(values, list):
        return {}
    texts = zip(FIELDS, map(text_of, values), strict=False)
    return {name: text for name, text in texts if text is not None}


def is_clean(standard: bytes) -> bool:
    """Tell whether every field of a properties section has its own type, so that it can be copied to readers."""
    at, count = _content(standard, _SMALL_LIST, _LARGE_LIST)
    if not 0 < count <= len(_CODES_OF_FIELDS):
        return False
    try:
        for codes in _CODES_OF_FIELDS[:count]:
            code = standard[at]
            if code == _NULL:
                at += 1
            elif code in codes:
                at = _after(standard, at)
            else:
                return False
    except IndexError:
        return False
    return at == len(standard)


def has_id(standard: bytes) -> bool:
    """Tell whether a properties section has a message id, and so is that of one message alone."""
    at, count = _content(standard, _SMALL_LIST, _LARGE_LIST)
    return count > 0 and standard[at : at + 1] != NULL


def _normal(section: bytes, descriptor: bytes) -> bytes:
    if not section or section.startswith(descriptor):
        return section
    return descriptor + section[skip(section, 1, len(section)) :]


def _count(section: bytes) -> int:
    return _content(section, _SMALL_MAP, _LARGE_MAP)[1] // 2


def _content(section: bytes, small: bytes, large: bytes) -> tuple[int, int]:
    """Where the first element of a section's map or list is, and how many there are; none when it is none."""
    code, size = section[3:4], len(section)
    if code == small and size > 5:
        return 6, section[5]
    if code == large and size > 11:
        return 12, int.from_bytes(section[8:12], "big")
    return size, 0


def _end(stored: bytes, at: int) -> int:
    """Where the section at `at` ends, by its own word. Raises IndexError."""
    code = stored[at + 3 : at + 4]
    if code in (_SMALL_LIST, _SMALL_MAP):
        return at + 5 + stored[at + 4]
    if code in (_LARGE_LIST, _LARGE_MAP):
        return at + 8 + int.from_bytes(stored[at + 4 : at + 8], "big")
    return at + 4


def _after(data: bytes, at: int) -> int:
    """Where the value behind the one at `at` begins; that one has a plain constructor. Raises IndexError."""
    width = _WIDTHS[data[at]]
    if width >= 0:
        return at + 1 + width
    return at + 2 + data[at + 1] if width == _ONE else at + 5 + int.from_bytes(data[at + 1 : at + 5], "big")


def _pairs(section: bytes) -> list[tuple[str, bytes]]:
    """The pairs of a map section whose keys are texts, values encoded; none when it is damaged."""
    at, count = _content(section, _SMALL_MAP, _LARGE_MAP)
    found, end = [], len(section)
    try:
        for _ in range(count // 2):
            key, middle = decode(section, at, end)
            at = _after(section, middle) if section[middle] in _PLAIN_CODES else skip(section, middle, end)
            if isinstance(key, str):
                found.append((key, section[middle:at]))
    except (MalformedValue, IndexError):
        return []
    return found if at == end else []


def _application(section: bytes) -> list[tuple[str, bytes]]:
    return [(name, raw if raw[0] in _PLAIN_CODES else string(_text(raw) or "")) for name, raw in _pairs(section)]


def _annotations(section: bytes, application: dict[str, bytes]) -> dict[str, str]:
    """The device's own, and the output of a module, which comes among its properties and is taken away there."""
    told = {}
    for name, raw in _pairs(section):
        if name.lower() in _OWN_ANNOTATIONS and (text := _text(raw)) is not None:
            told[name.lower()] = text
    for name in [name for name in application if name.lower() == _OUTPUT]:
        told[_OUTPUT_NAME] = _text(application.pop(name)) or ""
    return told


def _text(raw: bytes) -> str | None:
    try:
        return text_of(decode(raw)[0])
    except MalformedValue:
        return None
