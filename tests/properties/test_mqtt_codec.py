"""Any bytes, any cut, any packet: parsed, or refused as a ProtocolViolation; what is written is read back."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.mqtt_packets import MALFORMED, MALFORMED_CONNECTS, connect, publish, subscribe

from ironhub.wire.mqtt.decode import decode_packet
from ironhub.wire.mqtt.encode import encode_packet
from ironhub.wire.mqtt.errors import ProtocolViolation
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
from ironhub.wire.mqtt.properties import RULES, WILL, Kind, Properties, Property
from ironhub.wire.mqtt.reasons import CODES, SUBACK_CODES_3
from ironhub.wire.mqtt.stream import PacketStream

GOOD = [connect("d"), subscribe(1, ("a", 1)), publish("a", b"x", qos=1)]

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
topics = st.text(st.characters(exclude_characters="\0#+", exclude_categories=["Cs"]), min_size=1, max_size=20)
filters = st.lists(st.sampled_from(["a", "+", "", "$iothub", "é"]), min_size=1, max_size=4).flatmap(
    lambda levels: st.sampled_from(["/".join(levels), "/".join([*levels, "#"])])
)
good_filters = filters.filter(lambda text: text != "")
binaries = st.binary(max_size=200)
ids = st.integers(1, 65_535)

VALUES: dict[Kind, st.SearchStrategy[int | str | bytes | tuple[str, str]]] = {
    Kind.FLAG: st.integers(0, 1),
    Kind.TWO: st.integers(0, 65_535),
    Kind.TWO_NOT_ZERO: ids,
    Kind.FOUR: st.integers(0, 0xFFFF_FFFF),
    Kind.FOUR_NOT_ZERO: st.integers(1, 0xFFFF_FFFF),
    Kind.VARIABLE_NOT_ZERO: st.integers(1, 268_435_455),
    Kind.TEXT: topics,
    Kind.BINARY: binaries,
    Kind.PAIR: st.tuples(texts, texts),
}


@st.composite
def properties(draw: st.DrawFn, packet_type: int, level: int) -> Properties:
    """What a packet of this type may have; nothing before MQTT 5."""
    if level != 5 or packet_type in (PacketType.PINGREQ, PacketType.PINGRESP):
        return ()
    known = [identifier for identifier, rule in RULES.items() if packet_type in rule.packets]
    chosen = draw(st.lists(st.sampled_from(known), unique=True, max_size=6))
    if Property.AUTHENTICATION_DATA in chosen and Property.AUTHENTICATION_METHOD not in chosen:
        chosen.append(Property.AUTHENTICATION_METHOD)
    return tuple((identifier, draw(VALUES[RULES[identifier].kind])) for identifier in chosen)


@st.composite
def packets(draw: st.DrawFn, level: int) -> Packet:
    """Any packet of 3.1.1 (level 4) or MQTT 5."""
    kind = draw(st.sampled_from([item for item in PacketType if level == 5 or item != PacketType.AUTH]))
    extra = draw(properties(kind, level))
    match kind:
        case PacketType.CONNECT:
            return draw(connects(level, extra))
        case PacketType.CONNACK:
            code = draw(st.sampled_from(sorted(CODES[kind]) if level == 5 else range(6)))
            return Connack(code == 0 and draw(st.booleans()), code, extra)
        case PacketType.PUBLISH:
            qos = draw(st.integers(0, 2))
            flags = draw(st.booleans()), qos > 0 and draw(st.booleans())
            return Publish(draw(topics), draw(binaries), qos, draw(ids) if qos else 0, *flags, extra)
        case PacketType.SUBSCRIBE:
            return Subscribe(draw(ids), tuple(draw(st.lists(subscriptions(level), min_size=1, max_size=4))), extra)
        case PacketType.SUBACK:
            codes = st.sampled_from(sorted(CODES[kind] if level == 5 else SUBACK_CODES_3))
            return Suback(draw(ids), bytes(draw(st.lists(codes, min_size=1, max_size=4))), extra)
        case PacketType.UNSUBSCRIBE:
            return Unsubscribe(draw(ids), tuple(draw(st.lists(good_filters, min_size=1, max_size=4))), extra)
        case PacketType.UNSUBACK:
            unsuback = st.lists(st.sampled_from(sorted(CODES[kind])), min_size=1, max_size=4)
            return Unsuback(draw(ids), bytes(draw(unsuback)) if level == 5 else b"", extra)
        case PacketType.PINGREQ:
            return Pingreq()
        case PacketType.PINGRESP:
            return Pingresp()
    code = draw(st.sampled_from(sorted(CODES[kind]))) if level == 5 else 0
    if kind == PacketType.DISCONNECT:
        return Disconnect(code, extra)
    return Auth(code, extra) if kind == PacketType.AUTH else Ack(kind, draw(ids), code, extra)


@st.composite
def connects(draw: st.DrawFn, level: int, extra: Properties) -> Connect:
    """A CONNECT; a password without a user name is of MQTT 5 only."""
    username = draw(st.none() | texts)
    password = draw(st.none() | binaries) if username is not None or level == 5 else None
    qos, retain = draw(st.integers(0, 2)), draw(st.booleans())
    will = (
        Will(draw(topics), draw(binaries), qos, retain, draw(properties(WILL, level))) if draw(st.booleans()) else None
    )
    keep_alive = draw(st.integers(0, 65_535))
    return Connect(draw(texts), level, draw(st.booleans()), keep_alive, username, password, will, extra)


@st.composite
def subscriptions(draw: st.DrawFn, level: int) -> Subscription:
    """A filter and what is wanted of it."""
    if level != 5:
        return Subscription(draw(good_filters), draw(st.integers(0, 2)))
    return Subscription(
        draw(good_filters), draw(st.integers(0, 2)), draw(st.booleans()), draw(st.booleans()), draw(st.integers(0, 2))
    )


def read_in_pieces(stream: PacketStream, data: bytes, cuts: list[int]) -> tuple[list[Packet], str]:
    """What comes out, and the reason of the violation that ended it ("": none)."""
    found: list[Packet] = []
    for start, stop in pairwise([0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]):
        try:
            stream.feed(data[start:stop], found)
        except ProtocolViolation as violation:
            return found, str(violation)
    return found, ""


@settings(max_examples=300)
@given(st.sampled_from([4, 5]).flatmap(lambda level: st.tuples(st.just(level), packets(level))))
def test_what_is_written_is_read_back(case: tuple[int, Packet]) -> None:
    level, packet = case
    found: list[Packet] = []
    PacketStream(1 << 20, level=level).feed(encode_packet(packet, level), found)
    assert found == [packet]
    assert type_of(found[0]) == type_of(packet)


@settings(max_examples=150)
@given(
    case=st.sampled_from([4, 5]).flatmap(
        lambda level: st.tuples(st.just(level), st.lists(packets(level).filter(lambda p: not isinstance(p, Connect))))
    ),
    tail=st.binary(max_size=20),
    cuts=st.lists(st.integers(0, 1 << 16), max_size=8),
)
def test_how_a_stream_is_cut_never_changes_what_comes_out(
    case: tuple[int, list[Packet]], tail: bytes, cuts: list[int]
) -> None:
    level, written = case
    data = b"".join(encode_packet(packet, level) for packet in written) + tail
    whole = read_in_pieces(PacketStream(1 << 20, level=level), data, [])
    assert read_in_pieces(PacketStream(1 << 20, level=level), data, cuts) == whole
    assert whole[0][: len(written)] == written


@settings(max_examples=500)
@given(first=st.integers(0, 255), body=st.binary(max_size=60), level=st.sampled_from([0, 3, 4, 5]))
def test_any_bytes_are_a_packet_or_a_violation(first: int, body: bytes, level: int) -> None:
    try:
        packet = decode_packet(first, b"\xff" + body + b"\xff", 1, 1 + len(body), level)
    except ProtocolViolation:
        return
    assert type_of(packet) == first >> 4


@settings(max_examples=300)
@given(
    data=st.sampled_from(
        [*MALFORMED.values(), *MALFORMED_CONNECTS.values(), connect("d"), subscribe(1, ("a", 1)), publish("a")]
    ),
    at=st.integers(0, 1 << 16),
    byte=st.integers(0, 255),
    level=st.sampled_from([0, 4, 5]),
    cuts=st.lists(st.integers(0, 1 << 16), max_size=4),
)
def test_a_changed_byte_never_breaks_the_reader(data: bytes, at: int, byte: int, level: int, cuts: list[int]) -> None:
    at %= len(data)
    changed = data[:at] + bytes([byte]) + data[at + 1 :]
    whole = read_in_pieces(PacketStream(1000, level=level), changed, [])
    assert read_in_pieces(PacketStream(1000, level=level), changed, cuts) == whole


@settings(max_examples=150)
@given(packets(5), st.integers(0, 1 << 16))
def test_a_packet_cut_short_is_refused_or_another_whole_packet(packet: Packet, cut: int) -> None:
    data = encode_packet(packet, 5)
    stream = PacketStream(1 << 20, level=5)
    found: list[Packet] = []
    stream.feed(data[: cut % len(data)], found)
    assert found == []
    assert stream.pending == cut % len(data)
