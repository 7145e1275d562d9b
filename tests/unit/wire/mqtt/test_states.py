from ironhub.wire.mqtt.packets import PacketType
from ironhub.wire.mqtt.states import ALLOWED, State


def test_every_state_has_its_row() -> None:
    assert set(ALLOWED) == set(State)


def test_connect_comes_first_and_once() -> None:
    """[MQTT-3.1.0-1] [MQTT-3.1.0-2]"""
    assert ALLOWED[State.AWAITING_CONNECT] == {PacketType.CONNECT}
    assert PacketType.CONNECT not in ALLOWED[State.OPEN]


def test_nothing_is_taken_that_only_a_server_sends() -> None:
    from_servers = {
        PacketType.CONNACK,
        PacketType.SUBACK,
        PacketType.UNSUBACK,
        PacketType.PINGRESP,
        PacketType.PUBREC,
        PacketType.PUBCOMP,
        PacketType.AUTH,
    }
    assert not ALLOWED[State.OPEN] & from_servers
    assert ALLOWED[State.OPEN] | from_servers | {PacketType.CONNECT} == set(PacketType)
