"""Commands, methods and twins on the links of devices."""

from uuid import UUID

import pytest
from tests.fakes.amqp_readers import Seen, by_own_codec, by_proton

from ironhub.core.errors import HubError, InvalidArgument
from ironhub.core.ids import identity
from ironhub.dialects.azure.amqp_device_messages import (
    TwinGet,
    TwinObserve,
    TwinPatch,
    TwinRequest,
    TwinUnobserve,
    decode_method_answer,
    decode_twin_request,
    encode_command,
    encode_desired_notice,
    encode_method_call,
    encode_twin_reply,
)
from ironhub.dialects.azure.amqp_reading import MessageMalformed, read_message
from ironhub.messaging.commands.model import Ack, Command, Delivery
from ironhub.wire.amqp import encode as e
from ironhub.wire.amqp.decode import decode
from ironhub.wire.amqp.message import BODY_DATA, RawMessage
from ironhub.wire.amqp.properties import properties_section
from ironhub.wire.amqp.sections import annotations_section, application_section, data_section, encode_message
from ironhub.wire.amqp.values import Timestamp, Uuid

NOON = 1_769_860_800.25
NOON_MS = 1_769_860_800_250
LOCK = UUID("00010203-0405-0607-0809-0a0b0c0d0e0f")
COMMAND = Command(
    identity=identity("press-7"),
    sequence_number=9,
    message_id="m",
    body=b"\x00go",
    enqueued_at=NOON,
    expires_at=NOON + 60,
    ack=Ack.FULL,
    correlation_id="c",
    user_id="u",
    content_type="text/plain",
    content_encoding="utf-8",
    properties={"a": "1", "iothub-ack": "none"},
    delivery_count=2,
)


def test_a_command_carries_its_lock_and_where_it_stands() -> None:
    payload = encode_command(Delivery(command=COMMAND, lock_token=str(LOCK)), NOON + 30)
    expected = Seen(
        properties={
            "message-id": "m",
            "user-id": b"u",
            "to": "/devices/press-7/messages/deviceBound",
            "correlation-id": "c",
            "content-type": "text/plain",
            "content-encoding": "utf-8",
            "absolute-expiry-time": Timestamp(NOON_MS + 60_000),
        },
        annotations={
            "iothub-enqueuedtime": Timestamp(NOON_MS),
            "iothub-deliverycount": 2,
            "x-opt-sequence-number": 9,
            "x-opt-lock-token": Uuid(LOCK.bytes),
            "x-opt-locked-until": Timestamp(NOON_MS + 30_000),
        },
        application={"iothub-ack": "full", "a": "1"},
        body=b"\x00go",
    )
    assert by_own_codec(payload) == by_proton(payload) == expected
    message = read_message(payload)
    assert message.body_kind == BODY_DATA
    fields = decode(message.header, 3)[0]
    assert isinstance(fields, list)
    assert fields[4] == 2


def test_a_plain_command_says_little() -> None:
    command = Command(
        identity=identity("press-7", "arm"),
        sequence_number=1,
        message_id="m",
        body=b"",
        enqueued_at=0,
        expires_at=1,
        content_type="t\u00e9xt",
        delivery_count=300,
    )
    seen = by_proton(encode_command(Delivery(command=command, lock_token=str(LOCK)), 1))
    assert seen.properties == {
        "message-id": "m",
        "to": "/devices/press-7/modules/arm/messages/deviceBound",
        "content-type": "t?xt",
        "absolute-expiry-time": Timestamp(1000),
    }
    assert (seen.application, seen.body, seen.annotations["iothub-deliverycount"]) == ({}, b"", 255)


def test_a_call_has_a_uuid_that_its_answer_gives_back() -> None:
    payload = encode_method_call(LOCK.bytes, "stop", b"null")
    assert by_own_codec(payload) == Seen(
        {"correlation-id": Uuid(LOCK.bytes)}, {}, {"IoThub-methodname": "stop"}, b"null"
    )
    assert read_message(payload).body_kind == BODY_DATA


def answer(correlation: bytes, status: bytes) -> RawMessage:
    return read_message(
        encode_message(
            properties=properties_section(correlation_id=correlation),
            application_properties=application_section([("IoThub-status", status)]),
            body=data_section(b"{}"),
        )
    )


@pytest.mark.parametrize(
    ("sent", "correlation"),
    [
        (e.uuid(LOCK.bytes), LOCK.bytes),
        (e.string(str(LOCK)), LOCK.bytes),
        (e.binary(LOCK.bytes), LOCK.bytes),
        (e.string("no uuid"), b""),
        (e.ulong(7), b""),
        (b"", b""),
    ],
)
def test_an_answer_says_what_it_answers(sent: bytes, correlation: bytes) -> None:
    assert decode_method_answer(answer(sent, e.int_(200))) == (correlation, 200, b"{}")


@pytest.mark.parametrize("status", [e.long(-(2**31)), e.uint(2**31 - 1), e.ubyte(0)])
def test_any_whole_number_of_32_bits_is_a_status(status: bytes) -> None:
    assert decode_method_answer(answer(b"", status))[1] == decode(status)[0]


@pytest.mark.parametrize("status", [e.null(), e.string("200"), e.boolean(True), e.long(2**31), e.double(200.0)])
def test_nothing_else_is_a_status(status: bytes) -> None:
    with pytest.raises(InvalidArgument):
        decode_method_answer(answer(b"", status))


def twin(operation: bytes, resource: bytes = b"", body: bytes = b" ") -> RawMessage:
    pairs = [("operation", operation)] + ([("resource", resource)] if resource else [])
    return read_message(encode_message(message_annotations=annotations_section(pairs), body=data_section(body)))


DESIRED = e.string("/notifications/twin/properties/desired")


@pytest.mark.parametrize(
    ("message", "request_"),
    [
        (twin(e.string("GET")), TwinGet()),
        (twin(e.string("GET"), e.null()), TwinGet()),
        (twin(e.symbol("get"), e.string("")), TwinGet()),
        (twin(e.string("PATCH"), e.string("/properties/reported"), b'{"a":1}'), TwinPatch(b'{"a":1}')),
        (twin(e.string("PATCH"), e.string("/properties/reported/")), TwinPatch(b" ")),
        (twin(e.string("PUT"), DESIRED), TwinObserve()),
        (twin(e.string("DELETE"), DESIRED), TwinUnobserve()),
    ],
)
def test_each_request_to_the_twin_is_understood(message: RawMessage, request_: TwinRequest) -> None:
    assert decode_twin_request(message) == request_


@pytest.mark.parametrize(
    "message",
    [
        twin(e.null()),
        twin(e.string("PATCH")),
        twin(e.string("PATCH"), e.string("/properties/desired")),
        twin(e.string("GET"), DESIRED),
        twin(e.string("DELETE"), e.string("/properties/reported")),
        twin(e.int_(1), e.list_([])),
    ],
)
def test_there_are_no_other_requests(message: RawMessage) -> None:
    with pytest.raises(HubError):
        decode_twin_request(message)


def test_a_request_that_cannot_be_read_is_refused() -> None:
    twice = e.described(0x72, e.map_([(e.symbol("operation"), e.string("GET"))] * 2))
    with pytest.raises(MessageMalformed):
        decode_twin_request(read_message(twice))


@pytest.mark.parametrize("correlation", [e.string("id"), e.uuid(bytes(16))])
def test_answers_of_the_twin_have_the_types_that_the_c_sdk_reads(correlation: bytes) -> None:
    payload = encode_twin_reply(correlation, 200, 7)
    message = read_message(payload)
    assert message.message_annotations.endswith(
        e.map_([(e.symbol("status"), b"\x71\x00\x00\x00\xc8"), (e.symbol("version"), b"\x55\x07")])
    )
    assert message.properties == properties_section(correlation_id=correlation)
    assert (message.body_kind, message.body) == (BODY_DATA, b"")


def test_an_answer_without_a_version_has_none() -> None:
    seen = by_proton(encode_twin_reply(e.string("id"), 404, None, b'{"errorCode":404001}'))
    assert seen == Seen({"correlation-id": "id"}, {"status": 404}, {}, b'{"errorCode":404001}')


def test_a_notice_has_no_correlation_id() -> None:
    assert by_proton(encode_desired_notice(3, {"a": None})) == Seen({}, {}, {}, b'{"a":null,"$version":3}')
