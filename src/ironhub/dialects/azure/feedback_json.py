"""Feedback of commands in the vendor's words (azure-service-api 5.4)."""

from collections.abc import Iterable
from typing import Any, Final

from ironhub.dialects.azure.timestamps import instant
from ironhub.messaging.commands.model import Feedback, Outcome

FEEDBACK_TYPE: Final = "application/vnd.microsoft.iothub.feedback.json"

_STATUS: Final[dict[Outcome, str]] = {
    Outcome.SUCCESS: "Success",
    Outcome.EXPIRED: "Expired",
    Outcome.DELIVERY_COUNT_EXCEEDED: "DeliveryCountExceeded",
    Outcome.REJECTED: "Rejected",
    Outcome.PURGED: "Purged",
}


def encode_feedback(records: Iterable[Feedback]) -> list[dict[str, Any]]:
    """Return the body of a feedback message: a record for each command."""
    return [
        {
            "originalMessageId": record.message_id,
            "enqueuedTimeUtc": instant(record.at),
            "statusCode": _STATUS[record.outcome],
            "description": _STATUS[record.outcome],
            "deviceId": record.identity.device_id,
            "deviceGenerationId": record.generation_id,
        }
        for record in records
    ]
