"""Properties of devices' messages as AMQP sections, kept where they repeat.

Most devices send the same properties with every message, or the same ones beside an id that no other message has: what
repeats is encoded once, within bounds, and an id costs little more than its bytes.
"""

from typing import Final, NamedTuple
from urllib.parse import unquote

from ironhub.dialects.azure.amqp_stored import decode_standard, has_id, is_clean, own_values, split_stored
from ironhub.dialects.azure.amqp_values import (
    FIELDS,
    annotation_pairs,
    application_texts,
    application_value,
    fields_section,
    standard_fields,
    standard_section,
)
from ironhub.dialects.azure.events import decode_sent, flag_properties
from ironhub.messaging.telemetry.model import Encoding
from ironhub.wire.amqp.encode import NULL, string
from ironhub.wire.amqp.sections import application_section

MAX_BAGS: Final = 1024
"""How many are kept."""
MAX_KEPT_BAG: Final = 1024
"""Bytes of the properties of one that is kept; a bag with so few is never refused for holding too many."""
_AMQP: Final = Encoding.AZURE_AMQP
_TOPIC: Final = Encoding.AZURE_TOPIC
_MESSAGE_ID: Final = FIELDS.index("message-id")
_CORRELATION_ID: Final = FIELDS.index("correlation-id")
_IDS: Final = {
    b"%24.mid": _MESSAGE_ID,
    b"$.mid": _MESSAGE_ID,
    b"%24.cid": _CORRELATION_ID,
    b"$.cid": _CORRELATION_ID,
}
"""How SDKs write the names of ids into topics, and which fields they are."""


class Bag(NamedTuple):
    """The properties of a message."""

    annotations: bytes
    """Pairs for the map of message annotations."""
    pairs: int
    sections: bytes
    """What stands between that map and the body."""
    fields: tuple[bytes, ...] = ()
    """Those of the properties section among them, encoded; () where it is the device's own."""
    application: bytes = b""
    """The other section among them."""


class Bags:
    """Encodes properties and remembers some."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Encoding, bytes, int], Bag] = {}

    def of(self, encoding: Encoding, properties: bytes, flags: int) -> Bag:
        """Return the properties of an entry of telemetry; never fails, whatever a device managed to store."""
        bag = self._kept.get((encoding, properties, flags))
        if bag is not None:
            return bag
        if encoding is _AMQP:
            return self._typed(properties, flags)
        ids, rest = _take_ids(properties) if encoding is _TOPIC else ({}, properties)
        bag = self._texts(encoding, rest, flags)
        return _with_ids(bag, ids) or _text_bag(encoding, properties, flags)

    def _texts(self, encoding: Encoding, properties: bytes, flags: int) -> Bag:
        """Of a device whose properties are texts."""
        key = encoding, properties, flags
        return self._kept.get(key) or self._keep(key, _text_bag(encoding, properties, flags))

    def _typed(self, properties: bytes, flags: int) -> Bag:
        """Of a device that speaks AMQP: in the types it sent."""
        annotations, standard, application = split_stored(properties)
        key = _AMQP, annotations + application, flags
        rest = self._kept.get(key) or self._keep(key, _typed_bag(annotations, application, flags))
        if not standard:
            return rest
        section = standard if is_clean(standard) else standard_section(decode_standard(standard))
        bag = Bag(rest.annotations, rest.pairs, section + rest.application)
        return bag if has_id(standard) else self._keep((_AMQP, properties, flags), bag)

    def _keep(self, key: tuple[Encoding, bytes, int], bag: Bag) -> Bag:
        if len(key[1]) <= MAX_KEPT_BAG:
            if len(self._kept) >= MAX_BAGS:
                self._kept.clear()
            self._kept[key] = bag
        return bag


def _text_bag(encoding: Encoding, properties: bytes, flags: int) -> Bag:
    sent = decode_sent(encoding, properties, flags)
    fields, application = standard_fields(sent.system), application_texts(sent.application)
    annotations = annotation_pairs(sent.annotations)
    return Bag(annotations, len(sent.annotations), fields_section(fields) + application, tuple(fields), application)


def _typed_bag(annotations: bytes, application: bytes, flags: int) -> Bag:
    told, values = own_values(annotations, application)
    values |= {name: application_value(text) for name, text in flag_properties(flags).items()}
    section = application_section(list(values.items())) if values else b""
    return Bag(annotation_pairs(told), len(told), section, (), section)


def _take_ids(properties: bytes) -> tuple[dict[int, bytes], bytes]:
    """The ids in a bag by their fields, and the bag without them."""
    ids: dict[int, bytes] = {}
    if len(properties) > MAX_KEPT_BAG or (b".mid=" not in properties and b".cid=" not in properties):
        return ids, properties
    rest = []
    for piece in properties.split(b"&"):
        name, equals, value = piece.partition(b"=")
        place = _IDS.get(name) if equals else None
        if place is None:
            rest.append(piece)
        else:
            text = value.decode("utf-8", "replace")
            ids[place] = string(unquote(text) if "%" in text else text)
    return ids, b"&".join(rest)


def _with_ids(bag: Bag, ids: dict[int, bytes]) -> Bag | None:
    """`bag` with ids, or None when it has one already, under a name that is written in yet another way."""
    if not ids:
        return bag
    fields = list(bag.fields)
    for place, value in ids.items():
        if fields[place] != NULL:
            return None
        fields[place] = value
    return Bag(bag.annotations, bag.pairs, fields_section(fields) + bag.application)
