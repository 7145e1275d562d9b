from ironhub.wire.mqtt.errors import PacketTooLarge, ProtocolViolation, UnsupportedLevel, UsageError
from ironhub.wire.mqtt.reasons import ReasonCode


def test_a_violation_is_a_malformed_packet_unless_said_otherwise() -> None:
    assert ProtocolViolation("why").code == ReasonCode.MALFORMED_PACKET
    assert str(ProtocolViolation("why", ReasonCode.PROTOCOL_ERROR)) == "why"
    assert ProtocolViolation("why", ReasonCode.PROTOCOL_ERROR).code == ReasonCode.PROTOCOL_ERROR


def test_an_unknown_level_is_a_violation_with_its_own_code() -> None:
    error = UnsupportedLevel()
    assert isinstance(error, ProtocolViolation)
    assert error.code == ReasonCode.UNSUPPORTED_PROTOCOL_VERSION


def test_the_mistakes_of_peer_and_caller_are_never_caught_together() -> None:
    assert issubclass(PacketTooLarge, UsageError)
    assert not issubclass(UsageError, ProtocolViolation)
