"""Messages on the links of back ends: commands they send, feedback and file notifications they receive.

Source: azure-service-api 5.3-5.5.
"""

from typing import Final

from ironhub.core.errors import InvalidArgument
from ironhub.core.ids import Identity
from ironhub.core.strict_json import encode_json
from ironhub.dialects.azure.amqp_addresses import command_targets
from ironhub.dialects.azure.amqp_reading import read_application, read_properties
from ironhub.dialects.azure.amqp_values import milliseconds, standard_section, text_of
from ironhub.dialects.azure.feedback_json import FEEDBACK_TYPE, encode_feedback
from ironhub.dialects.azure.file_json import NOTIFICATION_TYPE, notification_json
from ironhub.messaging.commands.feedback import FeedbackBatch
from ironhub.messaging.commands.model import Ack, CommandDraft
from ironhub.messaging.files.model import NotificationDelivery
from ironhub.wire.amqp.encode import timestamp
from ironhub.wire.amqp.message import RawMessage
from ironhub.wire.amqp.sections import annotations_section, data_section, encode_message, header_section
from ironhub.wire.amqp.values import Value

ACK: Final = "iothub-ack"
MAX_PROPERTIES: Final = 1024


def decode_command(message: RawMessage) -> tuple[list[Identity], CommandDraft]:
    """Return whom a command may be for and the command; the bounds of its texts are the service's to check.

    Returns:
        The identities that `to` may mean, the likeliest first: some clients percent-encode the id, some do not.

    Raises:
        MessageMalformed; InvalidArgument: `to` names no device or module, or `iothub-ack` no kind of feedback.
    """
    said, application = read_properties(message), read_application(message)
    candidates = command_targets(said.to or "")
    if not candidates:
        raise InvalidArgument("`to` must be /devices/{device id}/messages/devicebound")
    if len(application) > MAX_PROPERTIES:
        raise InvalidArgument(f"a command has at most {MAX_PROPERTIES} properties")
    expiry = said.absolute_expiry_time
    draft = CommandDraft(
        body=message.body,
        message_id=text_of(said.message_id),
        expires_at=None if expiry is None else expiry / 1000,
        ack=_ack(application.pop(ACK, None)),
        correlation_id=text_of(said.correlation_id) or "",
        user_id=text_of(said.user_id) or "",
        content_type=said.content_type or "",
        content_encoding=said.content_encoding or "",
        properties={name: text_of(value) or "" for name, value in application.items()},
    )
    return candidates, draft


def encode_feedback_message(batch: FeedbackBatch, hub_name: str) -> bytes:
    """Return the message that tells what became of commands."""
    newest = max((record.at for record in batch.records), default=0.0)
    body = encode_json(encode_feedback(batch.records))
    return _notice(FEEDBACK_TYPE, newest, body, hub_name, batch.lock_token, 0)


def encode_file_notification(delivery: NotificationDelivery, hub_name: str) -> bytes:
    """Return the message that tells of a file."""
    notification = delivery.notification
    body = encode_json(notification_json(notification.notice))
    at, count = notification.notice.enqueued_at, notification.delivery_count
    return _notice(NOTIFICATION_TYPE, at, body, hub_name, delivery.lock_token, count)


def _notice(content_type: str, at: float, body: bytes, hub_name: str, message_id: str, count: int) -> bytes:
    named = {
        "message-id": message_id,
        "user-id": hub_name,
        "content-type": content_type,
        "content-encoding": "utf-8",
    }
    return encode_message(
        header=header_section(delivery_count=count),
        message_annotations=annotations_section([("iothub-enqueuedtime", timestamp(milliseconds(at)))]),
        properties=standard_section(named),
        body=data_section(body),
    )


def _ack(value: Value) -> Ack:
    if value is None:
        return Ack.NONE
    try:
        return Ack(str(value).lower())
    except ValueError as error:
        raise InvalidArgument(f"{ACK} must be none, positive, negative or full") from error
