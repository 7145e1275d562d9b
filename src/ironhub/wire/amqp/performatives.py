"""The performatives (part 2, 2.7): what frames of connections, sessions and links say.

Each is written with all its fields, the absent ones as null: some clients read them by position without looking how
many there are. The three of the hot path are in `transfers`.
"""

from typing import Final, TypeAlias, final

from ironhub.wire.amqp.conditions import NOT_IMPLEMENTED
from ironhub.wire.amqp.encode import FALSE, NULL, TRUE, string, symbols, ubyte, uint, ulong, ushort
from ironhub.wire.amqp.errors import Error, MalformedValue, ProtocolViolation
from ironhub.wire.amqp.fields import ABSENT, Fields, descriptor_at, text_map
from ironhub.wire.amqp.outcomes import decode_error, encode_error
from ironhub.wire.amqp.termini import Terminus, decode_source, decode_target
from ironhub.wire.amqp.transfers import (
    DISPOSITION,
    FLOW,
    TRANSFER,
    Disposition,
    Flow,
    Transfer,
    check_end,
    decode_disposition,
    decode_flow,
    decode_transfer,
    encode_performative,
)
from ironhub.wire.amqp.values import Value

__all__ = [
    "ABSENT",
    "Attach",
    "Begin",
    "Close",
    "Detach",
    "Disposition",
    "End",
    "Flow",
    "Open",
    "Performative",
    "Transfer",
    "decode_performative",
]

OPEN: Final = 0x10
BEGIN: Final = 0x11
ATTACH: Final = 0x12
DETACH: Final = 0x16
END: Final = 0x17
CLOSE: Final = 0x18
MAX_UINT: Final = 0xFFFF_FFFF
MIXED: Final = 2
"""The default of snd-settle-mode (2.8.2): 0 is unsettled, 1 settled."""

_NAMES: Final = {
    "amqp:open:list": OPEN,
    "amqp:begin:list": BEGIN,
    "amqp:attach:list": ATTACH,
    "amqp:flow:list": FLOW,
    "amqp:transfer:list": TRANSFER,
    "amqp:disposition:list": DISPOSITION,
    "amqp:detach:list": DETACH,
    "amqp:end:list": END,
    "amqp:close:list": CLOSE,
}


@final
class Open:
    """Opens a connection (2.7.1)."""

    def __init__(
        self,
        container_id: str,
        hostname: str | None = None,
        max_frame_size: int = MAX_UINT,
        channel_max: int = 65_535,
        idle_time_out: int = 0,
        *,
        offered_capabilities: list[str] | None = None,
        desired_capabilities: list[str] | None = None,
        properties: bytes = NULL,
    ) -> None:
        """`idle_time_out` is in milliseconds, 0 for none; `properties` an encoded map."""
        self.container_id = container_id
        self.hostname = hostname
        self.max_frame_size = max_frame_size
        self.channel_max = channel_max
        self.idle_time_out = idle_time_out
        self.offered_capabilities = offered_capabilities or []
        self.desired_capabilities = desired_capabilities or []
        self.properties = properties

    def properties_map(self) -> dict[str, Value]:
        """The properties, decoded."""
        return text_map(self.properties)

    def encode(self) -> bytes:
        """The frame body."""
        fields = (
            string(self.container_id)
            + _text(self.hostname)
            + uint(self.max_frame_size)
            + ushort(self.channel_max)
            + (uint(self.idle_time_out) if self.idle_time_out else NULL)
            + NULL  # outgoing-locales: en-US is always one (2.7.1)
            + NULL  # incoming-locales
            + _symbols(self.offered_capabilities)
            + _symbols(self.desired_capabilities)
            + self.properties
        )
        return encode_performative(OPEN, 10, fields)


@final
class Begin:
    """Begins a session (2.7.2)."""

    def __init__(
        self,
        remote_channel: int,
        next_outgoing_id: int,
        incoming_window: int,
        outgoing_window: int,
        handle_max: int = MAX_UINT,
        *,
        properties: bytes = NULL,
    ) -> None:
        """`remote_channel` is ABSENT where the session begins here; `properties` is an encoded map."""
        self.remote_channel = remote_channel
        self.next_outgoing_id = next_outgoing_id
        self.incoming_window = incoming_window
        self.outgoing_window = outgoing_window
        self.handle_max = handle_max
        self.properties = properties

    def encode(self) -> bytes:
        """The frame body."""
        fields = (
            (NULL if self.remote_channel < 0 else ushort(self.remote_channel))
            + uint(self.next_outgoing_id)
            + uint(self.incoming_window)
            + uint(self.outgoing_window)
            + uint(self.handle_max)
            + NULL  # offered-capabilities
            + NULL  # desired-capabilities
            + self.properties
        )
        return encode_performative(BEGIN, 8, fields)


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
            + (NULL if self.initial_delivery_count < 0 else uint(self.initial_delivery_count))
            + (ulong(self.max_message_size) if self.max_message_size else NULL)
            + _symbols(self.offered_capabilities)
            + _symbols(self.desired_capabilities)
            + self.properties
        )
        return encode_performative(ATTACH, 14, fields)


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


@final
class End:
    """Ends a session (2.7.8)."""

    def __init__(self, error: Error | None = None) -> None:
        self.error = error

    def encode(self) -> bytes:
        """The frame body."""
        return encode_performative(END, 1, encode_error(self.error))


@final
class Close:
    """Closes a connection (2.7.9)."""

    def __init__(self, error: Error | None = None) -> None:
        self.error = error

    def encode(self) -> bytes:
        """The frame body."""
        return encode_performative(CLOSE, 1, encode_error(self.error))


Performative: TypeAlias = Open | Begin | Attach | Flow | Transfer | Disposition | Detach | End | Close


def decode_performative(body: bytes) -> Performative:
    """The performative that an AMQP frame's body, not an empty one, carries.

    Raises:
        ProtocolViolation: it is none, or not as the standard has it; most often as MalformedValue.
    """
    if len(body) > 3 and body[0] == 0 and body[1] == 0x53:
        code = body[2]
        at = 3
    else:
        code, name, at = descriptor_at(body, 0, len(body))
        code = _NAMES.get(name, code)
    if code == TRANSFER:
        return decode_transfer(body, at)
    if code == DISPOSITION:
        return decode_disposition(body, at)
    if code == FLOW:
        return decode_flow(body, at)
    return _decode_rare(code, body, at)


def _decode_rare(code: int, body: bytes, at: int) -> Performative:
    fields = Fields(body, at, len(body))
    found: Performative
    if code == ATTACH:
        found = _attach(fields)
    elif code == DETACH:
        found = Detach(fields.certain_uint(), fields.boolean(), decode_error(fields.raw()))
    elif code == BEGIN:
        found = _begin(fields)
    elif code == END:
        found = End(decode_error(fields.raw()))
    elif code == OPEN:
        found = _open(fields)
    elif code == CLOSE:
        found = Close(decode_error(fields.raw()))
    else:
        raise ProtocolViolation(NOT_IMPLEMENTED, "a frame carries no performative that there is")
    check_end(body, fields)
    return found


def _open(fields: Fields) -> Open:
    found = Open(fields.certain_text(), fields.text(), fields.uint(MAX_UINT), fields.ushort(65_535), fields.uint(0))
    fields.raw()  # outgoing-locales
    fields.raw()  # incoming-locales
    found.offered_capabilities = fields.texts()
    found.desired_capabilities = fields.texts()
    found.properties = _map(fields)
    return found


def _begin(fields: Fields) -> Begin:
    found = Begin(
        fields.ushort(),
        fields.certain_uint(),
        fields.certain_uint(),
        fields.certain_uint(),
        fields.uint(MAX_UINT),
    )
    fields.raw()  # offered-capabilities
    fields.raw()  # desired-capabilities
    found.properties = _map(fields)
    return found


def _attach(fields: Fields) -> Attach:
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
    found.properties = _map(fields)
    if not found.role and found.initial_delivery_count < 0:
        raise MalformedValue("a sender attaches without an initial delivery count")  # 2.7.3
    return found


def _map(fields: Fields) -> bytes:
    raw = fields.raw()
    text_map(raw)
    return raw


def _mode(mode: int, largest: int) -> int:
    if mode > largest:
        raise MalformedValue("a settle mode is unknown")  # 2.8.2, 2.8.3
    return mode


def _text(text: str | None) -> bytes:
    return NULL if text is None else string(text)


def _symbols(names: list[str]) -> bytes:
    return symbols(names) if names else NULL
