import struct

import pytest

from ironhub.wire.amqp import encode, outcomes
from ironhub.wire.amqp.decode import decode
from ironhub.wire.amqp.errors import MalformedValue
from ironhub.wire.amqp.fields import ABSENT
from ironhub.wire.amqp.frames import FrameBuffer
from ironhub.wire.amqp.outcomes import DeliveryState
from ironhub.wire.amqp.transfers import (
    Disposition,
    Flow,
    Transfer,
    decode_disposition,
    decode_flow,
    decode_transfer,
    encode_disposition,
    encode_performative,
    encode_transfer,
)
from ironhub.wire.amqp.values import Described

NULL = encode.NULL
ACCEPTED = DeliveryState(outcomes.ACCEPTED)
TRANSFERS = [
    Transfer(0),
    Transfer(300, 5, b"", 0, True, True, b"payload"),
    Transfer(1, 1 << 31, b"t" * 32, 0x8001_3700, rcv_settle_mode=1, state=ACCEPTED, aborted=True),
]


def listed(*items: bytes) -> bytes:
    return encode.list_(items)


def width(body: bytes) -> int:
    """How many fields a performative is written with."""
    value, _ = decode(body)
    assert isinstance(value, Described)
    assert isinstance(value.value, list)
    return len(value.value)


@pytest.mark.parametrize("transfer", TRANSFERS, ids=repr)
def test_a_transfer_is_written_full_width_and_read_back(transfer: Transfer) -> None:
    body = transfer.encode()
    found = decode_transfer(body, 3)
    assert repr(found) == repr(transfer)
    assert (found.payload, found.message_format) == (transfer.payload, transfer.message_format)
    assert (found.rcv_settle_mode, repr(found.state)) == (transfer.rcv_settle_mode, repr(transfer.state))
    assert width(body) == 11


@pytest.mark.parametrize("settled", [True, False])
@pytest.mark.parametrize("message_format", [0, 7, 0x8001_3700])
@pytest.mark.parametrize("tag", [b"", b"\x00\x01", b"t" * 32])
def test_the_quick_way_writes_a_whole_frame(settled: bool, message_format: int, tag: bytes) -> None:
    data = encode_transfer(258, 1, 0xFFFF_FFFF, tag, message_format, settled, b"payload")
    buffer = FrameBuffer(1000)
    buffer.feed(data)
    frame = buffer.take()
    assert frame is not None
    assert (frame[:2], buffer.pending) == ((0, 258), 0)
    found = decode_transfer(frame[2], 3)
    assert repr(found) == repr(Transfer(1, 0xFFFF_FFFF, tag, message_format, settled, False, b"payload"))
    assert (found.message_format, found.payload) == (message_format, b"payload")
    assert width(frame[2]) == 11


def test_a_tag_has_32_bytes_at_most() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        encode_transfer(0, 0, 0, b"t" * 33, 0, True, b"")
    with pytest.raises(MalformedValue, match="32 bytes"):
        decode_transfer(Transfer(0, 0, b"t" * 33).encode(), 3)


def test_what_does_not_fit_a_frames_head_is_refused() -> None:
    with pytest.raises(struct.error):
        encode_transfer(0, 0, 1 << 32, b"", 0, True, b"")


def test_a_short_transfer_takes_the_defaults() -> None:
    found = decode_transfer(listed(encode.uint(7)) + b"rest", 0)
    assert (found.handle, found.delivery_id, found.delivery_tag, found.message_format) == (7, ABSENT, None, ABSENT)
    assert (found.settled, found.more, found.aborted, found.state, found.payload) == (
        False,
        False,
        False,
        None,
        b"rest",
    )
    nothing = decode_transfer(listed(encode.uint(7), *[NULL] * 10), 0)
    assert (nothing.state, nothing.rcv_settle_mode, nothing.aborted) == (None, ABSENT, False)
    seven = decode_transfer(listed(encode.uint(7), *[NULL] * 5, encode.ubyte(1)), 0)
    assert (seven.rcv_settle_mode, seven.state) == (1, None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x45",
        listed(NULL),
        listed(encode.string("a")),
        listed(encode.uint(1), *[NULL] * 11),
        listed(encode.uint(1), *[NULL] * 6, encode.uint(1)),
    ],
)
def test_what_is_no_transfer_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedValue):
        decode_transfer(body, 0)


def test_what_is_not_said_when_one_is_made_is_false() -> None:
    transfer, flow = Transfer(0), Flow(0, 0, 0, 0)
    assert (transfer.settled, transfer.more, transfer.aborted, flow.drain, flow.echo) == (False,) * 5
    assert decode_transfer(Transfer(0, rcv_settle_mode=0).encode(), 3).rcv_settle_mode == 0
    assert Disposition(True, 0xFFFF_FFFF, 0).last == 0


def test_a_repr_tells_no_payload() -> None:
    assert "secret" not in repr(Transfer(0, payload=b"secret"))


@pytest.mark.parametrize(
    "disposition",
    [
        Disposition(True, 1),
        Disposition(False, 1, 0xFFFF_FFFF, True, ACCEPTED),
        Disposition(True, 5, 3, False, DeliveryState(outcomes.MODIFIED, None, True, False)),
    ],
    ids=repr,
)
def test_a_disposition_is_written_full_width_and_read_back(disposition: Disposition) -> None:
    body = disposition.encode()
    assert repr(decode_disposition(body, 3)) == repr(disposition)
    assert width(body) == 6


def test_a_disposition_of_one_delivery_ends_with_it() -> None:
    found = decode_disposition(listed(encode.TRUE, encode.uint(4)), 0)
    assert (found.first, found.last, found.settled, found.state) == (4, 4, False, None)
    assert encode_disposition(True, 4, 4, False, NULL) == Disposition(True, 4).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"\x45",
        listed(encode.TRUE),
        listed(NULL, encode.uint(1)),
        listed(encode.TRUE, NULL),
        listed(encode.TRUE, encode.uint(1)) + b"payload",
        listed(encode.TRUE, encode.uint(1), *[NULL] * 5),
        listed(encode.TRUE, encode.uint(1), NULL, NULL, encode.uint(1)),
    ],
)
def test_what_is_no_disposition_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedValue):
        decode_disposition(body, 0)


@pytest.mark.parametrize(
    "flow",
    [
        Flow(ABSENT, 0, 0, 0),
        Flow(1, 2, 3, 4, 5, 6, 0xFFFF_FFFF, 8, True, True, encode.map_([(encode.symbol("a"), NULL)])),
    ],
    ids=repr,
)
def test_a_flow_is_written_full_width_and_read_back(flow: Flow) -> None:
    body = flow.encode()
    found = decode_flow(body, 3)
    assert repr(found) == repr(flow)
    assert (found.available, found.properties) == (flow.available, flow.properties)
    assert width(body) == 11


def test_a_flow_of_a_session_speaks_of_no_link() -> None:
    found = decode_flow(listed(NULL, *[encode.uint(1)] * 3), 0)
    assert (found.next_incoming_id, found.handle, found.link_credit, found.drain) == (ABSENT, ABSENT, ABSENT, False)


@pytest.mark.parametrize(
    "body",
    [
        b"\x45",
        listed(NULL, encode.uint(1), encode.uint(1)),
        listed(NULL, NULL, encode.uint(1), encode.uint(1)),
        listed(NULL, *[encode.uint(1)] * 3) + b"payload",
        listed(NULL, *[encode.uint(1)] * 3, *[NULL] * 6, encode.uint(1)),
        listed(NULL, *[encode.uint(1)] * 3, *[NULL] * 8),
    ],
)
def test_what_is_no_flow_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedValue):
        decode_flow(body, 0)


@pytest.mark.parametrize(("size", "code"), [(254, 0xC0), (255, 0xD0)])
def test_a_performative_is_a_list_as_short_as_it_can_be(size: int, code: int) -> None:
    body = encode_performative(0x10, size, NULL * size)
    assert body[3] == code
    assert decode(body) == (Described(0x10, [None] * size), len(body))
