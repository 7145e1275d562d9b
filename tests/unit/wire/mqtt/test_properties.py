import pytest

from ironhub.wire.mqtt.errors import ProtocolViolation, UsageError
from ironhub.wire.mqtt.fields import Reader
from ironhub.wire.mqtt.packets import PacketType
from ironhub.wire.mqtt.properties import (
    MAX_PROPERTIES,
    RULES,
    WILL,
    Kind,
    Properties,
    Property,
    PropertyValue,
    decode_properties,
    encode_properties,
    has,
    number,
)

GOOD: dict[Kind, PropertyValue] = {
    Kind.FLAG: 1,
    Kind.TWO: 0,
    Kind.TWO_NOT_ZERO: 65_535,
    Kind.FOUR: 0,
    Kind.FOUR_NOT_ZERO: 0xFFFF_FFFF,
    Kind.VARIABLE_NOT_ZERO: 268_435_455,
    Kind.TEXT: "text",
    Kind.BINARY: b"\x00\xff",
    Kind.PAIR: ("name", "value"),
}


def decode(data: bytes, packet_type: int) -> Properties:
    return decode_properties(Reader(data, 0, len(data)), packet_type)


@pytest.mark.parametrize("identifier", list(Property))
def test_each_property_goes_into_its_packets_and_into_no_other(identifier: Property) -> None:
    rule = RULES[identifier]
    properties: Properties = ((identifier, GOOD[rule.kind]),)
    written = encode_properties(properties, min(rule.packets))
    for packet_type in range(16):
        if packet_type in rule.packets:
            assert encode_properties(properties, packet_type) == written
            assert decode(written, packet_type) == properties
        else:
            with pytest.raises(ProtocolViolation):
                decode(written, packet_type)
            with pytest.raises(UsageError):
                encode_properties(properties, packet_type)


@pytest.mark.parametrize("identifier", [item for item in Property if item != Property.USER_PROPERTY])
def test_a_property_stands_once(identifier: Property) -> None:
    rule = RULES[identifier]
    packet_type = max(rule.packets)  # of the two with a subscription identifier: SUBSCRIBE
    written = encode_properties(((identifier, GOOD[rule.kind]),) * 2, packet_type)
    with pytest.raises(ProtocolViolation):
        decode(written, packet_type)


def test_user_properties_repeat_and_keep_their_order() -> None:
    """[MQTT-3.1.3-10] and its likes: order and repetition carry meaning"""
    pairs: Properties = tuple((Property.USER_PROPERTY, pair) for pair in (("b", "1"), ("a", "2"), ("b", "1")))
    assert decode(encode_properties(pairs, WILL), WILL) == pairs


def test_a_publish_names_each_subscription_it_answers() -> None:
    twice: Properties = ((Property.SUBSCRIPTION_IDENTIFIER, 1), (Property.SUBSCRIPTION_IDENTIFIER, 2))
    assert decode(encode_properties(twice, PacketType.PUBLISH), PacketType.PUBLISH) == twice


@pytest.mark.parametrize(
    ("data", "packet_type"),
    [
        ("0101", PacketType.PUBLISH),  # no value
        ("020102", PacketType.PUBLISH),  # a flag of 2
        ("03230000", PacketType.PUBLISH),  # topic alias 0
        ("020b00", PacketType.SUBSCRIBE),  # subscription identifier 0
        ("03210000", PacketType.CONNECT),  # receive maximum 0
        ("052700000000", PacketType.CONNECT),  # maximum packet size 0
        ("0204ff", PacketType.PUBLISH),  # unknown identifier
        ("027f00", PacketType.PUBLISH),
        ("0100", PacketType.PUBLISH),
        ("0501", PacketType.PUBLISH),  # longer than the packet
        ("0503000561", PacketType.PUBLISH),  # text beyond the properties
        ("04030001ff", PacketType.PUBLISH),  # not UTF-8
        ("06260001610001", PacketType.PUBLISH),  # half a pair
        ("8000", PacketType.PUBLISH),  # length not minimal
        ("03810001", PacketType.PUBLISH),  # identifier not minimal
    ],
)
def test_what_the_table_does_not_allow_is_refused(data: str, packet_type: int) -> None:
    with pytest.raises(ProtocolViolation):
        decode(bytes.fromhex(data), packet_type)


def test_the_number_of_properties_is_bounded() -> None:
    many: Properties = ((Property.USER_PROPERTY, ("", "")),) * MAX_PROPERTIES
    assert len(decode(encode_properties(many, WILL), WILL)) == MAX_PROPERTIES
    with pytest.raises(ProtocolViolation):
        decode(encode_properties(many + many[:1], WILL), WILL)


def test_reading_goes_on_after_the_properties() -> None:
    reader = Reader(b"\x02\x01\x01rest", 0, 7)
    assert decode_properties(reader, PacketType.PUBLISH) == ((Property.PAYLOAD_FORMAT_INDICATOR, 1),)
    assert reader.take(4) == b"rest"


@pytest.mark.parametrize("identifier", list(Property))
@pytest.mark.parametrize("value", [None, 1.5, [], -1, 1 << 32])
def test_a_value_of_another_kind_is_not_written(identifier: Property, value: object) -> None:
    rule = RULES[identifier]
    if rule.kind == Kind.FLAG and isinstance(value, int):
        return
    with pytest.raises((UsageError, TypeError)):
        encode_properties(((identifier, value),), min(rule.packets))  # type: ignore[arg-type]


@pytest.mark.parametrize("identifier", [Property.CONTENT_TYPE, Property.CORRELATION_DATA, Property.USER_PROPERTY])
def test_a_number_is_no_text(identifier: Property) -> None:
    with pytest.raises(UsageError):
        encode_properties(((identifier, 1),), PacketType.PUBLISH)


def test_an_unknown_property_is_not_written() -> None:
    with pytest.raises(UsageError):
        encode_properties(((4, 1),), PacketType.PUBLISH)


def test_no_properties_are_one_byte() -> None:
    assert encode_properties((), PacketType.PUBLISH) == b"\x00"
    assert decode(b"\x00", PacketType.PUBLISH) == ()


def test_looking_for_a_property() -> None:
    properties: Properties = ((Property.USER_PROPERTY, ("a", "b")), (Property.TOPIC_ALIAS, 7))
    assert number(properties, Property.TOPIC_ALIAS, 0) == 7
    assert number(properties, Property.USER_PROPERTY, 3) == 3
    assert number((), Property.TOPIC_ALIAS, 0) == 0
    assert has(properties, Property.TOPIC_ALIAS)
    assert not has(properties, Property.CONTENT_TYPE)
