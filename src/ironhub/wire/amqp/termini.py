"""Source and target: the ends of a link (part 3, 3.5.3 and 3.5.4; part 4, 4.5.1)."""

from typing import Final, final

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.errors import MalformedValue
from ironhub.wire.amqp.fields import Fields, descriptor_at, text_map
from ironhub.wire.amqp.values import Value

_SOURCE: Final = 0x28
_TARGET: Final = 0x29
_COORDINATOR: Final = 0x30
_NAMES: Final = {
    "amqp:source:list": _SOURCE,
    "amqp:target:list": _TARGET,
    "amqp:coordinator:list": _COORDINATOR,
}


@final
class Terminus:
    """One end of a link, with what is needed to find it and all of it to send it back."""

    __slots__ = ("address", "dynamic", "filters", "raw")

    def __init__(
        self,
        raw: bytes,
        address: str | None = None,
        dynamic: bool = False,
        filters: dict[str, Value] | None = None,
    ) -> None:
        """`raw` is the whole described list; `filters` are a source's, by name."""
        self.raw = raw
        self.address = address
        self.dynamic = dynamic
        self.filters = filters or {}

    def __repr__(self) -> str:
        return f"Terminus(address={self.address!r}, dynamic={self.dynamic}, filters={self.filters!r})"


def source(address: str | None) -> Terminus:
    """A source with nothing but an address."""
    return _simple(_SOURCE, address)


def target(address: str | None) -> Terminus:
    """A target with nothing but an address."""
    return _simple(_TARGET, address)


def decode_source(raw: bytes) -> Terminus | None:
    """The source that `raw` is the encoding of; None for null."""
    if raw == encode.NULL:
        return None
    code, name, at = descriptor_at(raw, 0, len(raw))
    if _NAMES.get(name, code) != _SOURCE:
        raise MalformedValue("a source is something else")
    fields = Fields(raw, at, len(raw))
    found = _common(raw, fields)
    fields.raw()  # distribution-mode
    found.filters = text_map(fields.raw())
    for _ in range(3):  # default-outcome, outcomes, capabilities
        fields.raw()
    fields.finish()
    return found


def decode_target(raw: bytes) -> Terminus | None:
    """The target that `raw` is the encoding of, a transaction coordinator one without address; None for null."""
    if raw == encode.NULL:
        return None
    code, name, at = descriptor_at(raw, 0, len(raw))
    code = _NAMES.get(name, code)
    fields = Fields(raw, at, len(raw))
    if code == _COORDINATOR:
        return Terminus(raw)
    if code != _TARGET:
        raise MalformedValue("a target is something else")
    found = _common(raw, fields)
    fields.raw()  # capabilities
    fields.finish()
    return found


def _common(raw: bytes, fields: Fields) -> Terminus:
    """The six fields that source and target begin with."""
    address = fields.text()
    fields.uint()  # durable
    fields.text()  # expiry-policy
    fields.uint()  # timeout
    dynamic = fields.boolean()
    fields.raw()  # dynamic-node-properties
    return Terminus(raw, address, dynamic)


def _simple(code: int, address: str | None) -> Terminus:
    return Terminus(
        encode.described(code, encode.list_([encode.NULL if address is None else encode.string(address)])), address
    )
