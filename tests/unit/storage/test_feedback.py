"""Which outcomes a sender hears of."""

import pytest

from ironhub.messaging.commands.model import Ack, CommandSettings, Outcome
from ironhub.storage.feedback import FEEDBACK_TTL, asks_for

HEARD = {
    Ack.NONE: set[Outcome](),
    Ack.POSITIVE: {Outcome.SUCCESS},
    Ack.NEGATIVE: {Outcome.EXPIRED, Outcome.DELIVERY_COUNT_EXCEEDED, Outcome.REJECTED, Outcome.PURGED},
    Ack.FULL: set(Outcome),
}


@pytest.mark.parametrize("ack", Ack)
def test_each_ack_asks_for_its_outcomes(ack: Ack) -> None:
    assert {outcome for outcome in Outcome if asks_for(ack, outcome)} == HEARD[ack]


def test_feedback_is_kept_as_long_as_the_settings_say() -> None:
    assert CommandSettings().feedback_ttl == FEEDBACK_TTL
