"""What MQTT 3.1.1 and 5 demand of bytes a server reads: each statement with streams it admits and streams it refuses.

Typed data, written by hand from the standards. `first` vectors stand before any CONNECT; all others come after one
that was accepted, over a session that admits QoS 1 and no topic aliases.
"""

from dataclasses import dataclass

from tests.fakes.mqtt_packets import connect, field, number, packet, puback, publish, subscribe, unsubscribe


@dataclass(frozen=True)
class Vector:
    """One stream and what must become of it."""

    statement: str
    """"MQTT-x.y.z-n" as the standard numbers it, or the section where it gives no number."""
    good: bool
    """Whether the session goes on."""
    data: bytes
    level: int = 4
    first: bool = False
    note: str = ""

    @property
    def id(self) -> str:
        """How the test is called."""
        return f"{self.level}-{self.statement}-{'good' if self.good else 'bad'}-{self.note}".rstrip("-")


def good(statement: str, data: bytes, note: str = "", *, level: int = 4, first: bool = False) -> Vector:
    """A stream the statement admits."""
    return Vector(statement, True, data, level, first, note)


def bad(statement: str, data: bytes, note: str = "", *, level: int = 4, first: bool = False) -> Vector:
    """A stream the statement refuses."""
    return Vector(statement, False, data, level, first, note)


def connect_body(flags: int, *fields: bytes, name: bytes = b"MQTT", level: int = 4) -> bytes:
    """A CONNECT of any flags and fields."""
    return packet(0x10, field(name), bytes([level, flags]), number(60), *fields)


def properties(*items: bytes) -> bytes:
    """Properties with their length; each item is an identifier and its value."""
    body = b"".join(items)
    return bytes([len(body)]) + body


def publish_5(topic: str, *items: bytes, first: int = 0x30, packet_id: bytes = b"") -> bytes:
    """A PUBLISH of MQTT 5."""
    return packet(first, field(topic), packet_id, properties(*items), b"payload")


def connect_5(*items: bytes, flags: int = 0x02, rest: bytes = b"") -> bytes:
    """A CONNECT of MQTT 5 with properties."""
    return connect_body(flags, properties(*items), field("d"), rest, level=5)


def will_5(*items: bytes, flags: int = 0x06) -> bytes:
    """A CONNECT of MQTT 5 with a will that has properties."""
    return connect_5(flags=flags, rest=properties(*items) + field("t") + field(""))


D = field("d")
ONE = number(1)

FIELDS = [
    good("MQTT-1.5.3-1", publish("\u00e9\u4e2d\U0001f600"), "two, three and four bytes"),
    bad("MQTT-1.5.3-1", publish(b"a\xed\xa0\x80"), "high surrogate"),
    bad("MQTT-1.5.3-1", publish(b"a\xed\xb0\x80"), "low surrogate"),
    bad("MQTT-1.5.3-1", publish(b"a\xc0\xaf"), "overlong"),
    bad("MQTT-1.5.3-1", publish(b"\x80"), "lone continuation"),
    bad("MQTT-1.5.3-1", publish(b"\xf4\x90\x80\x80"), "beyond U+10FFFF"),
    bad("MQTT-1.5.3-1", publish(b"a\xc3"), "cut short"),
    good("MQTT-1.5.3-2", publish("a\x01b"), "U+0001 is discouraged, not forbidden"),
    bad("MQTT-1.5.3-2", publish("a\0b"), "topic"),
    bad("MQTT-1.5.3-2", subscribe(1, ("a\0b", 0)), "filter"),
    bad("MQTT-1.5.3-2", connect("d\0"), "client id", first=True),
    bad("MQTT-1.5.3-2", connect("d", username="\0"), "user name", first=True),
    good("MQTT-1.5.3-3", publish("\ufeffa"), "byte order mark"),
    good("2.2.3", publish("a", b"x" * 121), "length of one byte"),
    good("2.2.3", publish("a", b"x" * 125), "length of two bytes"),
    good("2.2.3", publish("a", b"x" * 16_381), "length of three bytes"),
    bad("2.2.3", b"\xc0\x80\x80\x80\x80\x00", "length of five bytes"),
    bad("2.2.3", b"\x30\xff\xff\xff\xff", "fourth byte goes on"),
    bad("MQTT-2.2.2-2", packet(0xC8), "PINGREQ"),
    bad("MQTT-2.2.2-2", packet(0x41, ONE), "PUBACK"),
    bad("MQTT-2.2.2-2", packet(0xE2), "DISCONNECT"),
    bad("MQTT-2.2.2-2", b"\x12" + connect("d")[1:], "CONNECT", first=True),
    bad("2.2.1", packet(0x00), "type 0"),
    bad("2.2.1", packet(0xF0), "type 15"),
    good("MQTT-2.3.1-1", publish("a", qos=1, packet_id=65_535), "largest"),
    bad("MQTT-2.3.1-1", publish("a", qos=1, packet_id=0), "PUBLISH"),
    bad("MQTT-2.3.1-1", subscribe(0, ("a", 0)), "SUBSCRIBE"),
    bad("MQTT-2.3.1-1", unsubscribe(0, "a"), "UNSUBSCRIBE"),
    bad("MQTT-2.3.1-1", puback(0), "PUBACK"),
    good("MQTT-2.3.1-5", publish("a", b""), "QoS 0 has no packet id"),
]

CONNECTS = [
    good("MQTT-3.1.0-1", connect("d"), first=True),
    bad("MQTT-3.1.0-1", publish("a"), "PUBLISH first", first=True),
    bad("MQTT-3.1.0-1", packet(0xC0), "PINGREQ first", first=True),
    bad("MQTT-3.1.0-1", packet(0xE0), "DISCONNECT first", first=True),
    bad("MQTT-3.1.0-2", connect("d"), "twice"),
    bad("MQTT-3.1.2-1", connect_body(2, D, name=b"mqtt"), "small letters", first=True),
    bad("MQTT-3.1.2-1", connect_body(2, D, name=b"MQTTX"), "longer", first=True),
    bad("MQTT-3.1.2-1", connect_body(2, D, name=b""), "none", first=True),
    good("MQTT-3.1.2-2", connect("d", level=5), "level 5", first=True),
    good("MQTT-3.1.2-2", connect_body(2, D, name=b"MQIsdp", level=3), "level 3", first=True),
    bad("MQTT-3.1.2-2", connect_body(2, D, level=0), "level 0", first=True),
    bad("MQTT-3.1.2-2", connect_body(2, D, level=6), "level 6", first=True),
    bad("MQTT-3.1.2-2", connect_body(2, D, level=0x84), "a bridge", first=True),
    bad("MQTT-3.1.2-3", connect_body(0x03, D), first=True),
    bad("MQTT-3.1.2-11", connect_body(0x0A, D), "QoS 1 of no will", first=True),
    good("MQTT-3.1.2-9", connect("d", will=("t", b"bye")), first=True),
    bad("MQTT-3.1.2-9", connect_body(0x06, D), "flag without fields", first=True),
    bad("MQTT-3.1.2-9", connect_body(0x06, D, field("t")), "topic without message", first=True),
    bad("MQTT-3.1.2-12", connect_body(0x02, D, field("t"), field("bye")), "fields without flag", first=True),
    bad("MQTT-3.1.2-13", connect_body(0x12, D), first=True),
    good("MQTT-3.1.2-14", connect("d", will=("t", b""), will_qos=2), first=True),
    bad("MQTT-3.1.2-14", connect("d", will=("t", b""), will_qos=3), first=True),
    bad("MQTT-3.1.2-15", connect_body(0x22, D), first=True),
    bad("MQTT-3.1.2-18", connect_body(0x02, D, field("u")), "user name without flag", first=True),
    bad("MQTT-3.1.2-19", connect_body(0x82, D), "flag without user name", first=True),
    bad("MQTT-3.1.2-20", connect_body(0x82, D, field("u"), field("p")), "password without flag", first=True),
    bad("MQTT-3.1.2-21", connect_body(0xC2, D, field("u")), "flag without password", first=True),
    good("MQTT-3.1.2-22", connect("d", username="u", password=b"\x00\xff"), first=True),
    bad("MQTT-3.1.2-22", connect_body(0x42, D, field("p")), first=True),
    good("MQTT-3.1.3-1", connect("d", username="u", password=b"p", will=("t", b"x")), "all fields", first=True),
    bad("MQTT-3.1.3-3", connect_body(0x02), "no client id", first=True),
    bad("MQTT-3.1.3-4", connect_body(0x02, field(b"\xff")), first=True),
    good("MQTT-3.1.3-5", connect("a" * 200), "longer than a server must take", first=True),
    good("MQTT-3.1.3-6", connect(""), "no id, clean", first=True),
    bad("MQTT-3.1.3-7", connect("", clean=False), "no id, not clean", first=True),
    bad("MQTT-3.1.3-10", connect_body(0x06, D, field(b"\xff"), field("")), first=True),
    bad("MQTT-3.1.3-11", connect_body(0x82, D, field(b"\xff")), first=True),
    bad("3.1.2.10", packet(0x10, field("MQTT"), b"\x04\x02\x00"), "half a keep-alive", first=True),
    bad("3.1.3", packet(0x10, connect("d")[2:], b"\x00"), "a byte too much", first=True),
]

PUBLISHES = [
    good("MQTT-3.3.1-1", publish("a", qos=1, dup=True), "repeated"),
    bad("MQTT-3.3.1-2", packet(0x38, field("a")), "repeated with QoS 0"),
    bad("MQTT-3.3.1-4", packet(0x36, field("a"), ONE)),
    bad("MQTT-3.3.1-4", packet(0x3E, field("a"), ONE), "repeated"),
    good("MQTT-3.3.2-1", publish("$iothub/twin/GET/?$rid=1")),
    bad("MQTT-3.3.2-1", packet(0x30), "no topic"),
    bad("MQTT-3.3.2-1", packet(0x30, b"\x00\x02a"), "topic cut short"),
    bad("MQTT-3.3.2-2", publish("a/+")),
    bad("MQTT-3.3.2-2", publish("#")),
    bad("3.3.2.2", packet(0x32, field("a")), "QoS 1 without packet id"),
    bad("3.3.2.2", packet(0x32, field("a"), b"\x01"), "half a packet id"),
    good("3.3.3", publish("a", b""), "no payload"),
    bad("4.3.3", publish("a", qos=2), "QoS 2, which this server does not take"),
    good("3.4.1", puback(9), "for nothing in flight"),
    bad("3.4.1", packet(0x40, ONE, b"\x00"), "a byte too much"),
    bad("3.4.1", packet(0x40, b"\x00"), "a byte too few"),
    bad("MQTT-3.6.1-1", packet(0x60, ONE)),
    bad("3.5", packet(0x50, ONE), "PUBREC for nothing we sent"),
    bad("3.7", packet(0x70, ONE), "PUBCOMP for nothing we sent"),
]

SUBSCRIPTIONS = [
    bad("MQTT-3.8.1-1", packet(0x80, ONE, field("a"), b"\x00")),
    bad("MQTT-3.8.1-1", packet(0x8A, ONE, field("a"), b"\x00")),
    bad("MQTT-3.8.3-1", packet(0x82, ONE, field(b"\xc0\x80"), b"\x00")),
    good("MQTT-3.8.3-3", subscribe(1, ("a", 0), ("b", 1), ("c", 2)), "three"),
    bad("MQTT-3.8.3-3", subscribe(1), "none"),
    bad("MQTT-3.8.3-3", packet(0x82), "no packet id either"),
    bad("MQTT-3-8.3-4", subscribe(1, ("a", 3)), "QoS 3"),
    bad("MQTT-3-8.3-4", subscribe(1, ("a", 0x04)), "reserved bit"),
    bad("MQTT-3-8.3-4", subscribe(1, ("a", 0x80)), "highest bit"),
    bad("3.8.3", packet(0x82, ONE, field("a")), "no QoS"),
    bad("MQTT-3.10.1-1", packet(0xA0, ONE, field("a"))),
    bad("MQTT-3.10.3-1", packet(0xA2, ONE, field(b"\xff"))),
    good("MQTT-3.10.3-2", unsubscribe(1, "a", "b/#")),
    bad("MQTT-3.10.3-2", unsubscribe(1)),
    bad("3.10.3", packet(0xA2, ONE, field("a"), b"\x00"), "half a filter"),
    good("MQTT-4.7.1-2", subscribe(1, ("#", 0), ("a/#", 0))),
    bad("MQTT-4.7.1-2", subscribe(1, ("a/#/b", 0))),
    bad("MQTT-4.7.1-2", subscribe(1, ("a#", 0))),
    bad("MQTT-4.7.1-2", unsubscribe(1, "#/")),
    good("MQTT-4.7.1-3", subscribe(1, ("+", 0), ("+/a/+", 0), ("+/#", 0))),
    bad("MQTT-4.7.1-3", subscribe(1, ("a+", 0))),
    bad("MQTT-4.7.1-3", subscribe(1, ("a/+b/c", 0))),
    good("MQTT-4.7.3-1", subscribe(1, ("/", 0))),
    bad("MQTT-4.7.3-1", subscribe(1, ("", 0)), "filter"),
    bad("MQTT-4.7.3-1", publish(""), "topic"),
]

OTHERS = [
    good("3.12", packet(0xC0)),
    bad("3.12", packet(0xC0, b"\x00"), "a body"),
    bad("3.13", packet(0xD0), "PINGRESP from a client"),
    bad("3.2", b"\x20\x02\x00\x00", "CONNACK from a client"),
    bad("3.9", packet(0x90, ONE, b"\x00"), "SUBACK from a client"),
    bad("3.11", packet(0xB0, ONE), "UNSUBACK from a client"),
    bad("MQTT-3.14.1-1", packet(0xE1)),
    bad("3.14", packet(0xE0, b"\x00"), "a body"),
]

USER = b"\x26\x00\x01a\x00\x01b"

VERSION_5 = [
    good("MQTT-1.5.5-1", publish_5("a"), level=5),
    bad("MQTT-1.5.5-1", b"\xc0\x80\x00", "remaining length", level=5),
    bad("MQTT-1.5.5-1", packet(0x30, field("a"), b"\x80\x00"), "property length", level=5),
    good("MQTT-1.5.7-1", publish_5("a", USER, USER), "user properties repeat", level=5),
    bad("MQTT-1.5.7-1", publish_5("a", b"\x26\x00\x01a\x00\x01\xff"), "value is not UTF-8", level=5),
    bad("MQTT-2.2.2-1", packet(0x30, field("a")), "no property length", level=5),
    bad("2.2.2.2", publish_5("a", b"\x24\x01"), "of CONNACK", level=5),
    bad("2.2.2.2", publish_5("a", b"\x04\x01"), "unknown", level=5),
    bad("2.2.2.2", publish_5("a", b"\x18\x00\x00\x00\x01"), "of a will", level=5),
    bad("2.2.2.2", packet(0x30, field("a"), b"\x05\x01\x01"), "beyond the packet", level=5),
    good("3.1.2.11.2", connect_5(b"\x11\x00\x00\x00\x05"), "session expiry", level=5, first=True),
    bad("3.1.2.11.2", connect_5(b"\x11\x00\x00\x00\x05" * 2), "session expiry twice", level=5, first=True),
    bad("3.1.2.11.3", connect_5(b"\x21\x00\x00"), "receive maximum 0", level=5, first=True),
    bad("3.1.2.11.4", connect_5(b"\x27\x00\x00\x00\x00"), "maximum packet size 0", level=5, first=True),
    bad("3.1.2.11.6", connect_5(b"\x19\x02"), "request response information 2", level=5, first=True),
    bad("3.1.2.11.7", connect_5(b"\x17\x02"), "request problem information 2", level=5, first=True),
    bad("3.1.2.11.10", connect_5(b"\x16\x00\x00"), "authentication data without method", level=5, first=True),
    bad("MQTT-4.12.0-1", connect_5(b"\x15\x00\x01x"), "a method we do not offer", level=5, first=True),
    good("3.1.2.9", connect_5(flags=0x42, rest=field("p")), "password without user name", level=5, first=True),
    bad("MQTT-3.1.2-3", connect_5(flags=0x03), "reserved flag", level=5, first=True),
    bad("MQTT-3.1.2-12", will_5(flags=0x1E), "will QoS 3", level=5, first=True),
    good("3.1.3.2", will_5(b"\x18\x00\x00\x00\x01"), level=5, first=True),
    bad("3.1.3.2", connect_5(flags=0x06, rest=field("t") + field("")), "will without properties", level=5, first=True),
    bad(
        "3.1.3.2",
        will_5(b"\x23\x00\x01"),
        "alias",
        level=5,
        first=True,
    ),
    bad("MQTT-3.2.2-12", will_5(flags=0x16), "will of a QoS we do not take", level=5, first=True),
    bad("MQTT-3.3.2-8", publish_5("a", b"\x23\x00\x00"), "topic alias 0", level=5),
    bad("MQTT-3.3.2-9", publish_5("a", b"\x23\x00\x01"), "alias beyond what we admit", level=5),
    bad("MQTT-3.3.2-1", publish_5(""), "neither topic nor alias", level=5),
    bad("MQTT-3.3.2-14", publish_5("a", b"\x08\x00\x03a/#"), "response topic with wildcard", level=5),
    bad("MQTT-3.3.4-6", publish_5("a", b"\x0b\x01"), "subscription identifier from a client", level=5),
    bad("3.3.2.3.2", publish_5("a", b"\x01\x02"), "payload format 2", level=5),
    bad("3.3.2.3.3", publish_5("a", b"\x02\x00\x00\x00\x01" * 2), "expiry twice", level=5),
    bad("MQTT-3.2.2-11", publish_5("a", first=0x34, packet_id=ONE), "QoS 2 beyond maximum QoS", level=5),
    good("3.4.2.1", packet(0x40, ONE), "PUBACK without reason", level=5),
    good("3.4.2.1", packet(0x40, ONE, b"\x10"), "PUBACK without properties", level=5),
    bad("MQTT-3.4.2-1", packet(0x40, ONE, b"\x01"), "unknown reason", level=5),
    bad("3.4.2.2", packet(0x40, ONE, b"\x00", properties(b"\x11\x00\x00\x00\x01")), "property of CONNECT", level=5),
    good("3.8.3.1", packet(0x82, ONE, b"\x00", field("a"), b"\x2d"), "all options", level=5),
    bad("3.8.3.1", packet(0x82, ONE, b"\x00", field("a"), b"\x03"), "QoS 3", level=5),
    bad("3.8.3.1", packet(0x82, ONE, b"\x00", field("a"), b"\x30"), "retain handling 3", level=5),
    bad("MQTT-3.8.3-5", packet(0x82, ONE, b"\x00", field("a"), b"\x40"), "reserved bit", level=5),
    bad("MQTT-3.8.3-2", packet(0x82, ONE, b"\x00"), "no filter", level=5),
    bad("MQTT-3.8.3-4", packet(0x82, ONE, b"\x00", field("$share/g/a"), b"\x04"), "shared, no local", level=5),
    bad("3.8.2.1.2", packet(0x82, ONE, properties(b"\x0b\x00"), field("a"), b"\x00"), "identifier 0", level=5),
    bad("3.8.2.1.2", packet(0x82, ONE, properties(b"\x0b\x01\x0b\x02"), field("a"), b"\x00"), "twice", level=5),
    good("MQTT-4.8.2-1", packet(0x82, ONE, b"\x00", field("$share/g/a/#"), b"\x00"), level=5),
    bad("MQTT-4.8.2-1", packet(0x82, ONE, b"\x00", field("$share//a"), b"\x00"), "no name", level=5),
    bad("MQTT-4.8.2-2", packet(0x82, ONE, b"\x00", field("$share/g+/a"), b"\x00"), "name with wildcard", level=5),
    bad("MQTT-4.8.2-2", packet(0x82, ONE, b"\x00", field("$share/g"), b"\x00"), "no filter", level=5),
    bad("MQTT-3.10.3-2", packet(0xA2, ONE, b"\x00"), "no filter", level=5),
    bad("MQTT-3.14.2-1", packet(0xE0, b"\x01"), "unknown reason", level=5),
    bad("3.14.2.1", packet(0xE0, b"\x8e"), "a server's reason", level=5),
    bad("3.14.2.2.2", packet(0xE0, b"\x00", properties(b"\x11\x00\x00\x00\x01")), "prolongs the session", level=5),
    bad("3.14.2.2.5", packet(0xE0, b"\x00", properties(b"\x1c\x00\x01x")), "server reference", level=5),
    bad("MQTT-3.15.1-1", packet(0xF1), "flags", level=5),
    bad("MQTT-4.12.0-7", packet(0xF0, b"\x18\x00"), "AUTH without a method agreed", level=5),
]

VECTORS: list[Vector] = [*FIELDS, *CONNECTS, *PUBLISHES, *SUBSCRIPTIONS, *OTHERS, *VERSION_5]
