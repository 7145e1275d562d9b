"""The property bag that Azure carries in MQTT topics: `name=value` pairs, percent-encoded, joined by "&".

Source: azure "Communicate with an IoT hub using the MQTT protocol". A name without "=" has the value None, `name=` the
empty string; "+" is a plus sign. Names that begin with "$." are system properties, written `$.` or `%24.`.
"""

from collections.abc import Iterable
from typing import ClassVar, Final, NamedTuple
from urllib.parse import quote, unquote

from ironhub.core.errors import HubError

MAX_BAG: Final = 65_535
"""Bytes; a bag is part of an MQTT topic."""
MAX_PROPERTIES: Final = 1024

Pair = tuple[str, str | None]


class PropertiesInvalid(HubError):
    """A property bag is longer, or holds more properties, than a message may have."""

    code: ClassVar[str] = "properties.invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = f"Send at most {MAX_PROPERTIES} properties, or put the data into the body."


class Bag(NamedTuple):
    """A decoded bag, taken apart."""

    system: dict[str, str | None]
    """By wire name, e.g. "$.mid"."""
    application: dict[str, str | None]


def check_bag(bag: str) -> None:
    """Raise PropertiesInvalid if `bag` (encoded) is over the bounds; cheap, for every message on its way in."""
    if len(bag) > MAX_BAG or bag.count("&") >= MAX_PROPERTIES:
        raise PropertiesInvalid("the property bag is too large")


def decode_bag(bag: bytes | str) -> list[Pair]:
    """Return the pairs of an encoded bag in order, duplicates and all.

    A malformed "%" stays as it is and bytes that are no UTF-8 become U+FFFD: what was stored must stay readable.

    Raises:
        PropertiesInvalid: too long, or too many.
    """
    text = bag.decode("utf-8", "replace") if isinstance(bag, bytes) else bag
    check_bag(text)
    if not text:
        return []
    unescape = unquote if "%" in text else str
    pairs: list[Pair] = []
    for piece in text.split("&"):
        name, equals, value = piece.partition("=")
        if name or equals:
            pairs.append((unescape(name), unescape(value) if equals else None))
    return pairs


def encode_bag(pairs: Iterable[Pair]) -> str:
    """Return the bag with everything but letters, digits and `-._~` percent-encoded, `$` included.

    SDKs cut a bag at a raw "/" and a value at a raw "=", and MQTT forbids "#" and "+" in a topic that is published.
    """
    return "&".join(
        quote(name, safe="") if value is None else f"{quote(name, safe='')}={quote(value, safe='')}"
        for name, value in pairs
    )


def split_bag(pairs: Iterable[Pair]) -> Bag:
    """Tell system properties from the application's; the last of a name counts."""
    bag = Bag({}, {})
    for name, value in pairs:
        (bag.system if name.startswith("$.") else bag.application)[name] = value
    return bag
