"""`$management` of the Event Hubs-compatible endpoint: what clients ask about the stream and its partitions.

Source: azure-service-api 6.5.
"""

from typing import ClassVar, NamedTuple

from ironhub.core.errors import HubError
from ironhub.dialects.azure.amqp_cbs import OK, encode_reply
from ironhub.dialects.azure.amqp_reading import read_application
from ironhub.dialects.azure.amqp_values import milliseconds
from ironhub.messaging.telemetry.model import PartitionEnds
from ironhub.wire.amqp.encode import boolean, int_, list_, long, map_, string, timestamp
from ironhub.wire.amqp.message import RawMessage
from ironhub.wire.amqp.sections import value_section
from ironhub.wire.amqp.values import Value

_STREAM_TYPE = "com.microsoft:eventhub"
_PARTITION_TYPE = "com.microsoft:partition"
_EPOCH = 0.0
"""When the last event of a partition that never had one was enqueued, to clients that must be told an instant."""


class ManagementInvalid(HubError):
    """What was asked of `$management` is none of the two questions there are."""

    code: ClassVar[str] = "management.invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = f"Send operation READ with type {_STREAM_TYPE} or {_PARTITION_TYPE}."


class ManagementRequest(NamedTuple):
    """A question about the stream, or about one of its partitions."""

    name: str
    """The entity that is asked about, as sent."""
    partition: str | None
    """None: the question is about the stream."""
    security_token: str
    """The token that some clients send again; "": none."""


def decode_management_request(message: RawMessage) -> ManagementRequest:
    """Return what a client asks. Raises MessageMalformed, ManagementInvalid."""
    named = read_application(message)
    operation, kind = _text(named, "operation"), _text(named, "type").lower()
    if operation.upper() != "READ" or kind not in (_STREAM_TYPE, _PARTITION_TYPE):
        raise ManagementInvalid("neither a question about the stream nor about a partition")
    partition = _text(named, "partition") if kind == _PARTITION_TYPE else None
    return ManagementRequest(_text(named, "name"), partition, _text(named, "security_token"))


def encode_stream_reply(message_id_raw: bytes, name: str, partitions: int, created_at: float) -> bytes:
    """Return the answer about the stream. `created_at` in seconds since the epoch."""
    ids = [string(str(partition)) for partition in range(partitions)]
    return _reply(
        message_id_raw,
        {
            "name": string(name),
            "type": string(_STREAM_TYPE),
            "created_at": timestamp(milliseconds(created_at)),
            "partition_count": int_(partitions),
            "partition_ids": list_(ids),
            "georeplication_factor": int_(1),
        },
    )


def encode_partition_reply(message_id_raw: bytes, name: str, partition: int, ends: PartitionEnds) -> bytes:
    """Return the answer about one partition."""
    last = ends.next - 1
    at = _EPOCH if ends.last_enqueued_at is None else ends.last_enqueued_at
    return _reply(
        message_id_raw,
        {
            "name": string(name),
            "type": string(_PARTITION_TYPE),
            "partition": string(str(partition)),
            "begin_sequence_number": long(ends.first),
            "last_enqueued_sequence_number": long(last),
            "last_enqueued_offset": string(str(last)),
            "last_enqueued_time_utc": timestamp(milliseconds(at)),
            "is_partition_empty": boolean(ends.first == ends.next),
        },
    )


def _reply(message_id_raw: bytes, told: dict[str, bytes]) -> bytes:
    body = value_section(map_([(string(name), value) for name, value in told.items()]))
    return encode_reply(message_id_raw, OK, "OK", body=body)


def _text(named: dict[str, Value], name: str) -> str:
    value = named.get(name)
    return value if isinstance(value, str) else ""
