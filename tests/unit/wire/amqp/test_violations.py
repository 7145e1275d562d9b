import pytest

from ironhub.wire.amqp.conditions import NOT_ALLOWED
from ironhub.wire.amqp.errors import Error
from ironhub.wire.amqp.violations import LinkViolation, SessionViolation, UsageError


@pytest.mark.parametrize("kind", [LinkViolation, SessionViolation])
def test_a_violation_is_what_the_peer_is_told(kind: type[LinkViolation] | type[SessionViolation]) -> None:
    violation = kind(NOT_ALLOWED, "no")
    assert violation.error == Error(NOT_ALLOWED, "no")
    assert str(violation) == "no"


def test_our_own_mistake_is_no_violation() -> None:
    assert not issubclass(UsageError, LinkViolation | SessionViolation)
