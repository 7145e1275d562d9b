"""Commands of back ends, feedback and file notifications."""

import json

import pytest
from tests.fakes.amqp_readers import by_own_codec, by_proton

from ironhub.core.errors import InvalidArgument
from ironhub.core.ids import Identity, identity
from ironhub.dialects.azure.amqp_reading import read_message
from ironhub.dialects.azure.amqp_service_messages import (
    MAX_PROPERTIES,
    decode_command,
    encode_feedback_message,
    encode_file_notification,
)
from ironhub.messaging.commands.feedback import FeedbackBatch
from ironhub.messaging.commands.model import Ack, CommandDraft, Feedback, Outcome
from ironhub.messaging.files.model import FileNotice, FileNotification, NotificationDelivery
from ironhub.wire.amqp import encode as e
from ironhub.wire.amqp.message import BODY_DATA, RawMessage
from ironhub.wire.amqp.properties import properties_section
from ironhub.wire.amqp.sections import application_section, data_section, encode_message, header_section
from ironhub.wire.amqp.values import Timestamp

NOON = 1_769_860_800.25
NOON_MS = 1_769_860_800_250
TO = "/devices/press-7/messages/devicebound"


def sent(to: str | None = TO, *pairs: tuple[str, bytes], properties: bytes = b"") -> RawMessage:
    return read_message(
        encode_message(
            properties=properties or properties_section(to=to),
            application_properties=application_section(pairs),
            body=data_section(b"go"),
        )
    )


def test_a_command_is_read_with_all_it_says() -> None:
    properties = properties_section(
        message_id=e.uuid(bytes(16)),
        user_id=b"u",
        to=TO,
        correlation_id=e.ulong(7),
        content_type="text/plain",
        content_encoding="utf-8",
        absolute_expiry_ms=NOON_MS,
    )
    pairs = [("iothub-ack", e.string("full")), ("a", e.string("1")), ("n", e.int_(2)), ("none", e.null())]
    assert decode_command(sent(TO, *pairs, properties=properties)) == (
        [identity("press-7")],
        CommandDraft(
            body=b"go",
            message_id="00000000-0000-0000-0000-000000000000",
            expires_at=NOON,
            ack=Ack.FULL,
            correlation_id="7",
            user_id="u",
            content_type="text/plain",
            content_encoding="utf-8",
            properties={"a": "1", "n": "2", "none": ""},
        ),
    )


def test_a_plain_command_leaves_the_rest_to_the_hub() -> None:
    assert decode_command(sent()) == ([identity("press-7")], CommandDraft(body=b"go"))


@pytest.mark.parametrize(
    ("to", "candidates"),
    [
        ("amqps://hub.example/devices/press-7/messages/devicebound", [identity("press-7")]),
        ("devices/press-7/messages/deviceBound", [identity("press-7")]),
        ("/devices/a%23b/messages/deviceBound", [identity("a#b"), identity("a%23b")]),
        ("/devices/a%20b/messages/devicebound", [identity("a%20b")]),
        ("/devices/50%/messages/devicebound", [identity("50%")]),
        ("/devices/d/modules/m%2A/messages/deviceBound", [identity("d", "m*"), identity("d", "m%2A")]),
    ],
)
def test_an_id_is_meant_decoded_first_and_then_as_it_stands(to: str, candidates: list[Identity]) -> None:
    assert decode_command(sent(to))[0] == candidates


@pytest.mark.parametrize(
    "to",
    [
        None,
        "",
        "press-7",
        "/devices/press-7",
        "/devices/press 7/messages/devicebound",
        "/devices/press-7/messages/events",
        "/devices/d/modules/m/x/messages/devicebound",
        "/devices/d/modules//messages/devicebound",
        "/devices/" + "x" * 3000 + "/messages/devicebound",
    ],
)
def test_what_is_for_nobody_is_refused(to: str | None) -> None:
    with pytest.raises(InvalidArgument, match="to"):
        decode_command(sent(to))


@pytest.mark.parametrize(("value", "ack"), [("none", Ack.NONE), ("Positive", Ack.POSITIVE), ("negative", Ack.NEGATIVE)])
def test_feedback_is_asked_for_by_name(value: str, ack: Ack) -> None:
    assert decode_command(sent(TO, ("iothub-ack", e.string(value))))[1].ack is ack


@pytest.mark.parametrize("value", [e.string(""), e.string("all"), e.int_(1)])
def test_there_is_no_other_feedback(value: bytes) -> None:
    with pytest.raises(InvalidArgument, match="iothub-ack"):
        decode_command(sent(TO, ("iothub-ack", value)))


def test_a_command_has_so_many_properties() -> None:
    pairs = [(str(n), e.null()) for n in range(MAX_PROPERTIES + 1)]
    assert len(decode_command(sent(TO, *pairs[1:]))[1].properties) == MAX_PROPERTIES
    with pytest.raises(InvalidArgument):
        decode_command(sent(TO, *pairs))


def test_feedback_is_an_array_of_records() -> None:
    records = [
        Feedback(
            record_id=n,
            identity=identity("press-7"),
            generation_id="638",
            message_id=f"m{n}",
            outcome=Outcome.SUCCESS,
            at=NOON + n,
            expires_at=NOON + 3600,
        )
        for n in range(2)
    ]
    payload = encode_feedback_message(FeedbackBatch("lock", tuple(records), NOON), "hub")
    seen = by_own_codec(payload)
    assert seen == by_proton(payload)
    assert seen.properties == {
        "message-id": "lock",
        "user-id": b"hub",
        "content-type": "application/vnd.microsoft.iothub.feedback.json",
        "content-encoding": "utf-8",
    }
    assert seen.annotations == {"iothub-enqueuedtime": Timestamp(NOON_MS + 1000)}
    assert [record["originalMessageId"] for record in json.loads(seen.body)] == ["m0", "m1"]
    assert read_message(payload).body_kind == BODY_DATA


def test_a_file_notification_is_an_object() -> None:
    notice = FileNotice(
        identity=identity("press-7"),
        blob="b",
        uri="https://s/b",
        size=3,
        modified_at=NOON,
        enqueued_at=NOON,
        expires_at=NOON + 60,
    )
    notification = FileNotification(record_id=1, notice=notice, delivery_count=2)
    payload = encode_file_notification(NotificationDelivery(notification, "lock"), "hub")
    seen = by_own_codec(payload)
    assert seen.properties["content-type"] == "application/vnd.microsoft.iothub.filenotification.json"
    assert seen.annotations == {"iothub-enqueuedtime": Timestamp(NOON_MS)}
    assert json.loads(seen.body)["blobName"] == "b"
    assert read_message(payload).header == header_section(delivery_count=2)
