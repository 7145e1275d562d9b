import struct

import pytest
from tests.fakes.amqp_values import listed, width

from ironhub.wire.amqp import encode, outcomes
from ironhub.wire.amqp.errors import MalformedValue
from ironhub.wire.amqp.fields import ABSENT
from ironhub.wire.amqp.frames import FrameBuffer
from ironhub.wire.amqp.outcomes import DeliveryState
from ironhub.wire.amqp.transfers import (
    Disposition,
    Transfer,
    decode_disposition,
    decode_transfer,
    encode_disposition,
    encode_transfer,
)

NULL = encode.NULL
ACCEPTED = DeliveryState(outcomes.ACCEPTED)
TRANSFERS = [
    Transfer(0),
    Transfer(300, 5, b"", 0, True, True, b"payload"),
    Transfer(1, 1 << 31, b"t" * 32, 0x8001_3700, rcv_settle_mode=1, state=ACCEPTED, aborted=True),
]


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
    transfer = Transfer(0)
    assert (transfer.settled, transfer.more, transfer.aborted) == (False,) * 3
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
