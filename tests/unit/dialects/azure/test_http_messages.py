"""Messages as they stand in headers and batches."""

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest

from ironhub.core.errors import HubError
from ironhub.core.ids import InvalidId, identity
from ironhub.dialects.azure.http_messages import (
    MAX_BATCH,
    HttpMessage,
    decode_batch,
    decode_caller,
    decode_properties,
    encode_delivery,
    is_batch,
)
from ironhub.messaging.commands.model import Ack, Command, Delivery

NOON = 1_769_860_800.0
EVENTS = "/devices/press-7/messages/events"
COMMAND = Command(
    identity=identity("press-7"),
    sequence_number=9,
    message_id="m1",
    body=b"stop",
    enqueued_at=NOON,
    expires_at=NOON + 60,
    delivery_count=2,
)


def properties(*fields: tuple[str, str]) -> Any:
    return json.loads(decode_properties(fields, EVENTS) or b"{}")


def test_the_headers_of_node_are_the_properties_of_a_message() -> None:
    fields = (
        ("iothub-to", EVENTS),
        ("User-Agent", "azure-iot-device/1.18.4"),
        ("Authorization", "SharedAccessSignature x"),
        ("iothub-app-Temp", "20"),
        ("IOTHUB-APP-x", ""),
        ("dt-subject", "thermostat1"),
        ("IoTHub-MessageId", "m"),
        ("IoTHub-CorrelationId", "c"),
        ("IoTHub-UserId", "u"),
        ("IoTHub-Expiry", "e"),
        ("IoTHub-Ack", "full"),
        ("iothub-contenttype", "application/json"),
        ("iothub-contentencoding", "utf-8"),
        ("iothub-interface-id", "i"),
        ("iothub-creationtimeutc", "t"),
        ("Host", "hub.example"),
    )
    assert properties(*fields) == {
        "Temp": "20",
        "x": "",
        "$.sub": "thermostat1",
        "$.mid": "m",
        "$.cid": "c",
        "$.uid": "u",
        "$.exp": "e",
        "iothub-ack": "full",
        "$.ct": "application/json",
        "$.ce": "utf-8",
        "$.ifid": "i",
        "$.ctime": "t",
    }


def test_a_destination_of_its_own_is_kept() -> None:
    assert properties(("iothub-to", "elsewhere")) == {"$.to": "elsewhere"}


def test_without_properties_nothing_is_stored() -> None:
    assert decode_properties((("Host", "h"), ("iothub-app-", "nameless")), EVENTS) == b""


@pytest.mark.parametrize(
    ("sent", "read"), [("\u00c3\u00bc", "\u00fc"), ("\u00fc", "\u00fc"), ("a\u00e9\u00df", "a\u00e9\u00df")]
)
def test_a_value_is_read_as_utf_8_where_it_is_that_and_as_latin_1_else(sent: str, read: str) -> None:
    assert properties(("iothub-app-a", sent)) == {"a": read}


@pytest.mark.parametrize(
    ("content_type", "batch"),
    [
        ("application/vnd.microsoft.iothub.json", True),
        ("Application/Vnd.Microsoft.IoTHub.JSON ; charset=utf-8", True),
        ("application/json", False),
        ("", False),
    ],
)
def test_a_batch_is_told_by_its_type(content_type: str, batch: bool) -> None:
    assert is_batch(content_type) is batch


def test_the_batches_of_node_and_of_c_are_read() -> None:
    items = [
        {"body": b64encode(b"one").decode()},
        {"body": b64encode(b"\xff").decode(), "properties": {"iothub-app-ab": "c/d", "own": "x"}},
        {"body": b64encode(b"three").decode(), "base64Encoded": True, "properties": {"IoTHub-MessageId": "m"}},
        {"body": "t\u00fcr", "base64Encoded": False, "properties": None},
        {"body": ""},
    ]
    assert decode_batch(json.dumps(items).encode()) == [
        HttpMessage(b"", b"one"),
        HttpMessage(b'{"ab":"c/d","own":"x"}', b"\xff"),
        HttpMessage(b'{"$.mid":"m"}', b"three"),
        HttpMessage(b"", "t\u00fcr".encode()),
        HttpMessage(b"", b""),
    ]
    assert decode_batch(b"[]") == []


@pytest.mark.parametrize(
    "items",
    [
        {"body": ""},
        "text",
        [1],
        [{}],
        [{"body": None}],
        [{"body": 1}],
        [{"body": "not base64!"}],
        [{"body": "YQ"}],
        [{"body": "\u00fc"}],
        [{"body": "", "base64Encoded": "false"}],
        [{"body": "", "base64Encoded": None}],
        [{"body": "", "properties": ["a"]}],
        [{"body": "", "properties": {"a": 1}}],
        [{"body": ""}, {"bodies": ""}],
        [{"body": ""}] * (MAX_BATCH + 1),
    ],
    ids=lambda items: str(items)[:40],
)
def test_what_is_no_batch_is_refused_as_a_whole(items: Any) -> None:
    with pytest.raises(HubError) as caught:
        decode_batch(json.dumps(items).encode())
    assert caught.value.code == "argument.invalid"


@pytest.mark.parametrize("data", [b"", b"[", b'[{"body":"","body":""}]', b'[{"properties":{"a":{}}}]', b"[[[[]]]]"])
def test_what_is_no_good_json_is_refused(data: bytes) -> None:
    with pytest.raises(HubError) as caught:
        decode_batch(data)
    assert caught.value.code == "json.invalid"


def sent(command: Command) -> dict[str, str]:
    return dict(encode_delivery(Delivery(command=command, lock_token="4c1e")))


def test_a_command_carries_its_lock_in_quotes_and_where_it_stands() -> None:
    assert sent(COMMAND) == {
        "ETag": '"4c1e"',
        "iothub-messagelocktoken": "4c1e",
        "iothub-sequencenumber": "9",
        "iothub-enqueuedtime": "2026-01-31T12:00:00.0000000Z",
        "iothub-deliverycount": "2",
        "iothub-messageid": "m1",
        "iothub-to": "/devices/press-7/messages/deviceBound",
        "iothub-expiry": "2026-01-31T12:01:00.0000000Z",
    }


def test_a_command_carries_what_its_sender_said() -> None:
    told = replace(
        COMMAND,
        identity=identity("press-7", "arm"),
        ack=Ack.FULL,
        correlation_id="c",
        user_id="u",
        content_type="application/json",
        content_encoding="utf-8",
        properties={"Level": "high", "empty": ""},
    )
    headers = sent(told)
    assert headers["iothub-to"] == "/devices/press-7/modules/arm/messages/deviceBound"
    assert (headers["iothub-ack"], headers["iothub-correlationid"], headers["iothub-userid"]) == ("full", "c", "u")
    assert (headers["ContentType"], headers["ContentEncoding"]) == ("application/json", "utf-8")
    assert (headers["iothub-app-Level"], headers["iothub-app-empty"]) == ("high", "")


@pytest.mark.parametrize(
    ("value", "carried"),
    [
        ("a b/c=d&e%f", "a b/c=d&e%f"),
        ("\u00fc\u00df", "\u00fc\u00df"),
        ("a\r\nSet: x", "a%0D%0ASet:%20x"),
        (" edge", "%20edge"),
        ("\u20ac 5%", "%E2%82%AC%205%25"),
        ("\x00", "%00"),
        ("\x85", "%C2%85"),
        ("\ud800", "?"),
    ],
)
def test_what_no_header_can_carry_is_percent_encoded(value: str, carried: str) -> None:
    assert sent(replace(COMMAND, properties={"a": value}))["iothub-app-a"] == carried
    assert sent(replace(COMMAND, correlation_id=value))["iothub-correlationid"] == carried


@pytest.mark.parametrize(
    ("name", "carried"),
    [("a%b", "a%b"), ("a b", "a%20b"), ("a: x\r\n", "a%3A%20x%0D%0A"), ("", ""), ("\u00fc", "%C3%BC")],
)
def test_a_name_that_no_header_can_have_is_percent_encoded(name: str, carried: str) -> None:
    assert f"iothub-app-{carried}" in sent(replace(COMMAND, properties={name: "x"}))


def test_a_module_says_who_it_is() -> None:
    assert decode_caller("press-7/arm") == identity("press-7", "arm")


@pytest.mark.parametrize("header", ["", "press-7", "press-7/", "/arm", "a/b/c", "a b/c"])
def test_who_names_no_module_is_refused(header: str) -> None:
    with pytest.raises(HubError) as caught:
        decode_caller(header)
    assert caught.value.code in {"argument.invalid", InvalidId.code}
