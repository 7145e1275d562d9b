"""Questions about the stream."""

import pytest
from tests.fakes.amqp_readers import by_own_codec

from ironhub.dialects.azure.amqp_management import (
    ManagementInvalid,
    ManagementRequest,
    decode_management_request,
    encode_partition_reply,
    encode_stream_reply,
)
from ironhub.dialects.azure.amqp_reading import read_message
from ironhub.messaging.telemetry.model import PartitionEnds
from ironhub.wire.amqp import encode as e
from ironhub.wire.amqp.message import RawMessage
from ironhub.wire.amqp.sections import application_section, encode_message, value_section
from ironhub.wire.amqp.values import Timestamp

STREAM, PARTITION = "com.microsoft:eventhub", "com.microsoft:partition"


def asked(*, body: bytes = b"", **named: str | int) -> RawMessage:
    pairs = [(name, e.string(value) if isinstance(value, str) else e.int_(value)) for name, value in named.items()]
    return read_message(encode_message(application_properties=application_section(pairs), body=body))


@pytest.mark.parametrize("body", [b"", value_section(e.null()), value_section(e.binary(b"[]"))])
def test_both_questions_are_understood(body: bytes) -> None:
    stream = asked(operation="READ", type=STREAM, name="events", security_token="t", body=body)
    assert decode_management_request(stream) == ManagementRequest("events", None, "t")
    partition = asked(operation="READ", type=PARTITION, name="events", partition="3", body=body)
    assert decode_management_request(partition) == ManagementRequest("events", "3", "")


def test_a_missing_partition_is_one_that_there_is_not() -> None:
    assert decode_management_request(asked(operation="READ", type=PARTITION, partition=3)).partition == ""


@pytest.mark.parametrize(
    ("operation", "kind"),
    [("", ""), ("READ", ""), ("DELETE", STREAM), ("READ", "other")],
)
def test_there_are_no_other_questions(operation: str, kind: str) -> None:
    with pytest.raises(ManagementInvalid):
        decode_management_request(asked(operation=operation, type=kind))


def test_the_stream_is_told_with_its_partitions() -> None:
    payload = encode_stream_reply(e.ulong(1), "events", 2, 1_700_000_000.0)
    assert read_message(payload).value() == {
        "name": "events",
        "type": STREAM,
        "created_at": Timestamp(1_700_000_000_000),
        "partition_count": 2,
        "partition_ids": ["0", "1"],
        "georeplication_factor": 1,
    }
    assert by_own_codec(payload).application == {"status-code": 200, "status-description": "OK"}
    assert by_own_codec(payload).properties == {"correlation-id": 1}


@pytest.mark.parametrize(
    ("ends", "last", "at", "empty"),
    [
        (PartitionEnds(3, 12, 1_700_000_000.5), 11, 1_700_000_000_500, False),
        (PartitionEnds(12, 12, 1_700_000_000.5), 11, 1_700_000_000_500, True),
        (PartitionEnds(0, 0, None), -1, 0, True),
    ],
)
def test_a_partition_is_told_with_its_ends(ends: PartitionEnds, last: int, at: int, *, empty: bool) -> None:
    payload = encode_partition_reply(e.uuid(bytes(16)), "events", 1, ends)
    assert read_message(payload).value() == {
        "name": "events",
        "type": PARTITION,
        "partition": "1",
        "begin_sequence_number": ends.first,
        "last_enqueued_sequence_number": last,
        "last_enqueued_offset": str(last),
        "last_enqueued_time_utc": Timestamp(at),
        "is_partition_empty": empty,
    }
