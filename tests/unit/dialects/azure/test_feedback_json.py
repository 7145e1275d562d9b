import pytest

from ironhub.core.ids import identity
from ironhub.dialects.azure.feedback_json import encode_feedback
from ironhub.messaging.commands.model import Feedback, Outcome


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (Outcome.SUCCESS, "Success"),
        (Outcome.EXPIRED, "Expired"),
        (Outcome.DELIVERY_COUNT_EXCEEDED, "DeliveryCountExceeded"),
        (Outcome.REJECTED, "Rejected"),
        (Outcome.PURGED, "Purged"),
    ],
)
def test_every_outcome_has_the_vendors_word(outcome: Outcome, told: str) -> None:
    record = Feedback(
        record_id=7,
        identity=identity("press-7"),
        generation_id="g1",
        message_id="m1",
        outcome=outcome,
        at=1.5,
        expires_at=99.0,
    )
    assert encode_feedback([record]) == [
        {
            "originalMessageId": "m1",
            "enqueuedTimeUtc": "1970-01-01T00:00:01.5000000Z",
            "statusCode": told,
            "description": told,
            "deviceId": "press-7",
            "deviceGenerationId": "g1",
        }
    ]
