"""Messages as three decoders understand them: our own, Qpid Proton's, and the one inside azure-eventhub."""

import uuid
from typing import Any, NamedTuple

import proton
from azure.eventhub import EventData
from azure.eventhub._pyamqp._decode import decode_payload

from ironhub.dialects.azure.amqp_values import FIELDS
from ironhub.wire.amqp.decode import decode
from ironhub.wire.amqp.message import decode_map_section, split_message
from ironhub.wire.amqp.values import Timestamp, Uuid, Value


class Seen(NamedTuple):
    """What a reader sees: names and Python values."""

    properties: dict[str, Any]
    annotations: dict[str, Any]
    application: dict[str, Any]
    body: bytes


def by_own_codec(payload: bytes) -> Seen:
    """Types are told apart: text, bytes, Uuid, Timestamp."""
    message = split_message(payload)
    fields = decode(message.properties, 3)[0] if message.properties else []
    assert isinstance(fields, list)
    return Seen(
        {name: value for name, value in zip(FIELDS, fields, strict=False) if value is not None},
        _texts(decode_map_section(message.message_annotations)),
        _texts(decode_map_section(message.application_properties)),
        message.body,
    )


def by_proton(payload: bytes) -> Seen:
    """As our own codec tells types apart, from Proton's classes for them."""
    message: Any = proton.Message()
    message.decode(payload)
    seconds = {"absolute-expiry-time": message.expiry_time, "creation-time": message.creation_time}
    fields = {
        "message-id": message.id,
        "user-id": message.user_id or None,
        "to": message.address,
        "subject": message.subject,
        "reply-to": message.reply_to,
        "correlation-id": message.correlation_id,
        "content-type": _symbol(message.content_type),
        "content-encoding": _symbol(message.content_encoding),
        **{name: Timestamp(round(value * 1000)) if value else None for name, value in seconds.items()},
        "group-id": message.group_id,
        "group-sequence": message.group_sequence or None,
        "reply-to-group-id": message.reply_to_group_id,
    }
    return Seen(
        {name: _plain(value) for name, value in fields.items() if value is not None},
        {str(name): _plain(value) for name, value in (message.annotations or {}).items()},
        {name: _plain(value) for name, value in (message.properties or {}).items()},
        bytes(message.body),
    )


def by_eventhub(payload: bytes) -> EventData:
    """What azure-eventhub hands to the application."""
    return EventData._from_message(decode_payload(memoryview(payload)))


def _symbol(text: Any) -> Any:
    """Proton shows a symbol that is not there as this text."""
    return None if text == "None" else text


def _texts(values: dict[Value, Value]) -> dict[str, Any]:
    assert all(isinstance(name, str) for name in values)
    return {str(name): value for name, value in values.items()}


def _plain(value: Any) -> Any:
    match value:
        case uuid.UUID():
            return Uuid(value.bytes)
        case proton.timestamp():
            return Timestamp(int(value))
        case memoryview():
            return bytes(value)
        case bool() | None:
            return value
        case int():
            return int(value)
        case float():
            return float(value)
        case str():
            return str(value)
        case _:
            return value
