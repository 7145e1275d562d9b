import pytest
from tests.fakes.mqtt_packets import puback

from ironhub.wire.mqtt.acks import InboundAcks, OutboundIds
from ironhub.wire.mqtt.errors import UsageError


def waiting(*packet_ids: int, qos: int = 1) -> InboundAcks:
    acks = InboundAcks()
    for packet_id in packet_ids:
        acks.add(packet_id, qos)
    return acks


def test_answers_leave_in_the_order_the_publishes_came() -> None:
    """[MQTT-4.6.0-2]"""
    acks = waiting(7, 3, 9)
    assert acks.settle(9) == b""
    assert acks.settle(3) == b""
    assert acks.settle(7) == puback(7) + puback(3) + puback(9)
    assert len(acks) == 0


def test_thousands_behind_an_open_one_cost_no_more_than_a_look_each() -> None:
    """One read from a socket may hold thousands: searched for from the oldest on, these would take minutes."""
    acks = waiting(*range(1, 60_001))
    for packet_id in range(2, 60_001):
        assert acks.settle(packet_id) == b""
    assert acks.settle(1) == b"".join(puback(packet_id) for packet_id in range(1, 60_001))


def test_whatever_the_order_everybody_is_found() -> None:
    acks = waiting(1, 2, 3, 4, 5)
    assert acks.settle(4) == b""
    assert acks.settle(2) == b""
    assert acks.settle(1) == puback(1) + puback(2)
    assert acks.settle_first(1) == puback(3) + puback(4)
    acks.add(6, 1)
    assert acks.settle(5) == puback(5)
    assert acks.settle(6) == puback(6)


def test_a_batch_is_settled_at_once() -> None:
    acks = waiting(1, 2, 65_535)
    assert acks.settle_first(0) == b""
    assert acks.settle_first(2) == puback(1) + puback(2)
    assert acks.settle_first(1) == puback(65_535)


def test_a_batch_passes_over_what_is_settled_already() -> None:
    acks = waiting(1, 2, 3, 4)
    assert acks.settle(2) == b""
    assert acks.settle_first(2) == puback(1) + puback(2) + puback(3)
    with pytest.raises(UsageError):
        acks.settle_first(2)
    assert acks.settle_first(1) == puback(4)


def test_what_does_not_wait_cannot_be_settled() -> None:
    acks = waiting(1, 2)
    acks.settle(2)
    for packet_id in (2, 3, 0):
        with pytest.raises(UsageError):
            acks.settle(packet_id)
    for count in (-1, 3):
        with pytest.raises(UsageError):
            acks.settle_first(count)
    assert len(acks) == 2


def test_an_id_that_came_twice_is_owed_two_answers() -> None:
    acks = waiting(5, 5)
    assert acks.settle(5) == puback(5)
    assert acks.settle(5) == puback(5)


def test_qos_2_is_answered_with_pubrec_in_the_same_order() -> None:
    """[MQTT-4.6.0-3]"""
    acks = InboundAcks()
    acks.add(1, 2)
    acks.add(2, 1)
    assert acks.holds(1)
    assert not acks.holds(3)
    assert acks.settle(2) == b""
    assert acks.settle(1) == b"\x50\x02\x00\x01" + puback(2)
    assert waiting(1, qos=2).settle_first(1) == b"\x50\x02\x00\x01"


def test_a_reason_code_makes_an_answer_one_byte_longer() -> None:
    assert waiting(1).settle(1, 0x87) == b"\x40\x03\x00\x01\x87"
    assert waiting(0xFFFF, qos=2).settle(0xFFFF, 0x97) == b"\x50\x03\xff\xff\x97"


def test_ids_are_not_used_again_while_in_flight() -> None:
    """[MQTT-2.3.1-4]"""
    ids = OutboundIds(3)
    taken = []
    for _ in range(3):
        taken.append(ids.peek())
        ids.take(taken[-1])
    assert taken == [1, 2, 3]
    assert ids.is_full
    with pytest.raises(UsageError):
        ids.peek()
    assert ids.release(2)
    assert not ids.release(2)
    assert ids.peek() == 4


def test_ids_wrap_around_past_those_in_flight() -> None:
    ids = OutboundIds(16)
    assert not ids.release(1)
    ids.take(1)
    ids.take(65_535)
    assert ids.peek() == 2
    ids.take(65_534)
    assert ids.peek() == 2
    assert len(ids) == 3
