"""Messages on the links of devices: commands, direct methods, and the twin.

Source: azure-device-api 3.6-3.8. Types are as the C SDK wants them, the strictest of all: a uuid for a method's
correlation id, an int for a twin's status, a long for its version; and every body is a data section, for Node.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from ironhub.core.errors import InvalidArgument
from ironhub.dialects.azure.amqp_reading import read_annotations, read_application, read_properties
from ironhub.dialects.azure.amqp_values import application_texts, milliseconds, standard_section
from ironhub.dialects.azure.payloads import encode_desired
from ironhub.dialects.azure.timestamps import instant
from ironhub.dialects.azure.topics import base_of
from ironhub.messaging.commands.model import Ack, Delivery
from ironhub.twins.model import Properties
from ironhub.wire.amqp.encode import int_, long, string, timestamp, ubyte, ulong, uuid
from ironhub.wire.amqp.message import RawMessage
from ironhub.wire.amqp.properties import properties_section
from ironhub.wire.amqp.sections import (
    annotations_section,
    application_section,
    data_section,
    encode_message,
    header_section,
)
from ironhub.wire.amqp.values import Uuid, Value

METHOD_NAME: Final = "IoThub-methodname"
METHOD_STATUS: Final = "IoThub-status"
_REPORTED: Final = "/properties/reported"
_DESIRED_NOTICES: Final = "/notifications/twin/properties/desired"
_MAX_STATUS: Final = 2**31
_MAX_UBYTE: Final = 255


@dataclass(frozen=True, slots=True)
class TwinGet:
    """Read the own twin."""


@dataclass(frozen=True, slots=True)
class TwinPatch:
    """Merge into the own reported properties."""

    patch: bytes
    """JSON."""


@dataclass(frozen=True, slots=True)
class TwinObserve:
    """Tell of changes of the desired properties from here on."""


@dataclass(frozen=True, slots=True)
class TwinUnobserve:
    """Tell of them no more."""


TwinRequest = TwinGet | TwinPatch | TwinObserve | TwinUnobserve


def encode_command(delivery: Delivery, locked_until: float) -> bytes:
    """Return a command for its device. `locked_until`: seconds since the epoch, until when it can settle it."""
    command = delivery.command
    named = {
        "message-id": command.message_id,
        "correlation-id": command.correlation_id,
        "user-id": command.user_id,
        "to": f"/{base_of(command.identity)}/messages/deviceBound",
        "content-type": command.content_type,
        "content-encoding": command.content_encoding,
        "absolute-expiry-time": instant(command.expires_at),
    }
    annotations = (
        ("iothub-enqueuedtime", timestamp(milliseconds(command.enqueued_at))),
        ("iothub-deliverycount", ubyte(min(command.delivery_count, _MAX_UBYTE))),
        ("x-opt-sequence-number", ulong(command.sequence_number)),
        ("x-opt-lock-token", uuid(UUID(delivery.lock_token).bytes)),
        ("x-opt-locked-until", timestamp(milliseconds(locked_until))),
    )
    ack = {} if command.ack is Ack.NONE else {"iothub-ack": command.ack.value}
    return encode_message(
        header=header_section(delivery_count=command.delivery_count),
        message_annotations=annotations_section(annotations),
        properties=standard_section({name: text for name, text in named.items() if text}),
        application_properties=application_texts({**command.properties, **ack}),
        body=data_section(command.body),
    )


def encode_method_call(correlation: bytes, name: str, payload: bytes) -> bytes:
    """Return a direct method call; `correlation` (16 bytes) comes back with the answer, `payload` is JSON."""
    return encode_message(
        properties=properties_section(correlation_id=uuid(correlation)),
        application_properties=application_section([(METHOD_NAME, string(name))]),
        body=data_section(payload),
    )


def decode_method_answer(message: RawMessage) -> tuple[bytes, int, bytes]:
    """Return the correlation (16 bytes; others answer nothing that was asked), the device's status, and its payload.

    Raises:
        MessageMalformed; InvalidArgument: it has no status.
    """
    status = read_application(message).get(METHOD_STATUS)
    if isinstance(status, bool) or not isinstance(status, int) or not -_MAX_STATUS <= status < _MAX_STATUS:
        raise InvalidArgument(f"{METHOD_STATUS} must be a whole number of 32 bits")
    return _sixteen(read_properties(message).correlation_id), status, message.body


def decode_twin_request(message: RawMessage) -> TwinRequest:
    """Return what a device asks of its twin. Raises MessageMalformed, InvalidArgument."""
    asked = read_annotations(message)
    operation, resource = asked.get("operation"), asked.get("resource") or ""
    words = (str(operation).upper(), str(resource).lower().removesuffix("/"))
    match words:
        case ("GET", ""):
            return TwinGet()
        case ("PATCH", path) if path == _REPORTED:
            return TwinPatch(message.body)
        case ("PUT", path) if path == _DESIRED_NOTICES:
            return TwinObserve()
        case ("DELETE", path) if path == _DESIRED_NOTICES:
            return TwinUnobserve()
    raise InvalidArgument("operation and resource are none of those of a twin")


def encode_twin_reply(correlation: bytes, status: int, version: int | None = None, body: bytes = b"") -> bytes:
    """Return the answer to a twin request; `correlation` is the request's correlation id as encoded."""
    told = [("status", int_(status))]
    if version is not None:
        told.append(("version", long(version)))
    return encode_message(
        message_annotations=annotations_section(told),
        properties=properties_section(correlation_id=correlation),
        body=data_section(body),
    )


def encode_desired_notice(version: int, patch: Properties) -> bytes:
    """Return the notice of a change of desired properties: what has no correlation id is one."""
    return encode_message(body=data_section(encode_desired(version, patch)))


def _sixteen(correlation: Value) -> bytes:
    """SDKs give back a uuid as the uuid it was, as its text, or as its bytes."""
    match correlation:
        case Uuid():
            return correlation.sixteen
        case bytes():
            return correlation
        case str():
            try:
                return UUID(correlation).bytes
            except ValueError:
                return b""
        case _:
            return b""
