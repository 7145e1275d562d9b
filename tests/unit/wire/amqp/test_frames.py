import time

import pytest

from ironhub.wire.amqp.conditions import FRAMING_ERROR
from ironhub.wire.amqp.errors import ProtocolViolation
from ironhub.wire.amqp.frames import (
    AMQP_FRAME,
    AMQP_HEADER,
    EMPTY_FRAME,
    PROTOCOL_HEADER,
    SASL_FRAME,
    SASL_HEADER,
    Frame,
    FrameBuffer,
    encode_frame,
)

STREAM = (
    SASL_HEADER + encode_frame(SASL_FRAME, 0, b"init") + AMQP_HEADER + EMPTY_FRAME + encode_frame(0, 258, b"x" * 90)
)
FRAMES: list[Frame] = [
    (PROTOCOL_HEADER, 0, SASL_HEADER),
    (SASL_FRAME, 0, b"init"),
    (PROTOCOL_HEADER, 0, AMQP_HEADER),
    (AMQP_FRAME, 0, b""),
    (AMQP_FRAME, 258, b"x" * 90),
]


def taken(buffer: FrameBuffer) -> list[Frame]:
    found = []
    while (frame := buffer.take()) is not None:
        found.append(frame)
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 20, 1000])
def test_frames_and_headers_are_cut_from_any_pieces(size: int) -> None:
    buffer = FrameBuffer(512)
    found = []
    for start in range(0, len(STREAM), size):
        buffer.feed(STREAM[start : start + size])
        found += taken(buffer)
    assert found == FRAMES
    assert buffer.pending == 0


def test_what_is_not_asked_for_waits() -> None:
    buffer = FrameBuffer(512)
    for octet in STREAM:
        buffer.feed(bytes((octet,)))
    assert buffer.pending == len(STREAM)
    assert buffer.take() == FRAMES[0]
    buffer.feed(EMPTY_FRAME)
    assert taken(buffer) == [*FRAMES[1:], (AMQP_FRAME, 0, b"")]


def test_a_frame_that_is_not_whole_waits_and_is_counted() -> None:
    buffer = FrameBuffer(512)
    buffer.feed(encode_frame(0, 0, b"body")[:-1])
    assert (buffer.take(), buffer.take(), buffer.pending) == (None, None, 11)
    buffer.clear()
    assert (buffer.take(), buffer.pending) == (None, 0)
    buffer.feed(EMPTY_FRAME)
    assert taken(buffer) == [(AMQP_FRAME, 0, b"")]


def test_an_extended_header_is_passed_over() -> None:
    buffer = FrameBuffer(512)
    buffer.feed(b"\x00\x00\x00\x10\x03\x00\x00\x01\xee\xee\xee\xeebody")
    assert taken(buffer) == [(AMQP_FRAME, 1, b"body")]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("0000000700000000", "no room"),
        ("0000000000000000", "no room"),
        ("0000000801000000", "begin its body at 4"),
        ("0000000800000000", "begin its body at 0"),
        ("0000000803000000", "begin its body at 12"),
        ("0000000802020000", "type 2"),
        ("0000020102000000", "513 bytes is larger than the 512"),
        ("ffffffff02000000", "larger"),
        ("0100000802000000", "16777224 bytes"),
        ("0001000802000000", "65544 bytes"),
        (b"GET / HTTP/1.1".hex(), "larger"),
    ],
)
def test_a_frame_that_is_none_is_refused_as_often_as_it_is_asked_for(data: str, why: str) -> None:
    buffer = FrameBuffer(512)
    buffer.feed(EMPTY_FRAME + bytes.fromhex(data))
    assert buffer.take() == (AMQP_FRAME, 0, b"")
    for _ in range(2):
        with pytest.raises(ProtocolViolation, match=why) as caught:
            buffer.take()
        assert caught.value.condition == FRAMING_ERROR


def test_the_bound_may_change_between_two_frames() -> None:
    buffer = FrameBuffer(8)
    large = encode_frame(0, 0, b"x" * 600)
    buffer.feed(EMPTY_FRAME + large)
    assert buffer.take() == (AMQP_FRAME, 0, b"")
    buffer.max_frame = len(large)
    assert buffer.take() == (AMQP_FRAME, 0, b"x" * 600)


def test_bytes_that_drip_in_cost_no_more_than_those_that_flow() -> None:
    frame = encode_frame(0, 0, b"x" * 1_000_000)
    began = time.process_time()
    buffer = FrameBuffer(len(frame))
    for start in range(0, len(frame), 10):
        buffer.feed(frame[start : start + 10])
        buffer.take()
    assert buffer.pending == 0
    assert time.process_time() - began < 2.0  # copied each time, they would be 50 GB
