"""A peer's messages, opened: what is malformed becomes an error that can be told to the peer."""

from collections.abc import Callable
from typing import ClassVar, NamedTuple, TypeVar

from ironhub.core.errors import HubError
from ironhub.wire.amqp.errors import MalformedValue
from ironhub.wire.amqp.message import BATCH, RawMessage, decode_map_section, split_batch, split_message
from ironhub.wire.amqp.properties import Properties, decode_properties
from ironhub.wire.amqp.values import Value

_Read = TypeVar("_Read")


class MessageMalformed(HubError):
    """A transfer holds no message, or one whose sections cannot be read."""

    code: ClassVar[str] = "message.malformed"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Send messages as AMQP 1.0, part 3, defines them; an unmodified SDK does."


class RequestHead(NamedTuple):
    """What the answer to a request needs of it."""

    message_id: bytes
    """As encoded: clients compare the answer's correlation id with its type too."""
    reply_to: str | None


def read_messages(payload: bytes, message_format: int) -> list[RawMessage]:
    """Return the message of a transfer, or the messages of a batch. Raises MessageMalformed."""
    return _opened(split_batch, payload) if message_format == BATCH else [read_message(payload)]


def read_message(payload: bytes) -> RawMessage:
    """Return the message that `payload` holds. Raises MessageMalformed."""
    return _opened(split_message, payload)


def read_head(message: RawMessage) -> RequestHead:
    """Return what the answer to `message` needs. Raises MessageMalformed."""
    properties = read_properties(message)
    return RequestHead(properties.message_id_raw, properties.reply_to)


def read_properties(message: RawMessage) -> Properties:
    """Return what the message says of itself. Raises MessageMalformed."""
    return _opened(decode_properties, message.properties)


def read_application(message: RawMessage) -> dict[str, Value]:
    """Return the application properties. Raises MessageMalformed."""
    return _named(_opened(decode_map_section, message.application_properties))


def read_annotations(message: RawMessage) -> dict[str, Value]:
    """Return the message annotations. Raises MessageMalformed."""
    return _named(_opened(decode_map_section, message.message_annotations))


def _opened(read: Callable[[bytes], _Read], data: bytes) -> _Read:
    try:
        return read(data)
    except MalformedValue as error:
        raise MessageMalformed(f"not a message that can be read: {error}") from error


def _named(values: dict[Value, Value]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if isinstance(name, str)}
