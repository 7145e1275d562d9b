import pytest

from ironhub.wire.mqtt.packets import (
    Ack,
    Auth,
    Connack,
    Connect,
    Disconnect,
    Packet,
    PacketType,
    Pingreq,
    Pingresp,
    Publish,
    Suback,
    Subscribe,
    Subscription,
    Unsuback,
    Unsubscribe,
    Will,
    type_of,
)

ONE_OF_EACH: list[Packet] = [
    Connect("d"),
    Connack(False, 0),
    Publish("t", b""),
    Ack(PacketType.PUBACK, 1),
    Ack(PacketType.PUBREC, 1),
    Ack(PacketType.PUBREL, 1),
    Ack(PacketType.PUBCOMP, 1),
    Subscribe(1, (Subscription("t", 0),)),
    Suback(1, b"\x00"),
    Unsubscribe(1, ("t",)),
    Unsuback(1),
    Pingreq(),
    Pingresp(),
    Disconnect(),
    Auth(0),
]


def test_each_packet_knows_its_type() -> None:
    assert [type_of(packet) for packet in ONE_OF_EACH] == list(PacketType)


@pytest.mark.parametrize("packet", [packet for packet in ONE_OF_EACH if not isinstance(packet, Publish)])
def test_packets_are_values(packet: Packet) -> None:
    assert hash(packet) == hash(packet)
    with pytest.raises(AttributeError):
        packet.anything = 1  # type: ignore[union-attr]


def test_a_publish_is_compared_by_its_fields() -> None:
    assert Publish("t", b"x", 1, 7) == Publish("t", b"x", qos=1, packet_id=7, retain=False, dup=False, properties=())
    assert Publish("t", b"x") != Publish("t", b"y")
    something_else: object = "t"
    assert Publish("t", b"x") != something_else


def test_a_publish_comes_apart_in_a_match() -> None:
    match Publish("t", b"x"):
        case Publish(topic, payload):
            assert (topic, payload) == ("t", b"x")


def test_no_repr_shows_a_secret_or_a_payload() -> None:
    connect = Connect("d", username="user-name", password=b"pass-word", will=Will("t", b"last-words"))
    for hidden in ("user-name", "pass-word", "last-words"):
        assert hidden not in repr(connect)
    assert "d" in repr(connect)
    assert "pay-load" not in repr(Publish("t", b"pay-load"))
    assert "8 bytes" in repr(Publish("t", b"pay-load"))
