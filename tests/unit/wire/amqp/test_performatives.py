import pytest

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.conditions import NOT_FOUND, NOT_IMPLEMENTED
from ironhub.wire.amqp.decode import decode
from ironhub.wire.amqp.errors import Error, MalformedValue, ProtocolViolation
from ironhub.wire.amqp.performatives import (
    ABSENT,
    Attach,
    Begin,
    Close,
    Detach,
    Disposition,
    End,
    Flow,
    Open,
    Performative,
    Transfer,
    decode_performative,
)
from ironhub.wire.amqp.termini import Terminus, source, target
from ironhub.wire.amqp.values import Described

NULL = encode.NULL
BAG = encode.map_([(encode.symbol("product"), encode.string("p"))])
WIDTHS: list[tuple[Performative, int]] = [
    (Open("c"), 10),
    (
        Open("c", "h", 512, 7, 240_000, offered_capabilities=["a"], desired_capabilities=["b", "c"], properties=BAG),
        10,
    ),
    (Begin(ABSENT, 0, 5000, 5000), 8),
    (Begin(3, 1, 2, 3, 255, properties=BAG), 8),
    (Attach("n", 0, True), 14),
    (Attach("n", 7, False, 0, 1, source("s"), target("t"), initial_delivery_count=0, max_message_size=1 << 40), 14),
    (Attach("n", 7, True, offered_capabilities=["a"], desired_capabilities=["b"], properties=BAG), 14),
    (Flow(1, 2, 3, 4), 11),
    (Transfer(1, 2, b"t", 0, payload=b""), 11),
    (Disposition(True, 1), 6),
    (Detach(7), 3),
    (Detach(7, True, Error(NOT_FOUND, "why")), 3),
    (End(), 1),
    (End(Error(NOT_FOUND)), 1),
    (Close(), 1),
    (Close(Error(NOT_FOUND, "x" * 300)), 1),
]


def listed(code: int, *items: bytes) -> bytes:
    return encode.described(code, encode.list_(items))


@pytest.mark.parametrize(("performative", "width"), WIDTHS)
def test_each_is_written_full_width_and_read_back(performative: Performative, width: int) -> None:
    body = performative.encode()
    found = decode_performative(body)
    assert type(found) is type(performative)
    assert found.encode() == body
    value, _ = decode(body)
    assert isinstance(value, Described)
    assert isinstance(value.value, list)
    assert len(value.value) == width


def test_an_open_may_leave_out_all_but_its_name() -> None:
    found = decode_performative(listed(0x10, encode.string("c")))
    assert isinstance(found, Open)
    assert (found.container_id, found.hostname, found.idle_time_out) == ("c", None, 0)
    assert (found.max_frame_size, found.channel_max) == (0xFFFF_FFFF, 65_535)
    assert (found.offered_capabilities, found.desired_capabilities, found.properties_map()) == ([], [], {})


def test_an_open_tells_all_it_says() -> None:
    found = decode_performative(WIDTHS[1][0].encode())
    assert isinstance(found, Open)
    assert (found.hostname, found.max_frame_size, found.channel_max, found.idle_time_out) == ("h", 512, 7, 240_000)
    assert (found.offered_capabilities, found.desired_capabilities) == (["a"], ["b", "c"])
    assert found.properties_map() == {"product": "p"}


def test_a_begin_from_the_one_who_begins_names_no_channel() -> None:
    found = decode_performative(listed(0x11, NULL, encode.uint(1), encode.uint(2), encode.uint(3)))
    assert isinstance(found, Begin)
    assert (found.remote_channel, found.next_outgoing_id, found.incoming_window) == (ABSENT, 1, 2)
    assert (found.outgoing_window, found.handle_max, found.properties) == (3, 0xFFFF_FFFF, NULL)


def test_an_attach_may_leave_out_most() -> None:
    found = decode_performative(listed(0x12, encode.string("n"), encode.uint(1), encode.TRUE))
    assert isinstance(found, Attach)
    assert (found.name, found.handle, found.role, found.snd_settle_mode, found.rcv_settle_mode) == ("n", 1, True, 2, 0)
    assert (found.source, found.target, found.initial_delivery_count, found.max_message_size) == (None, None, ABSENT, 0)
    assert found.properties_map() == {}


def test_an_attach_sends_source_and_target_back_as_they_came() -> None:
    odd = b"\x00\x80\x00\x00\x00\x00\x00\x00\x00\x28\xd0\x00\x00\x00\x07\x00\x00\x00\x01\xa1\x01a"
    body = listed(0x12, encode.string("n"), encode.uint(1), encode.TRUE, NULL, NULL, odd, NULL)
    found = decode_performative(body)
    assert isinstance(found, Attach)
    assert isinstance(found.source, Terminus)
    assert found.source.address == "a"
    assert odd in found.encode()


def test_a_descriptor_may_be_long_or_a_symbol() -> None:
    items = encode.list_([])
    for body in (b"\x00\x80" + (0x18).to_bytes(8, "big") + items, encode.described_symbol("amqp:close:list", items)):
        assert isinstance(decode_performative(body), Close)


@pytest.mark.parametrize("code", [0x0F, 0x19, 0x41, 0xFF])
def test_another_performative_is_not_implemented(code: int) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        decode_performative(listed(code))
    assert caught.value.condition == NOT_IMPLEMENTED


@pytest.mark.parametrize(
    "body",
    [
        b"\x40",
        b"\x45",
        b"\x00\x53\x10",
        b"\x00\x53\x10\x40",
        listed(0x10),
        listed(0x10, NULL),
        listed(0x10, encode.uint(1)),
        listed(0x10, encode.string("c"), *[NULL] * 10),
        listed(0x10, encode.string("c"), *[NULL] * 8, encode.uint(1)),
        listed(0x10, encode.string("c"), NULL, encode.ulong(5)),
        listed(0x11, NULL, NULL, encode.uint(1), encode.uint(1)),
        listed(0x11, encode.uint(1), *[encode.uint(1)] * 3),
        listed(0x12, encode.string("n"), encode.uint(1)),
        listed(0x12, encode.string("n"), encode.uint(1), NULL),
        listed(0x12, encode.string("n"), NULL, encode.TRUE),
        listed(0x12, encode.string("n"), encode.uint(1), encode.FALSE),
        listed(0x12, encode.string("n"), encode.uint(1), encode.TRUE, encode.ubyte(3)),
        listed(0x12, encode.string("n"), encode.uint(1), encode.TRUE, NULL, encode.ubyte(2)),
        listed(0x12, encode.string("n"), encode.uint(1), encode.TRUE, NULL, NULL, encode.string("a")),
        listed(0x16),
        listed(0x16, encode.uint(1), encode.TRUE, encode.string("why")),
        listed(0x17, NULL, NULL),
        listed(0x18) + b"payload",
        listed(0x18, encode.uint(1)),
    ],
)
def test_what_is_not_as_it_should_be_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedValue):
        decode_performative(body)
