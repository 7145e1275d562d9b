import pytest

from ironhub.wire.amqp.channel import FIRST_OUTGOING_ID, Channel
from ironhub.wire.amqp.conditions import NOT_ALLOWED, WINDOW_VIOLATION
from ironhub.wire.amqp.errors import Error
from ironhub.wire.amqp.fields import ABSENT
from ironhub.wire.amqp.frames import FrameBuffer
from ironhub.wire.amqp.outbox import Outbox
from ironhub.wire.amqp.performatives import Begin, End, Flow, Performative, decode_performative
from ironhub.wire.amqp.violations import SessionViolation


def a_channel(*, window: int = 10, max_window: int = 8, first: int = 0) -> Channel:
    return Channel(3, Begin(ABSENT, first, window, 100), Outbox(), max_window)


def sent(channel: Channel) -> list[Performative]:
    frames = FrameBuffer(1 << 16)
    frames.feed(channel.out.take())
    found = []
    while (taken := frames.take()) is not None:
        assert taken[1] == 3
        found.append(decode_performative(taken[2]))
    return found


def flow(window: int, seen: int = ABSENT) -> Flow:
    return Flow(seen, window, 0, 100)


def test_a_begin_is_answered_on_the_same_channel_with_our_numbers() -> None:
    channel = a_channel()
    channel.begin(255)
    (answer,) = sent(channel)
    assert isinstance(answer, Begin)
    assert (answer.remote_channel, answer.next_outgoing_id) == (3, FIRST_OUTGOING_ID)
    assert (answer.incoming_window, answer.handle_max) == (8, 255)


def test_the_window_opens_anew_when_half_of_it_is_used() -> None:
    channel = a_channel(first=0xFFFF_FFFE)
    for _ in range(3):
        channel.arrived()
    assert sent(channel) == []
    channel.arrived()
    (told,) = sent(channel)
    assert isinstance(told, Flow)
    assert (told.next_incoming_id, told.incoming_window) == (2, 8)
    assert (told.next_outgoing_id, told.handle) == (FIRST_OUTGOING_ID, ABSENT)


def test_any_flow_of_ours_opens_the_window() -> None:
    channel = a_channel()
    for _ in range(20):
        channel.arrived()
        channel.arrived()
        channel.flow(1, 2, 3)
    assert len(sent(channel)) == 20


def test_a_window_of_one_is_not_overrun_unseen() -> None:
    channel = a_channel(max_window=1)
    channel.arrived()
    assert len(sent(channel)) == 1  # it had to be told at once
    channel = a_channel(max_window=0)
    with pytest.raises(SessionViolation) as refused:
        channel.arrived()
    assert refused.value.error.condition == WINDOW_VIOLATION


def test_a_flow_with_a_handle_says_all_of_the_link() -> None:
    channel = a_channel()
    channel.flow(5, 7, 9, True)
    (told,) = sent(channel)
    assert isinstance(told, Flow)
    assert (told.handle, told.delivery_count, told.link_credit, told.available, told.drain) == (5, 7, 9, 0, True)


def test_the_peers_window_is_used_up_frame_by_frame() -> None:
    channel = a_channel(window=2)
    assert [channel.claim() for _ in range(3)] == [True, True, False]
    assert channel.next_outgoing_id == FIRST_OUTGOING_ID + 2


def test_what_waits_goes_when_the_window_opens_and_nothing_overtakes_it() -> None:
    channel = a_channel(window=0)
    for frame in (b"1", b"2", b"3"):
        channel.wait(7, frame)
    assert not channel.on_flow(flow(2))
    assert channel.out.take() == b"12"
    assert not channel.claim()
    assert channel.on_flow(flow(2, FIRST_OUTGOING_ID + 2))
    assert channel.out.take() == b"3"
    assert (channel.remote_window, channel.is_open) == (1, True)


def test_a_window_that_was_open_before_is_no_news() -> None:
    channel = a_channel(window=5)
    assert not channel.on_flow(flow(9))
    assert channel.remote_window == 9


def test_frames_under_way_are_taken_off_the_window() -> None:
    channel = a_channel(window=5)
    for _ in range(3):
        channel.claim()
    channel.on_flow(flow(5, FIRST_OUTGOING_ID + 1))
    assert channel.remote_window == 3
    channel.on_flow(flow(5))  # it has not read our BEGIN yet
    assert channel.remote_window == 2


def test_a_detach_waits_for_the_transfers_of_its_own_link_only() -> None:
    channel = a_channel(window=0)
    channel.wait(7, b"transfer")
    channel.last(8, b"other")
    assert channel.out.take().endswith(b"other")
    channel.last(7, b"own")
    assert channel.out.take() == b""
    channel.on_flow(flow(1))
    out = channel.out.take()
    assert out.startswith(b"transfer")
    assert out.endswith(b"own")
    assert not channel.holds(7)


def test_a_last_word_needs_no_window() -> None:
    channel = a_channel(window=0)
    channel.wait(7, b"transfer")
    channel.last(7, b"own")
    assert channel.on_flow(flow(2))
    assert channel.remote_window == 1


def test_nothing_follows_the_end() -> None:
    channel = a_channel(window=0)
    channel.wait(7, b"transfer")
    channel.end(Error(NOT_ALLOWED, "no"))
    (end,) = sent(channel)
    assert isinstance(end, End)
    assert end.error == Error(NOT_ALLOWED, "no")
    assert channel.ended
    assert not channel.waiting
