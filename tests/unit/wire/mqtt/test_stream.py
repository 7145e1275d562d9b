import pytest
from tests.fakes import mqtt_packets as raw

from ironhub.wire.mqtt.errors import ProtocolViolation
from ironhub.wire.mqtt.packets import Connect, Packet, Pingreq, Publish
from ironhub.wire.mqtt.reasons import ReasonCode
from ironhub.wire.mqtt.stream import PacketStream


def feed(stream: PacketStream, data: bytes) -> list[Packet]:
    packets: list[Packet] = []
    stream.feed(data, packets)
    return packets


def test_many_packets_come_in_one_piece_and_one_packet_in_many() -> None:
    stream = PacketStream(1000, level=4)
    data = raw.publish("a", b"x" * 300, qos=1) + raw.PINGREQ
    assert feed(stream, data * 2) == [Publish("a", b"x" * 300, 1, 1), Pingreq()] * 2
    pieces = [feed(stream, data[at : at + 1]) for at in range(len(data))]
    assert [packet for piece in pieces for packet in piece] == [Publish("a", b"x" * 300, 1, 1), Pingreq()]
    assert stream.pending == 0


def test_a_rest_waits_and_counts_as_pending() -> None:
    stream = PacketStream(1000, level=4)
    data = raw.PINGREQ + raw.publish("a", b"xyz")
    assert feed(stream, data[:-1]) == [Pingreq()]
    assert stream.pending == len(data) - 3
    assert feed(stream, data[-1:] + raw.PINGREQ) == [Publish("a", b"xyz"), Pingreq()]
    stream.feed(b"\x30", [])
    stream.clear()
    assert stream.pending == 0


def test_a_packet_too_large_is_refused_before_its_body_comes() -> None:
    stream = PacketStream(100, level=4)
    with pytest.raises(ProtocolViolation) as caught:
        feed(stream, b"\x30\xff\xff\xff\x7f")
    assert caught.value.code == ReasonCode.PACKET_TOO_LARGE
    assert feed(PacketStream(100, level=4), raw.publish("a", b"x" * 95)) == [Publish("a", b"x" * 95)]
    with pytest.raises(ProtocolViolation):
        feed(PacketStream(100, level=4), raw.publish("a", b"x" * 96)[:2])


@pytest.mark.parametrize("header", ["30ffffffff", "3080808080", "3080808080 01", "c080808080 00"])
def test_a_remaining_length_has_at_most_four_bytes(header: str) -> None:
    with pytest.raises(ProtocolViolation):
        feed(PacketStream(300_000_000, level=4), bytes.fromhex(header))


def test_a_remaining_length_is_minimal_in_mqtt_5_only() -> None:
    """MQTT 5 [MQTT-1.5.5-1]; 3.1.1 has no such rule, and some small clients always write four bytes."""
    padded = bytes.fromhex("c0 80808000")
    assert feed(PacketStream(100, level=4), padded) == [Pingreq()]
    with pytest.raises(ProtocolViolation):
        feed(PacketStream(100, level=5), padded)


@pytest.mark.parametrize(("level", "good"), [(4, True), (5, False)])
def test_a_padded_connect_is_judged_by_its_own_level(level: int, good: bool) -> None:
    connect = raw.connect("d", level=level)
    padded = connect[:1] + bytes([connect[1] | 0x80, 0]) + connect[2:]
    stream = PacketStream(100)
    if good:
        assert len(feed(stream, padded)) == 1
    else:
        packets: list[Packet] = []
        with pytest.raises(ProtocolViolation):
            stream.feed(padded, packets)
        assert packets == []


def test_nothing_but_connect_comes_first() -> None:
    """[MQTT-3.1.0-1]"""
    for data in (raw.PINGREQ, raw.publish("a"), b"GE", b"\x11\x00"):
        with pytest.raises(ProtocolViolation):
            feed(PacketStream(100), data)


def test_what_follows_connect_waits_until_the_limits_are_agreed() -> None:
    stream = PacketStream(50)
    large = raw.publish("a", b"x" * 100)
    (connect,) = feed(stream, raw.connect("d") + large[:10])
    assert isinstance(connect, Connect)
    assert feed(stream, large[10:]) == []
    assert stream.pending == len(large)
    packets: list[Packet] = []
    stream.resume(packets, level=4, max_packet=200)
    assert packets == [Publish("a", b"x" * 100)]
    assert stream.pending == 0


def test_a_pause_with_nothing_waiting_keeps_what_comes() -> None:
    stream = PacketStream(50)
    feed(stream, raw.connect("d"))
    assert stream.pending == 0
    assert feed(stream, raw.PINGREQ) == []
    packets: list[Packet] = []
    stream.resume(packets, level=4, max_packet=200)
    assert packets == [Pingreq()]


def test_what_came_whole_before_a_violation_is_not_lost() -> None:
    packets: list[Packet] = []
    with pytest.raises(ProtocolViolation):
        PacketStream(100, level=4).feed(raw.publish("a") + b"\x00\x00", packets)
    assert packets == [Publish("a", b"")]


def test_the_same_topic_is_decoded_once() -> None:
    stream = PacketStream(100, level=4)
    first, second = feed(stream, raw.publish("same", b"1") + raw.publish("same", b"2"))
    assert isinstance(first, Publish)
    assert isinstance(second, Publish)
    assert first.topic is second.topic
