"""The performatives of a link's beginning and end: attach and detach (part 2, 2.7.3 and 2.7.7)."""

from typing import Final, final

from ironhub.wire.amqp.bodies import encode_performative, map_field, optional_symbols, optional_uint
from ironhub.wire.amqp.encode import FALSE, NULL, TRUE, string, ubyte, uint, ulong
from ironhub.wire.amqp.errors import Error, MalformedValue
from ironhub.wire.amqp.fields import ABSENT, Fields, text_map
from ironhub.wire.amqp.outcomes import decode_error, encode_error
from ironhub.wire.amqp.termini import Terminus, decode_source, decode_target
from ironhub.wire.amqp.values import Value

ATTACH: Final = 0x12
DETACH: Final = 0x16
MIXED: Final = 2
"""The default of snd-settle-mode (2.8.2): 0 is unsettled, 1 settled."""


@final
class Attach:
    """Attaches a link (2.7.3)."""

    def __init__(
        self,
        name: str,
        handle: int,
        role: bool,
        snd_settle_mode: int = MIXED,
        rcv_settle_mode: int = 0,
        source: Terminus | None = None,
        target: Terminus | None = None,
        *,
        initial_delivery_count: int = ABSENT,
        max_message_size: int = 0,
        offered_capabilities: list[str] | None = None,
        desired_capabilities: list[str] | None = None,
        properties: bytes = NULL,
    ) -> None:
        """`role` is true for who receives; `max_message_size` in bytes, 0 for any; `properties` an encoded map."""
        self.name = name
        self.handle = handle
        self.role = role
        self.snd_settle_mode = snd_settle_mode
        self.rcv_settle_mode = rcv_settle_mode
        self.source = source
        self.target = target
        self.initial_delivery_count = initial_delivery_count
        self.max_message_size = max_message_size
        self.offered_capabilities = offered_capabilities or []
        self.desired_capabilities = desired_capabilities or []
        self.properties = properties

    def properties_map(self) -> dict[str, Value]:
        """The properties, decoded."""
        return text_map(self.properties)

    def encode(self) -> bytes:
        """The frame body; source and target stand in it as they came."""
        fields = (
            string(self.name)
            + uint(self.handle)
            + (TRUE if self.role else FALSE)
            + ubyte(self.snd_settle_mode)
            + ubyte(self.rcv_settle_mode)
            + (NULL if self.source is None else self.source.raw)
            + (NULL if self.target is None else self.target.raw)
            + NULL  # unsettled: nothing is resumed
            + FALSE  # incomplete-unsettled
            + optional_uint(self.initial_delivery_count)
            + (ulong(self.max_message_size) if self.max_message_size else NULL)
            + optional_symbols(self.offered_capabilities)
            + optional_symbols(self.desired_capabilities)
            + self.properties
        )
        return encode_performative(ATTACH, 14, fields)


def decode_attach(fields: Fields) -> Attach:
    """The attach that has these fields."""
    found = Attach(fields.certain_text(), fields.certain_uint(), fields.certain_boolean())
    found.snd_settle_mode = _mode(fields.ubyte(MIXED), MIXED)
    found.rcv_settle_mode = _mode(fields.ubyte(0), 1)
    found.source = decode_source(fields.raw())
    found.target = decode_target(fields.raw())
    fields.raw()  # unsettled: what it holds is not resumed
    fields.boolean()  # incomplete-unsettled
    found.initial_delivery_count = fields.uint()
    found.max_message_size = fields.ulong(0)
    found.offered_capabilities = fields.texts()
    found.desired_capabilities = fields.texts()
    found.properties = map_field(fields)
    if not found.role and found.initial_delivery_count < 0:
        raise MalformedValue("a sender attaches without an initial delivery count")  # 2.7.3
    return found


@final
class Detach:
    """Detaches a link; with `closed` for good (2.7.7)."""

    def __init__(self, handle: int, closed: bool = False, error: Error | None = None) -> None:
        self.handle = handle
        self.closed = closed
        self.error = error

    def encode(self) -> bytes:
        """The frame body."""
        fields = uint(self.handle) + (TRUE if self.closed else FALSE) + encode_error(self.error)
        return encode_performative(DETACH, 3, fields)


def decode_detach(fields: Fields) -> Detach:
    """The detach that has these fields."""
    return Detach(fields.certain_uint(), fields.boolean(), decode_error(fields.raw()))


def _mode(mode: int, largest: int) -> int:
    if mode > largest:
        raise MalformedValue("a settle mode is unknown")  # 2.8.2, 2.8.3
    return mode
