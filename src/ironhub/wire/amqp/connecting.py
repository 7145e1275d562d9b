"""The performatives of connections and sessions: open, begin, end and close (part 2, 2.7.1, 2.7.2, 2.7.8, 2.7.9)."""

from typing import Final, final

from ironhub.wire.amqp.bodies import encode_performative, map_field, optional_symbols, optional_text
from ironhub.wire.amqp.encode import NULL, string, uint, ushort
from ironhub.wire.amqp.errors import Error
from ironhub.wire.amqp.fields import Fields, text_map
from ironhub.wire.amqp.outcomes import encode_error
from ironhub.wire.amqp.values import Value

OPEN: Final = 0x10
BEGIN: Final = 0x11
END: Final = 0x17
CLOSE: Final = 0x18
MAX_UINT: Final = 0xFFFF_FFFF


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
            + optional_text(self.hostname)
            + uint(self.max_frame_size)
            + ushort(self.channel_max)
            + (uint(self.idle_time_out) if self.idle_time_out else NULL)
            + NULL  # outgoing-locales: en-US is always one (2.7.1)
            + NULL  # incoming-locales
            + optional_symbols(self.offered_capabilities)
            + optional_symbols(self.desired_capabilities)
            + self.properties
        )
        return encode_performative(OPEN, 10, fields)


def decode_open(fields: Fields) -> Open:
    """The open that has these fields."""
    found = Open(fields.certain_text(), fields.text(), fields.uint(MAX_UINT), fields.ushort(65_535), fields.uint(0))
    fields.raw()  # outgoing-locales
    fields.raw()  # incoming-locales
    found.offered_capabilities = fields.texts()
    found.desired_capabilities = fields.texts()
    found.properties = map_field(fields)
    return found


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


def decode_begin(fields: Fields) -> Begin:
    """The begin that has these fields."""
    found = Begin(
        fields.ushort(),
        fields.certain_uint(),
        fields.certain_uint(),
        fields.certain_uint(),
        fields.uint(MAX_UINT),
    )
    fields.raw()  # offered-capabilities
    fields.raw()  # desired-capabilities
    found.properties = map_field(fields)
    return found


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
