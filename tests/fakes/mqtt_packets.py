"""Raw MQTT 3.1.1 packets for clients that obey no library, and a list of those no server may take.

Written from the standard by hand, not with our own encoder: what encodes wrongly must not test what decodes wrongly.
"""

CONNACK_ACCEPTED = b"\x20\x02\x00\x00"
PINGREQ = b"\xc0\x00"
PINGRESP = b"\xd0\x00"
DISCONNECT = b"\xe0\x00"


def length(size: int) -> bytes:
    """A remaining length in as few bytes as it needs."""
    out = b""
    while True:
        size, low = divmod(size, 128)
        out += bytes([low | (0x80 if size else 0)])
        if not size:
            return out


def packet(first: int, *parts: bytes) -> bytes:
    """A whole packet of a first byte and what comes after the remaining length."""
    body = b"".join(parts)
    return bytes([first]) + length(len(body)) + body


def field(value: str | bytes) -> bytes:
    """A string or binary field with its two length bytes."""
    raw = value.encode() if isinstance(value, str) else value
    return len(raw).to_bytes(2, "big") + raw


def number(value: int) -> bytes:
    """Two bytes, big endian."""
    return value.to_bytes(2, "big")


def connect(
    client_id: str,
    *,
    username: str | None = None,
    password: bytes | None = None,
    keep_alive: int = 60,
    clean: bool = True,
    level: int = 4,
    name: str = "MQTT",
    will: tuple[str, bytes] | None = None,
    will_qos: int = 0,
    flags: int | None = None,
) -> bytes:
    """A CONNECT; `flags` overrides the byte that the other arguments make. Level 5 gets no properties."""
    made = 0x02 if clean else 0
    made |= (0x04 | will_qos << 3) if will else 0
    made |= (0x80 if username is not None else 0) | (0x40 if password is not None else 0)
    none = b"\x00" if level == 5 else b""
    parts = [field(name), bytes([level, made if flags is None else flags]), number(keep_alive), none, field(client_id)]
    if will:
        parts += [none, field(will[0]), field(will[1])]
    parts += [field(value) for value in (username, password) if value is not None]
    return packet(0x10, *parts)


def publish(
    topic: str | bytes,
    payload: bytes = b"",
    *,
    qos: int = 0,
    packet_id: int = 1,
    retain: bool = False,
    dup: bool = False,
) -> bytes:
    """A PUBLISH; the packet id is left out with QoS 0."""
    first = 0x30 | qos << 1 | (1 if retain else 0) | (8 if dup else 0)
    return packet(first, field(topic), number(packet_id) if qos else b"", payload)


def puback(packet_id: int) -> bytes:
    """A PUBACK."""
    return packet(0x40, number(packet_id))


def subscribe(packet_id: int, *filters: tuple[str, int]) -> bytes:
    """A SUBSCRIBE of pairs of filter and QoS."""
    return packet(0x82, number(packet_id), *(field(name) + bytes([qos]) for name, qos in filters))


def unsubscribe(packet_id: int, *filters: str) -> bytes:
    """An UNSUBSCRIBE."""
    return packet(0xA2, number(packet_id), *(field(name) for name in filters))


def suback(packet_id: int, codes: bytes) -> bytes:
    """A SUBACK."""
    return packet(0x90, number(packet_id), codes)


MALFORMED: dict[str, bytes] = {
    # The fixed header
    "packet type 0": packet(0x00),
    "packet type 15": packet(0xF0),
    "remaining length of five bytes": b"\x30\x80\x80\x80\x80\x01",
    "remaining length of 256 MB": b"\x30\xff\xff\xff\x7f",
    "PINGREQ with flags": packet(0xC1),
    "PINGREQ with a body": packet(0xC0, b"\x00"),
    "DISCONNECT with flags": packet(0xE1),
    "DISCONNECT with a body": packet(0xE0, b"\x00"),
    # What may not come here
    "second CONNECT": connect("again"),
    "CONNACK from a client": CONNACK_ACCEPTED,
    "PUBREC from a client": packet(0x50, number(1)),
    "PUBREL without a publish of QoS 2": packet(0x62, number(1)),
    "PUBCOMP from a client": packet(0x70, number(1)),
    "SUBACK from a client": suback(1, b"\x00"),
    "UNSUBACK from a client": packet(0xB0, number(1)),
    "PINGRESP from a client": PINGRESP,
    # PUBLISH
    "PUBLISH without a body": packet(0x30),
    "PUBLISH with one byte": packet(0x30, b"\x00"),
    "PUBLISH with an empty topic": publish(""),
    "PUBLISH with # in its topic": publish("a/#"),
    "PUBLISH with + in its topic": publish("a/+/b"),
    "PUBLISH with a topic longer than itself": packet(0x30, b"\x00\x05abc"),
    "PUBLISH with U+0000 in its topic": publish("a\0b"),
    "PUBLISH with a topic that is not UTF-8": publish(b"a\xff"),
    "PUBLISH with a surrogate in its topic": publish(b"a\xed\xa0\x80"),
    "PUBLISH with an overlong slash in its topic": publish(b"a\xc0\xafb"),
    "PUBLISH with QoS 2": publish("devices/d/messages/events/", b"x", qos=2),
    "PUBLISH with QoS 3": packet(0x36, field("a"), number(1)),
    "PUBLISH with QoS 0 repeated": packet(0x38, field("a")),
    "PUBLISH with QoS 1 and no packet id": packet(0x32, field("a")),
    "PUBLISH with QoS 1 and half a packet id": packet(0x32, field("a"), b"\x01"),
    "PUBLISH with packet id 0": publish("a", b"x", qos=1, packet_id=0),
    # PUBACK
    "PUBACK with flags": packet(0x42, number(1)),
    "PUBACK without a packet id": packet(0x40),
    "PUBACK with half a packet id": packet(0x40, b"\x01"),
    "PUBACK with packet id 0": puback(0),
    "PUBACK with a byte too much": packet(0x40, number(1), b"\x00"),
    # SUBSCRIBE
    "SUBSCRIBE without its flags": packet(0x80, number(1), field("a"), b"\x00"),
    "SUBSCRIBE without a body": packet(0x82),
    "SUBSCRIBE with packet id 0": subscribe(0, ("a", 0)),
    "SUBSCRIBE without a filter": subscribe(1),
    "SUBSCRIBE with an empty filter": subscribe(1, ("", 0)),
    "SUBSCRIBE without a QoS": packet(0x82, number(1), field("a")),
    "SUBSCRIBE with QoS 3": subscribe(1, ("a", 3)),
    "SUBSCRIBE with a reserved bit": subscribe(1, ("a", 4)),
    "SUBSCRIBE with # inside a filter": subscribe(1, ("a/#/b", 0)),
    "SUBSCRIBE with # after a letter": subscribe(1, ("a#", 0)),
    "SUBSCRIBE with + beside a letter": subscribe(1, ("a/b+", 0)),
    "SUBSCRIBE with a filter that is not UTF-8": packet(0x82, number(1), field(b"\xff"), b"\x00"),
    "SUBSCRIBE with U+0000 in a filter": subscribe(1, ("a\0", 0)),
    "SUBSCRIBE with a filter longer than itself": packet(0x82, number(1), b"\x00\x09a\x00"),
    "SUBSCRIBE with too many filters": subscribe(1, *[(f"a/{n}", 0) for n in range(1000)]),
    "SUBSCRIBE with a good and a bad filter": subscribe(1, ("good", 1), ("bad#", 1)),
    # UNSUBSCRIBE
    "UNSUBSCRIBE without its flags": packet(0xA0, number(1), field("a")),
    "UNSUBSCRIBE without a body": packet(0xA2),
    "UNSUBSCRIBE with packet id 0": unsubscribe(0, "a"),
    "UNSUBSCRIBE without a filter": unsubscribe(1),
    "UNSUBSCRIBE with an empty filter": unsubscribe(1, ""),
    "UNSUBSCRIBE with # inside a filter": unsubscribe(1, "#/a"),
    "UNSUBSCRIBE with a byte too much": packet(0xA2, number(1), field("a"), b"\x00"),
}
"""What ends a connection of MQTT 3.1.1 when it comes after a CONNECT that was accepted, by name."""

MALFORMED_CONNECTS: dict[str, bytes] = {
    "CONNECT with flags in its first byte": b"\x11" + connect("d")[1:],
    "CONNECT without a body": packet(0x10),
    "CONNECT of another protocol": connect("d", name="HTTP"),
    "CONNECT of MQTT in small letters": connect("d", name="mqtt"),
    "CONNECT of level 3 as MQTT": connect("d", level=3),
    "CONNECT of level 4 as MQIsdp": connect("d", name="MQIsdp"),
    "CONNECT of level 6": connect("d", level=6),
    "CONNECT of a bridge": connect("d", level=0x84),
    "CONNECT with its reserved flag set": connect("d", flags=0x03),
    "CONNECT with a password but no user name": packet(
        0x10, field("MQTT"), b"\x04\x42", number(60), field("d"), field("secret")
    ),
    "CONNECT with a QoS for no will": connect("d", flags=0x0A),
    "CONNECT with retain for no will": connect("d", flags=0x22),
    "CONNECT with a will of QoS 3": connect("d", will=("t", b"x"), will_qos=3),
    "CONNECT with a will that is not there": connect("d", flags=0x06),
    "CONNECT with a will to no topic": connect("d", will=("", b"x")),
    "CONNECT with a will to a wildcard": connect("d", will=("a/#", b"x")),
    "CONNECT with a user name that is not there": connect("d", flags=0x82),
    "CONNECT without a client id": packet(0x10, field("MQTT"), b"\x04\x02", number(60)),
    "CONNECT with U+0000 in its client id": connect("d\0"),
    "CONNECT with a byte too much": packet(0x10, connect("d")[2:], b"\x00"),
    "CONNECT with half a keep-alive": packet(0x10, field("MQTT"), b"\x04\x02\x00"),
    "CONNECT that claims 16 MB": b"\x10\xff\xff\xff\x07",
    "PUBLISH before CONNECT": publish("a"),
    "PINGREQ before CONNECT": PINGREQ,
    "DISCONNECT before CONNECT": DISCONNECT,
    "a request of HTTP": b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n",
    "a TLS ClientHello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}
"""What ends a connection when it comes first, by name."""
