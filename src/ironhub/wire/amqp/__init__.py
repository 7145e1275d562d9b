"""AMQP 1.0 without IO: values, frames and messages to and from bytes, and a connection as the server sees it.

Compiled by mypyc where a compiler was at hand at install, ordinary Python where not; the behaviour is the same.
"""

from typing import Final

from ironhub.wire.amqp import connection as _connection
from ironhub.wire.amqp.conditions import (
    CONNECTION_FORCED,
    CONNECTION_REDIRECT,
    DECODE_ERROR,
    DETACH_FORCED,
    ERRANT_LINK,
    FRAME_SIZE_TOO_SMALL,
    FRAMING_ERROR,
    HANDLE_IN_USE,
    ILLEGAL_STATE,
    INTERNAL_ERROR,
    INVALID_FIELD,
    LINK_REDIRECT,
    LINK_STOLEN,
    MESSAGE_SIZE_EXCEEDED,
    NOT_ALLOWED,
    NOT_FOUND,
    NOT_IMPLEMENTED,
    PRECONDITION_FAILED,
    RESOURCE_DELETED,
    RESOURCE_LIMIT_EXCEEDED,
    RESOURCE_LOCKED,
    TRANSFER_LIMIT_EXCEEDED,
    UNATTACHED_HANDLE,
    UNAUTHORIZED_ACCESS,
    WINDOW_VIOLATION,
)
from ironhub.wire.amqp.connection import ServerConnection
from ironhub.wire.amqp.errors import Error, MalformedValue, ProtocolViolation
from ironhub.wire.amqp.events import (
    Attached,
    Closed,
    Credited,
    Delivered,
    Detached,
    Event,
    Opened,
    Outcome,
    SaslInit,
    Settled,
)
from ironhub.wire.amqp.incoming import Delivery, IncomingLink
from ironhub.wire.amqp.limits import Limits
from ironhub.wire.amqp.link import RCV_FIRST, RCV_SECOND, SND_MIXED, SND_SETTLED, SND_UNSETTLED, Link
from ironhub.wire.amqp.message import (
    BATCH,
    BODY_DATA,
    BODY_NONE,
    BODY_SEQUENCE,
    BODY_VALUE,
    MESSAGE,
    RawMessage,
    decode_map_section,
    split_batch,
    split_message,
)
from ironhub.wire.amqp.outgoing import OutgoingLink
from ironhub.wire.amqp.properties import Properties, decode_properties, properties_section
from ironhub.wire.amqp.sasl import decode_plain
from ironhub.wire.amqp.sections import (
    annotations_section,
    application_section,
    data_section,
    delivery_annotations_section,
    encode_message,
    header_section,
    value_section,
)
from ironhub.wire.amqp.values import Described, Timestamp, Uuid, Value
from ironhub.wire.amqp.violations import UsageError

COMPILED: Final[bool] = not str(_connection.__file__).endswith(".py")
"""Whether the compiled form runs."""

__all__ = [
    "BATCH",
    "BODY_DATA",
    "BODY_NONE",
    "BODY_SEQUENCE",
    "BODY_VALUE",
    "COMPILED",
    "CONNECTION_FORCED",
    "CONNECTION_REDIRECT",
    "DECODE_ERROR",
    "DETACH_FORCED",
    "ERRANT_LINK",
    "FRAME_SIZE_TOO_SMALL",
    "FRAMING_ERROR",
    "HANDLE_IN_USE",
    "ILLEGAL_STATE",
    "INTERNAL_ERROR",
    "INVALID_FIELD",
    "LINK_REDIRECT",
    "LINK_STOLEN",
    "MESSAGE",
    "MESSAGE_SIZE_EXCEEDED",
    "NOT_ALLOWED",
    "NOT_FOUND",
    "NOT_IMPLEMENTED",
    "PRECONDITION_FAILED",
    "RCV_FIRST",
    "RCV_SECOND",
    "RESOURCE_DELETED",
    "RESOURCE_LIMIT_EXCEEDED",
    "RESOURCE_LOCKED",
    "SND_MIXED",
    "SND_SETTLED",
    "SND_UNSETTLED",
    "TRANSFER_LIMIT_EXCEEDED",
    "UNATTACHED_HANDLE",
    "UNAUTHORIZED_ACCESS",
    "WINDOW_VIOLATION",
    "Attached",
    "Closed",
    "Credited",
    "Delivered",
    "Delivery",
    "Described",
    "Detached",
    "Error",
    "Event",
    "IncomingLink",
    "Limits",
    "Link",
    "MalformedValue",
    "Opened",
    "Outcome",
    "OutgoingLink",
    "Properties",
    "ProtocolViolation",
    "RawMessage",
    "SaslInit",
    "ServerConnection",
    "Settled",
    "Timestamp",
    "UsageError",
    "Uuid",
    "Value",
    "annotations_section",
    "application_section",
    "data_section",
    "decode_map_section",
    "decode_plain",
    "decode_properties",
    "delivery_annotations_section",
    "encode_message",
    "header_section",
    "properties_section",
    "split_batch",
    "split_message",
    "value_section",
]
