"""Tokens put to `$cbs`, as the SDKs do it."""

import pytest
from tests.fakes.amqp_readers import by_own_codec, by_proton

from ironhub.core.errors import HubError
from ironhub.dialects.azure.amqp_cbs import (
    MAX_TOKEN,
    BearerRefused,
    CbsInvalid,
    PutToken,
    decode_put_token,
    encode_reply,
)
from ironhub.dialects.azure.amqp_reading import MessageMalformed, read_message
from ironhub.wire.amqp import encode as e
from ironhub.wire.amqp.message import RawMessage
from ironhub.wire.amqp.properties import properties_section
from ironhub.wire.amqp.sections import application_section, data_section, encode_message, value_section

TOKEN = "SharedAccessSignature sr=h&sig=x&se=1"


def request(body: bytes, *, message_id: bytes = b"", reply_to: str | None = None, **named: str | int) -> RawMessage:
    pairs = [(name, e.string(value) if isinstance(value, str) else e.long(value)) for name, value in named.items()]
    return read_message(
        encode_message(
            properties=properties_section(message_id=message_id, reply_to=reply_to),
            application_properties=application_section(pairs),
            body=body,
        )
    )


@pytest.mark.parametrize("message_id", [e.ulong(0), e.ulong(7), e.string("id"), e.uuid(bytes(16)), e.binary(b"id")])
@pytest.mark.parametrize("body", [value_section(e.string(TOKEN)), data_section(TOKEN.encode())])
def test_a_token_is_taken_in_each_form(message_id: bytes, body: bytes) -> None:
    kind = "servicebus.windows.net:sastoken"
    message = request(body, message_id=message_id, reply_to="cbs", operation="put-token", type=kind, name="h/devices/d")
    assert decode_put_token(message) == PutToken(TOKEN, "h/devices/d", "cbs", message_id)


def test_name_and_reply_to_may_be_missing_or_of_another_type() -> None:
    body = value_section(e.string(TOKEN))
    assert decode_put_token(request(body, operation="put-token")) == PutToken(TOKEN, "", None, e.null())
    assert decode_put_token(request(body, operation="put-token", name=5)).audience == ""


@pytest.mark.parametrize(
    ("body", "operation", "error"),
    [
        (value_section(e.string(TOKEN)), "delete-token", CbsInvalid),
        (value_section(e.string(TOKEN)), 1, CbsInvalid),
        (value_section(e.string("")), "put-token", CbsInvalid),
        (value_section(e.null()), "put-token", CbsInvalid),
        (value_section(e.string("t\u00f6ken")), "put-token", CbsInvalid),
        (data_section(b"x" * (MAX_TOKEN + 1)), "put-token", CbsInvalid),
        (value_section(e.string("Bearer eyJ0")), "put-token", BearerRefused),
        (value_section(e.string("bearer eyJ0")), "put-token", BearerRefused),
    ],
)
def test_anything_else_is_refused(body: bytes, operation: str | int, error: type[HubError]) -> None:
    with pytest.raises(error) as caught:
        decode_put_token(request(body, operation=operation))
    assert "eyJ0" not in str(caught.value)


def test_what_cannot_be_read_is_refused() -> None:
    twice = e.described(0x74, e.map_([(e.string("operation"), e.string("put-token"))] * 2))
    with pytest.raises(MessageMalformed):
        decode_put_token(read_message(twice + data_section(TOKEN.encode())))


def test_the_longest_token_is_taken() -> None:
    assert len(decode_put_token(request(data_section(b"x" * MAX_TOKEN), operation="put-token")).token) == MAX_TOKEN


@pytest.mark.parametrize("message_id", [e.ulong(7), e.string("id"), e.uuid(bytes(16))])
def test_an_answer_has_the_requests_id_in_its_own_type_and_the_status_as_int(message_id: bytes) -> None:
    payload = encode_reply(message_id, 401, "Unauthorized")
    assert (
        e.map_(
            [
                (e.string("status-code"), b"\x71\x00\x00\x01\x91"),
                (e.string("status-description"), e.string("Unauthorized")),
            ]
        )
        in payload
    )
    assert message_id in payload
    seen = by_own_codec(payload)
    assert seen.properties == by_proton(encode_reply(message_id, 401, "", body=data_section(b""))).properties
    assert seen.application == {"status-code": 401, "status-description": "Unauthorized"}
    assert read_message(payload).value() is None
