import pytest

from ironhub.wire.mqtt.errors import ProtocolViolation
from ironhub.wire.mqtt.inbound import InboundPublishes
from ironhub.wire.mqtt.limits import SessionLimits
from ironhub.wire.mqtt.packets import Publish
from ironhub.wire.mqtt.properties import Property
from ironhub.wire.mqtt.reasons import ReasonCode

PUBREC_1 = b"\x50\x02\x00\x01"


def aliased(topic: str, alias: int) -> Publish:
    return Publish(topic, b"", properties=((Property.TOPIC_ALIAS, alias),))


def test_qos_0_is_owed_nothing_and_qos_1_an_answer() -> None:
    inbound = InboundPublishes(SessionLimits())
    assert inbound.admit(Publish("a", b""), 4)
    assert len(inbound.acks) == 0
    assert inbound.admit(Publish("a", b"", 1, 1), 4)
    assert len(inbound.acks) == 1


@pytest.mark.parametrize(("max_qos", "qos"), [(1, 2), (0, 1), (0, 2)])
def test_a_qos_beyond_the_limit_is_a_violation(max_qos: int, qos: int) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        InboundPublishes(SessionLimits(max_qos=max_qos)).admit(Publish("a", b"", qos, 1), 4)
    assert caught.value.code == ReasonCode.QOS_NOT_SUPPORTED


def test_qos_2_is_handed_out_once_until_it_is_released() -> None:
    """[MQTT-4.3.3-2]"""
    inbound = InboundPublishes(SessionLimits(max_qos=2))
    assert inbound.admit(Publish("a", b"", 2, 1), 4)
    assert not inbound.admit(Publish("a", b"", 2, 1, dup=True), 4)
    assert inbound.repeated(1) == b""  # it is not safe yet, so nothing may say it is
    assert inbound.acks.settle(1) == PUBREC_1
    assert not inbound.admit(Publish("a", b"", 2, 1, dup=True), 4)
    assert inbound.repeated(1) == PUBREC_1
    assert inbound.release(1)
    assert not inbound.release(1)
    assert inbound.admit(Publish("a", b"", 2, 1), 4)


def test_publishes_that_wait_for_release_are_bounded() -> None:
    inbound = InboundPublishes(SessionLimits(max_qos=2, receive_window=2))
    for packet_id in (1, 2):
        inbound.admit(Publish("a", b"", 2, packet_id), 4)
        inbound.acks.settle_first(1)
    with pytest.raises(ProtocolViolation):
        inbound.admit(Publish("a", b"", 2, 3), 4)
    assert not InboundPublishes(SessionLimits()).release(1)


def test_the_window_binds_clients_that_were_told_of_it() -> None:
    """MQTT 5 [MQTT-3.3.4-7]; a client of 3.1.1 cannot know it, so there the owner stops reading"""
    for level in (4, 5):
        inbound = InboundPublishes(SessionLimits(receive_window=1))
        inbound.admit(Publish("a", b"", 1, 1), level)
        assert inbound.admit(Publish("a", b""), level)
        if level == 4:
            assert inbound.admit(Publish("a", b"", 1, 2), level)
            continue
        with pytest.raises(ProtocolViolation) as caught:
            inbound.admit(Publish("a", b"", 1, 2), level)
        assert caught.value.code == ReasonCode.RECEIVE_MAXIMUM_EXCEEDED


def test_an_alias_stands_for_the_topic_it_was_last_given_with() -> None:
    inbound = InboundPublishes(SessionLimits(topic_alias_maximum=2))
    for publish, topic in [
        (aliased("a", 1), "a"),
        (aliased("", 1), "a"),
        (aliased("b", 1), "b"),
        (aliased("", 1), "b"),
        (aliased("c", 2), "c"),
        (aliased("", 1), "b"),
    ]:
        assert inbound.admit(publish, 5)
        assert publish.topic == topic


def test_an_alias_that_was_not_admitted_or_not_given_is_a_violation() -> None:
    """[MQTT-3.3.2-9]"""
    with pytest.raises(ProtocolViolation) as caught:
        InboundPublishes(SessionLimits()).admit(aliased("a", 1), 5)
    assert caught.value.code == ReasonCode.TOPIC_ALIAS_INVALID
    with pytest.raises(ProtocolViolation):
        InboundPublishes(SessionLimits(topic_alias_maximum=2)).admit(aliased("", 2), 5)


def test_a_client_does_not_say_which_subscription_it_answers() -> None:
    """[MQTT-3.3.4-6]"""
    publish = Publish("a", b"", properties=((Property.SUBSCRIPTION_IDENTIFIER, 1),))
    with pytest.raises(ProtocolViolation):
        InboundPublishes(SessionLimits()).admit(publish, 5)


def test_other_properties_go_through() -> None:
    publish = Publish("a", b"", properties=((Property.CONTENT_TYPE, "text/plain"),))
    assert InboundPublishes(SessionLimits()).admit(publish, 5)
