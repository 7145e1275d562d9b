"""Which outcomes of a command its sender wants to hear of.

Source: Azure IoT Hub, "Understand cloud-to-device messaging" (message feedback).
"""

from typing import Final

from ironhub.messaging.commands.model import Ack, CommandSettings, Outcome

FEEDBACK_TTL: Final = CommandSettings().feedback_ttl
"""Seconds a feedback record is kept unless told otherwise."""


def asks_for(ack: Ack, outcome: Outcome) -> bool:
    """Whether a command with this `ack` leaves a feedback record for this outcome."""
    match ack:
        case Ack.NONE:
            return False
        case Ack.POSITIVE:
            return outcome is Outcome.SUCCESS
        case Ack.NEGATIVE:
            return outcome is not Outcome.SUCCESS
        case Ack.FULL:
            return True
