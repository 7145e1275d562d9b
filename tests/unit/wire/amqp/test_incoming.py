import pytest
from tests.fakes.amqp_engine import LOTS, EngineClient, attach_sender, message

from ironhub.wire.amqp.conditions import (
    INVALID_FIELD,
    MESSAGE_SIZE_EXCEEDED,
    NOT_ALLOWED,
    RESOURCE_LIMIT_EXCEEDED,
    TRANSFER_LIMIT_EXCEEDED,
)
from ironhub.wire.amqp.errors import Error
from ironhub.wire.amqp.events import Attached, Delivered, Detached, Event, Outcome
from ironhub.wire.amqp.fields import ABSENT
from ironhub.wire.amqp.incoming import Delivery, IncomingLink
from ironhub.wire.amqp.limits import Limits
from ironhub.wire.amqp.outcomes import MODIFIED, RELEASED
from ironhub.wire.amqp.performatives import Attach, Detach, Disposition, Flow, Transfer


def the_delivery(events: list[Event]) -> Delivery:
    (event,) = events
    assert isinstance(event, Delivered)
    return event.delivery


def cut_off(client: EngineClient, events: list[Event], link: IncomingLink) -> str:
    """Why the engine detached the link; the session goes on."""
    (event,) = events
    assert isinstance(event, Detached)
    assert event.link is link
    assert link.detached
    assert event.error is not None
    detach = client.hear(Detach)
    assert (detach.handle, detach.closed, detach.error) == (link.handle, True, event.error)
    assert not client.wire.closed
    return event.error.condition


def test_accepting_says_the_largest_message_and_grants_credit() -> None:
    client = EngineClient.opened()
    (event,) = client.say(attach_sender("a", 0, first=5))
    assert isinstance(event, Attached)
    assert isinstance(event.link, IncomingLink)
    event.link.accept(100, 65_536)
    attach, flow = client.heard()
    assert isinstance(attach, Attach)
    assert (attach.role, attach.max_message_size, attach.initial_delivery_count) == (True, 65_536, ABSENT)
    assert isinstance(flow, Flow)
    assert (flow.handle, flow.delivery_count, flow.link_credit) == (attach.handle, 5, 100)
    assert event.link.credit == 100


def test_accepting_without_credit_grants_none_and_takes_the_largest_there_is() -> None:
    client = EngineClient.opened(Limits(max_message=1000))
    (event,) = client.say(attach_sender("a", 0))
    assert isinstance(event, Attached)
    assert isinstance(event.link, IncomingLink)
    event.link.accept(0, 5000)
    assert client.hear(Attach).max_message_size == 1000
    event.link.grant(2)
    assert client.hear(Flow).link_credit == 2


def test_a_grant_before_acceptance_is_none() -> None:
    client = EngineClient.opened()
    (event,) = client.say(attach_sender("a", 0))
    assert isinstance(event, Attached)
    assert isinstance(event.link, IncomingLink)
    event.link.grant(5)
    assert client.heard() == []
    assert event.link.credit == 0


def test_a_message_in_one_frame_is_a_delivery() -> None:
    client = EngineClient.opened()
    link = client.sender(credit=3, first=7)
    delivery = the_delivery(client.say(Transfer(0, 9, b"tag", 5, True, False, b"body")))
    assert (delivery.id, delivery.tag, delivery.payload) == (9, b"tag", b"body")
    assert (delivery.settled, delivery.message_format) == (True, 5)
    assert (link.credit, link.delivery_count) == (2, 8)
    assert repr(delivery) == "Delivery(9, tag=b'tag', payload=<4 bytes>, settled=True, message_format=0x5)"


def test_a_message_without_tag_or_format_is_taken_all_the_same() -> None:
    client = EngineClient.opened()
    client.sender()
    delivery = the_delivery(client.say(Transfer(0, 0, payload=b"x")))
    assert (delivery.tag, delivery.message_format, delivery.settled) == (b"", 0, False)


@pytest.mark.parametrize("repeated", [False, True])
def test_a_message_of_many_frames_comes_whole(repeated: bool) -> None:
    client = EngineClient.opened()
    link = client.sender(credit=5)
    assert client.say(message(3, b"one ", more=True)) == []
    number, tag, form = (3, b"3", 0) if repeated else (ABSENT, None, ABSENT)
    assert client.say(Transfer(0, number, tag, form, False, True, b"two ")) == []
    delivery = the_delivery(client.say(Transfer(0, number, tag, form, False, False, b"three")))
    assert (delivery.id, delivery.tag, delivery.payload, delivery.settled) == (3, b"3", b"one two three", False)
    assert link.credit == 4
    assert client.wire._out.unfinished == 0


def test_one_frame_that_says_settled_is_enough() -> None:
    """[2.7.5]"""
    client = EngineClient.opened()
    client.sender()
    client.say(message(3, b"a", more=True))
    assert the_delivery(client.say(Transfer(0, settled=True, payload=b"b"))).settled


def test_messages_of_two_links_may_alternate_frame_by_frame() -> None:
    client = EngineClient.opened()
    client.sender(0)
    client.sender(1)
    client.say(message(0, b"a", more=True), message(1, b"x", handle=1, more=True))
    first, second = client.say(Transfer(1, payload=b"y"), Transfer(0, payload=b"b"))
    assert isinstance(first, Delivered)
    assert isinstance(second, Delivered)
    assert (first.delivery.payload, second.delivery.payload) == (b"xy", b"ab")


@pytest.mark.parametrize("more", [False, True])
@pytest.mark.parametrize("begun", [False, True])
def test_an_aborted_message_is_none(begun: bool, more: bool) -> None:
    client = EngineClient.opened()
    link = client.sender(credit=5)
    if begun:
        client.say(message(0, b"never", more=True))
    assert client.say(Transfer(0, ABSENT if begun else 0, more=more, aborted=True)) == []
    assert client.wire._out.unfinished == 0
    assert the_delivery(client.say(message(1, b"next"))).payload == b"next"
    assert link.credit == 3


def test_without_credit_there_is_no_message() -> None:
    client = EngineClient.opened()
    link = client.sender(credit=1)
    client.say(message(0, b"x"))
    assert cut_off(client, client.say(message(1, b"x")), link) == TRANSFER_LIMIT_EXCEEDED
    assert client.say(message(2, b"x"), Detach(0, True)) == []


def test_before_acceptance_there_is_no_message_either() -> None:
    client = EngineClient.opened()
    attached, detached = client.say(attach_sender("a", 0), message(0, b"x"))
    assert isinstance(attached, Attached)
    assert isinstance(detached, Detached)
    attach, detach = client.heard()
    assert isinstance(attach, Attach)
    assert attach.target is None
    assert isinstance(detach, Detach)
    assert isinstance(attached.link, IncomingLink)
    attached.link.accept(100)
    assert client.heard() == []


def test_all_credit_there_is_can_be_granted() -> None:
    client = EngineClient.opened()
    link = client.sender(credit=0, first=0xFFFF_FFFF)
    link.grant(0xFFFF_FFFF)
    assert client.hear(Flow).link_credit == 0xFFFF_FFFF
    the_delivery(client.say(message(0, b"x")))
    assert (link.credit, link.delivery_count) == (0xFFFF_FFFE, 0)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (message(0, b"x", more=True), message(1, b"y")),
        (message(0, b"x", more=True), Transfer(0, 0, b"other")),
        (message(0, b"x", more=True), Transfer(0, 0, b"0", 1)),
    ],
)
def test_a_message_may_not_change_under_way(first: Transfer, second: Transfer) -> None:
    client = EngineClient.opened()
    link = client.sender()
    client.say(first)
    assert cut_off(client, client.say(second), link) == INVALID_FIELD
    assert client.wire._out.unfinished == 0


def test_a_message_has_an_id() -> None:
    client = EngineClient.opened()
    link = client.sender()
    assert cut_off(client, client.say(Transfer(0, payload=b"x")), link) == INVALID_FIELD


@pytest.mark.parametrize("frames", [1, 2])
def test_a_message_beyond_the_links_size_costs_the_link(frames: int) -> None:
    client = EngineClient.opened()
    link = client.sender(max_message=10)
    assert the_delivery(client.say(message(0, b"x" * 10))).payload == b"x" * 10
    if frames == 2:
        assert client.say(message(1, b"x" * 10, more=True)) == []
        assert cut_off(client, client.say(Transfer(0, payload=b"x")), link) == MESSAGE_SIZE_EXCEEDED
    else:
        assert cut_off(client, client.say(message(1, b"x" * 11)), link) == MESSAGE_SIZE_EXCEEDED
    assert client.wire._out.unfinished == 0


@pytest.mark.parametrize(("tolerated", "bound"), [(20, 20), (80, 50), (5, 10)])
def test_a_message_larger_than_the_peer_was_told_is_taken_where_its_owner_wants_to_reject_it(
    tolerated: int, bound: int
) -> None:
    client = EngineClient.opened(Limits(max_message=50))
    (event,) = client.say(attach_sender("a", 0))
    assert isinstance(event, Attached)
    assert isinstance(event.link, IncomingLink)
    event.link.accept(9, 10, tolerated)
    attach, _ = client.heard()
    assert isinstance(attach, Attach)
    assert attach.max_message_size == 10
    assert the_delivery(client.say(message(0, b"x" * bound))).payload == b"x" * bound
    assert cut_off(client, client.say(message(1, b"x" * (bound + 1))), event.link) == MESSAGE_SIZE_EXCEEDED


def test_messages_that_are_never_whole_are_bounded_together() -> None:
    client = EngineClient.opened(Limits(max_unfinished=25))
    links = [client.sender(handle) for handle in range(3)]
    client.say(*[message(handle, b"x" * 10, handle=handle, more=True) for handle in range(2)])
    assert the_delivery(client.say(message(2, b"x" * 10, handle=2))).payload == b"x" * 10
    events = client.say(message(3, b"x" * 10, handle=2, more=True))
    assert cut_off(client, events, links[2]) == RESOURCE_LIMIT_EXCEEDED
    client.say(Detach(0, True))
    assert client.wire._out.unfinished == 10


def test_a_range_is_settled_in_one_disposition() -> None:
    client = EngineClient.opened()
    link = client.sender()
    link.settle(0xFFFF_FFFF, 3, Outcome.ACCEPTED)
    told = client.hear(Disposition)
    assert (told.role, told.first, told.last, told.settled) == (True, 0xFFFF_FFFF, 3, True)
    assert told.state is not None
    assert told.state.kind == Outcome.ACCEPTED


@pytest.mark.parametrize("outcome", [Outcome.RELEASED, Outcome.MODIFIED])
def test_other_verdicts_are_said_as_they_are(outcome: Outcome) -> None:
    client = EngineClient.opened()
    client.sender().settle(1, 1, outcome)
    told = client.hear(Disposition)
    assert told.state is not None
    assert told.state.kind == outcome
    assert told.state.kind in (RELEASED, MODIFIED)


def test_a_rejection_says_why() -> None:
    client = EngineClient.opened()
    client.sender().settle(1, 1, Outcome.REJECTED, Error(NOT_ALLOWED, "no"))
    told = client.hear(Disposition)
    assert told.state is not None
    assert told.state.error == Error(NOT_ALLOWED, "no")


@pytest.mark.parametrize(("count", "left"), [(ABSENT, 10), (0, 10), (4, 6), (10, 0), (11, 10), (0xFFFF_FFFF, 10)])
def test_credit_the_peer_gives_up_is_gone(count: int, left: int) -> None:
    client = EngineClient.opened()
    link = client.sender(credit=10)
    assert client.say(Flow(1, LOTS, 0, LOTS, 0, count, 0)) == []
    assert link.credit == left
