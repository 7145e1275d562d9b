from ironhub.wire.amqp.conditions import DECODE_ERROR, FRAMING_ERROR
from ironhub.wire.amqp.errors import Error, MalformedValue, ProtocolViolation


def test_a_violation_knows_what_to_tell_the_peer() -> None:
    violation = ProtocolViolation(FRAMING_ERROR, "why")
    assert (violation.condition, str(violation)) == (FRAMING_ERROR, "why")


def test_a_malformed_value_is_a_violation_too() -> None:
    malformed = MalformedValue("why")
    assert isinstance(malformed, ProtocolViolation)
    assert (malformed.condition, str(malformed)) == (DECODE_ERROR, "why")


def test_an_error_needs_only_a_condition() -> None:
    assert Error("amqp:not-found") == ("amqp:not-found", "", None)
