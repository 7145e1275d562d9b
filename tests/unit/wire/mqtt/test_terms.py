import pytest

from ironhub.wire.mqtt.errors import ProtocolViolation
from ironhub.wire.mqtt.limits import SessionLimits
from ironhub.wire.mqtt.packets import Connect, Disconnect, Will
from ironhub.wire.mqtt.properties import Property
from ironhub.wire.mqtt.reasons import ReasonCode
from ironhub.wire.mqtt.terms import announcement, check_connect, check_disconnect, expires_at_once, silence

LIMITS = SessionLimits(max_silence=900.0)


@pytest.mark.parametrize(
    ("keep_alive", "seconds"), [(0, 900.0), (1, 1.5), (60, 90.0), (600, 900.0), (601, 900.0), (65_535, 900.0)]
)
def test_silence_is_one_and_a_half_keep_alive_and_never_more_than_the_bound(keep_alive: int, seconds: float) -> None:
    """[MQTT-3.1.2-24]"""
    assert silence(keep_alive, LIMITS) == seconds


def test_a_client_without_an_id_cannot_have_a_session_kept() -> None:
    """[MQTT-3.1.3-7] [MQTT-3.1.3-8]; MQTT 5 lets the server name it"""
    check_connect(Connect(""), LIMITS)
    check_connect(Connect("", 5, clean_start=False), LIMITS)
    check_connect(Connect("d", clean_start=False), LIMITS)
    for level in (3, 4):
        with pytest.raises(ProtocolViolation) as caught:
            check_connect(Connect("", level, clean_start=False), LIMITS)
        assert caught.value.code == ReasonCode.CLIENT_IDENTIFIER_NOT_VALID


def test_a_will_beyond_our_qos_is_refused_to_those_who_could_know() -> None:
    """MQTT 5 [MQTT-3.2.2-12]"""
    check_connect(Connect("d", 4, will=Will("t", b"", 2)), LIMITS)
    check_connect(Connect("d", 5, will=Will("t", b"", 1)), LIMITS)
    with pytest.raises(ProtocolViolation) as caught:
        check_connect(Connect("d", 5, will=Will("t", b"", 2)), LIMITS)
    assert caught.value.code == ReasonCode.QOS_NOT_SUPPORTED


def test_enhanced_authentication_is_refused_with_its_own_code() -> None:
    """MQTT 5 [MQTT-4.12.0-1]"""
    with pytest.raises(ProtocolViolation) as caught:
        check_connect(Connect("d", 5, properties=((Property.AUTHENTICATION_METHOD, "SCRAM-SHA-1"),)), LIMITS)
    assert caught.value.code == ReasonCode.BAD_AUTHENTICATION_METHOD


def test_a_client_is_told_of_every_limit_it_must_keep() -> None:
    limits = SessionLimits(max_packet=1000, receive_window=100_000, topic_alias_maximum=8)
    assert dict(announcement(Connect("d", 5, keep_alive=60), limits, 90.0)) == {
        Property.RECEIVE_MAXIMUM: 65_535,
        Property.MAXIMUM_PACKET_SIZE: 1000,
        Property.MAXIMUM_QOS: 1,
        Property.TOPIC_ALIAS_MAXIMUM: 8,
    }


def test_a_client_is_told_of_a_keep_alive_that_is_not_its_own() -> None:
    """MQTT 5 [MQTT-3.1.2-21]"""
    told = dict(announcement(Connect("d", 5), SessionLimits(max_qos=2), 1767.0))
    assert told[Property.SERVER_KEEP_ALIVE] == 1178
    assert Property.MAXIMUM_QOS not in told


def test_a_session_expires_with_its_connection_unless_it_asked_for_more() -> None:
    assert expires_at_once(Connect("d", 5))
    assert not expires_at_once(Connect("d", 5, properties=((Property.SESSION_EXPIRY_INTERVAL, 1),)))
    assert not expires_at_once(Connect("d", 4))


def test_a_client_may_say_goodbye_in_its_own_words_only() -> None:
    longer = ((Property.SESSION_EXPIRY_INTERVAL, 5),)
    check_disconnect(Disconnect(), True)
    check_disconnect(Disconnect(ReasonCode.DISCONNECT_WITH_WILL), True)
    check_disconnect(Disconnect(0, longer), False)
    check_disconnect(Disconnect(0, ((Property.SESSION_EXPIRY_INTERVAL, 0),)), True)
    for packet in (
        Disconnect(ReasonCode.SESSION_TAKEN_OVER),
        Disconnect(0, ((Property.SERVER_REFERENCE, "elsewhere"),)),
        Disconnect(0, longer),
    ):
        with pytest.raises(ProtocolViolation):
            check_disconnect(packet, True)
