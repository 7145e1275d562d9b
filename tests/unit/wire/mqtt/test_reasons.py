import pytest

from ironhub.wire.mqtt import reasons
from ironhub.wire.mqtt.reasons import ReasonCode, reason_code, return_code


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_a_return_code_survives_the_way_to_mqtt_5_and_back(number: int) -> None:
    assert reason_code(number) >= 0x80
    assert return_code(reason_code(number)) == number
    assert return_code(number) == number


@pytest.mark.parametrize(
    ("code", "number"),
    [
        (ReasonCode.SERVER_BUSY, 3),
        (ReasonCode.QUOTA_EXCEEDED, 3),
        (ReasonCode.CONNECTION_RATE_EXCEEDED, 3),
        (ReasonCode.BANNED, 5),
        (ReasonCode.UNSPECIFIED_ERROR, 5),
    ],
)
def test_what_3_1_1_has_no_word_for_becomes_the_nearest(code: ReasonCode, number: int) -> None:
    assert return_code(code) == number
    assert reason_code(code) == code


def test_every_code_a_packet_may_carry_has_a_name() -> None:
    names = {int(code) for code in ReasonCode}
    assert set().union(*reasons.CODES.values()) == names


def test_a_client_may_not_say_what_only_a_server_knows() -> None:
    assert ReasonCode.SESSION_TAKEN_OVER not in reasons.CLIENT_DISCONNECT_CODES
    assert ReasonCode.DISCONNECT_WITH_WILL not in reasons.SERVER_DISCONNECT_CODES
    assert len(reasons.DISCONNECT_CODES) == 29
