import pytest
from tests.fakes.amqp_engine import LOTS, EngineClient, attach_receiver, attach_sender, closed, message

from ironhub.wire.amqp.conditions import (
    DETACH_FORCED,
    FRAMING_ERROR,
    HANDLE_IN_USE,
    NOT_ALLOWED,
    RESOURCE_LIMIT_EXCEEDED,
    UNATTACHED_HANDLE,
    WINDOW_VIOLATION,
)
from ironhub.wire.amqp.errors import Error
from ironhub.wire.amqp.events import Attached, Credited, Detached, Event, Outcome, Settled
from ironhub.wire.amqp.fields import ABSENT
from ironhub.wire.amqp.frames import AMQP_HEADER
from ironhub.wire.amqp.limits import Limits
from ironhub.wire.amqp.outcomes import ACCEPTED, MODIFIED, RECEIVED, REJECTED, RELEASED, DeliveryState
from ironhub.wire.amqp.outgoing import OutgoingLink
from ironhub.wire.amqp.performatives import Attach, Begin, Close, Detach, Disposition, End, Flow, Open, Performative

ALL = 0xFFFF_FFFF


def verdict(first: int, last: int = ABSENT, *, settled: bool = True, kind: int = ACCEPTED) -> Disposition:
    return Disposition(True, first, last, settled, DeliveryState(kind))


def tags(events: list[Event]) -> list[bytes]:
    return [event.tag for event in events if isinstance(event, Settled)]


def with_unsettled(count: int) -> tuple[EngineClient, OutgoingLink]:
    """A client that has `count` deliveries to give a verdict on."""
    client = EngineClient.opened()
    link = client.receiver(credit=count)
    for number in range(count):
        link.send(b"", b"%d" % number, False)
    client.heard()
    return client, link


def test_dispositions_settle_ranges_and_repeats_say_nothing() -> None:
    client, link = with_unsettled(5)
    assert client.say(verdict(1, 3)) == [Settled(link, b"%d" % number, ACCEPTED) for number in (1, 2, 3)]
    assert client.say(verdict(1, 3)) == []
    assert tags(client.say(verdict(0, 4))) == [b"0", b"4"]
    assert client.heard() == []
    assert link.unsettled == 0


def test_a_single_delivery_needs_no_last() -> None:
    client, _ = with_unsettled(3)
    assert tags(client.say(verdict(1))) == [b"1"]


@pytest.mark.parametrize(
    ("first", "last", "settled"),
    [(0, 0x7FFF_FFFF, [b"0", b"1", b"2"]), (ALL, 1, [b"0", b"1"]), (7, ALL, []), (2, 1, []), (3, 9, []), (9, 9, [])],
)
def test_a_range_costs_what_is_unsettled_however_large_it_is(first: int, last: int, settled: list[bytes]) -> None:
    client, _ = with_unsettled(3)
    assert tags(client.say(verdict(first, last))) == settled


def test_every_verdict_is_told_with_what_goes_with_it() -> None:
    client, link = with_unsettled(4)
    why = Error(NOT_ALLOWED, "no")
    assert client.say(
        Disposition(True, 0, settled=True, state=DeliveryState(REJECTED, why)),
        Disposition(True, 1, settled=True, state=DeliveryState(MODIFIED, None, True, True)),
        verdict(2, kind=RELEASED),
        verdict(3),
    ) == [
        Settled(link, b"0", Outcome.REJECTED, why),
        Settled(link, b"1", Outcome.MODIFIED, None, True, True),
        Settled(link, b"2", Outcome.RELEASED),
        Settled(link, b"3", Outcome.ACCEPTED),
    ]


@pytest.mark.parametrize("state", [None, DeliveryState(RECEIVED)])
def test_a_peer_that_settles_without_a_verdict_gives_the_message_back(state: DeliveryState | None) -> None:
    client, link = with_unsettled(1)
    assert client.say(Disposition(True, 0, settled=True, state=state)) == [Settled(link, b"0", RELEASED)]


def test_what_is_no_verdict_changes_nothing() -> None:
    client, link = with_unsettled(1)
    assert client.say(verdict(0, settled=False, kind=RECEIVED), Disposition(True, 0)) == []
    assert client.say(Disposition(False, 0, settled=True, state=DeliveryState(ACCEPTED))) == []
    assert client.heard() == []
    assert link.unsettled == 1


def test_who_settles_second_is_settled_back_run_by_run() -> None:
    """[2.6.12]"""
    client, _ = with_unsettled(5)
    client.say(verdict(2))
    assert tags(client.say(verdict(0, 9, settled=False, kind=RELEASED))) == [b"0", b"1", b"3", b"4"]
    told = client.heard()
    runs = [(one.first, one.last) for one in told if isinstance(one, Disposition) and one.settled and not one.role]
    assert runs == [(0, 1), (3, 4)]
    assert isinstance(told[0], Disposition)
    assert told[0].state is not None
    assert told[0].state.kind == RELEASED
    assert client.say(verdict(0, 9)) == []  # the same once more, as some clients do


def test_echo_is_answered_for_the_session_and_for_links() -> None:
    client = EngineClient.opened()
    sender, receiver = client.sender(0, credit=7), client.receiver(1, credit=9)
    client.say(Flow(1, LOTS, 0, LOTS, echo=True))
    assert client.hear(Flow).handle == ABSENT
    client.say(Flow(1, LOTS, 0, LOTS, 0, 0, 0, echo=True))
    assert (told := client.hear(Flow)).handle == sender.handle
    assert told.link_credit == 7
    assert client.say(client.credit(9, echo=True)) == [Credited(receiver)]
    assert (told := client.hear(Flow)).handle == receiver.handle
    assert (told.link_credit, told.drain, told.echo) == (9, False, False)


def test_echo_before_acceptance_is_the_sessions() -> None:
    client = EngineClient.opened()
    client.say(attach_receiver("a", 1), client.credit(9, echo=True))
    assert client.hear(Flow).handle == ABSENT


def test_windows_are_told_when_half_is_used() -> None:
    client = EngineClient.opened(Limits(incoming_window=4))
    client.sender()
    client.say(message(0, b""))
    assert client.heard() == []
    client.say(message(1, b""))
    assert client.hear(Flow).incoming_window == 4


def test_a_window_that_is_overrun_ends_the_session() -> None:
    client = EngineClient.opened(Limits(incoming_window=0))
    link = client.sender()
    events = client.say(message(0, b""))
    end = client.hear(End)
    assert end.error is not None
    assert end.error.condition == WINDOW_VIOLATION
    assert events == [Detached(link, end.error)]


@pytest.mark.parametrize("wrong", [message(0, b"", handle=9), Flow(1, LOTS, 0, LOTS, 9, 0, 1), Detach(9, True)])
def test_a_handle_that_was_never_attached_ends_the_session_and_not_the_connection(wrong: Performative) -> None:
    client = EngineClient.opened()
    link = client.sender(0)
    client.say(Begin(ABSENT, 0, LOTS, LOTS), channel=1)
    client.heard(1)
    events = client.say(wrong)
    end = client.hear(End)
    assert end.error is not None
    assert end.error.condition == UNATTACHED_HANDLE
    assert events == [Detached(link, end.error)]
    assert link.detached
    assert client.say(message(0, b""), attach_sender("late", 5), Flow(1, 1, 1, 1)) == []
    assert client.say(End()) == []
    assert client.heard() == []
    client.say(attach_sender("other", 0), channel=1)
    assert not client.wire.closed
    client.say(Begin(ABSENT, 0, LOTS, LOTS))
    assert client.hear(Begin).remote_channel == 0


def test_a_handle_in_use_ends_the_session() -> None:
    client = EngineClient.opened()
    client.sender(0)
    client.say(attach_sender("again", 0))
    end = client.hear(End)
    assert end.error is not None
    assert end.error.condition == HANDLE_IN_USE


def test_a_handle_beyond_what_was_announced_ends_the_connection() -> None:
    client = EngineClient.opened(Limits(max_handle=7))
    client.sender(7)
    end = closed(client.say(attach_sender("a", 8)))
    assert end.error is not None
    assert end.error.condition == FRAMING_ERROR
    assert client.hear(Close).error == end.error


def test_a_peer_with_too_few_handles_loses_the_session() -> None:
    client = EngineClient()
    client.wire.identified()
    client.feed(AMQP_HEADER)
    client.say(Open("c"), Begin(ABSENT, 0, LOTS, LOTS, 0), attach_sender("a", 0), attach_sender("b", 1))
    client.wire.to_send()
    assert client.wire._sessions[0].channel.ended


def test_the_frames_of_a_link_we_detached_are_ignored_until_the_peers_detach() -> None:
    client = EngineClient.opened()
    sender, receiver = client.sender(0), client.receiver(1)
    sender.detach(Error(DETACH_FORCED))
    receiver.detach()
    assert len(client.heard()) == 2
    assert client.say(message(0, b""), client.credit(5, echo=True), Detach(0, True), Detach(1, True)) == []
    assert client.heard() == []
    client.say(message(0, b""))
    assert isinstance(client.hear(End), End)


def test_who_receives_may_not_send() -> None:
    client = EngineClient.opened()
    link = client.receiver(1)
    (event,) = client.say(message(0, b"", handle=1))
    assert isinstance(event, Detached)
    detach = client.hear(Detach)
    assert detach.error is not None
    assert (detach.handle, detach.error.condition) == (link.handle, NOT_ALLOWED)


def test_a_detach_is_answered_in_kind_and_told_once() -> None:
    client = EngineClient.opened()
    link = client.sender(0)
    why = Error("vendor:reason", "because")
    assert client.say(Detach(0, False, why)) == [Detached(link, why)]
    answer = client.hear(Detach)
    assert (answer.handle, answer.closed, answer.error) == (link.handle, False, None)


def test_an_end_is_answered_and_ends_all_links() -> None:
    client = EngineClient.opened()
    first, second = client.sender(0), client.receiver(1)
    first.detach()
    client.heard()
    why = Error("vendor:reason", "because")
    assert client.say(End(why)) == [Detached(second, why)]
    assert client.hear(End).error is None
    assert (client.wire._out.links, client.wire._out.terms) == (0, 0)


def test_links_beyond_the_limit_are_refused_and_their_places_given_back() -> None:
    client = EngineClient.opened(Limits(max_links=2))
    client.sender(0)
    client.sender(1)
    assert client.say(attach_sender("third", 2)) == []
    attach, detach = client.heard()
    assert isinstance(attach, Attach)
    assert attach.target is None
    assert isinstance(detach, Detach)
    assert detach.error is not None
    assert detach.error.condition == RESOURCE_LIMIT_EXCEEDED
    client.say(Detach(2, True), Detach(0, True))
    (event,) = client.say(attach_sender("fourth", 3))
    assert isinstance(event, Attached)
