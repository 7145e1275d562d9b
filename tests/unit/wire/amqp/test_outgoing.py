import pytest
from tests.fakes.amqp_engine import LOTS, EngineClient, attach_receiver

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.channel import FIRST_OUTGOING_ID
from ironhub.wire.amqp.events import Attached, Credited, Settled
from ironhub.wire.amqp.limits import Limits
from ironhub.wire.amqp.outcomes import ACCEPTED, DeliveryState
from ironhub.wire.amqp.outgoing import OutgoingLink
from ironhub.wire.amqp.performatives import Attach, Detach, Disposition, Flow, Performative, Transfer
from ironhub.wire.amqp.violations import UsageError


def transfers(said: list[Performative]) -> list[Transfer]:
    for one in said:
        assert isinstance(one, Transfer)
    return [one for one in said if isinstance(one, Transfer)]


def test_accepting_may_carry_properties_and_a_size() -> None:
    client = EngineClient.opened()
    (event,) = client.say(attach_receiver("a", 0))
    assert isinstance(event, Attached)
    assert isinstance(event.link, OutgoingLink)
    event.link.accept(77, encode.map_([(encode.symbol("k"), encode.TRUE)]))
    attach = client.hear(Attach)
    assert (attach.role, attach.initial_delivery_count, attach.max_message_size) == (False, 0, 77)
    assert attach.properties_map() == {"k": True}


@pytest.mark.parametrize("settled", [False, True])
def test_a_message_goes_at_once_while_there_is_credit(settled: bool) -> None:
    client = EngineClient.opened()
    link = client.receiver(credit=2)
    assert link.sendable == 2
    assert link.send(b"payload", b"tag", settled, 5) == 0
    transfer = client.hear(Transfer)
    assert (transfer.handle, transfer.delivery_id, transfer.delivery_tag) == (link.handle, 0, b"tag")
    assert (transfer.message_format, transfer.settled, transfer.more) == (5, settled, False)
    assert transfer.payload == b"payload"
    assert (link.credit, link.sendable, link.delivery_count) == (1, 1, 1)
    assert link.unsettled == (0 if settled else 1)


def test_ids_are_the_sessions_and_begin_anew_at_their_end() -> None:
    client = EngineClient.opened()
    first, second = client.receiver(1), client.receiver(2)
    first._channel.delivery_id = 0xFFFF_FFFF
    assert [first.send(b"", b"a", False), second.send(b"", b"a", False)] == [0xFFFF_FFFF, 0]
    accepted = Disposition(True, 0xFFFF_FFFF, 0, True, DeliveryState(ACCEPTED))
    assert client.say(accepted) == [Settled(first, b"a", ACCEPTED), Settled(second, b"a", ACCEPTED)]


def test_many_settled_messages_go_in_one_call() -> None:
    client = EngineClient.opened()
    link = client.receiver(credit=3)
    link.send_settled([b"a", b"b", b"c"])
    assert [(one.payload, one.settled) for one in transfers(client.heard())] == [
        (b"a", True),
        (b"b", True),
        (b"c", True),
    ]
    assert (link.sendable, link.unsettled) == (0, 0)


@pytest.mark.parametrize(("credit", "tag"), [(0, b"t"), (1, b"x" * 33)])
def test_sending_what_may_not_be_sent_is_our_own_mistake(credit: int, tag: bytes) -> None:
    link = EngineClient.opened().receiver(credit=credit)
    with pytest.raises(UsageError):
        link.send(b"", tag, True)


def test_before_acceptance_nothing_can_be_sent_and_credit_is_kept() -> None:
    client = EngineClient.opened()
    (event,) = client.say(attach_receiver("a", 1), client.credit(5, drain=True))
    assert isinstance(event, Attached)
    link = event.link
    assert isinstance(link, OutgoingLink)
    link.drained()
    assert (link.credit, link.sendable, client.heard()) == (5, 0, [])
    with pytest.raises(UsageError):
        link.send(b"", b"", True)
    link.accept()
    assert (link.sendable, link.drain) == (5, True)


@pytest.mark.parametrize("max_frame", [512, 1000])
def test_a_large_message_is_cut_by_the_peers_frame_size(max_frame: int) -> None:
    client = EngineClient.opened(max_frame=max_frame)
    link = client.receiver()
    payload = bytes(range(256)) * 10
    link.send(payload, b"t", False)
    data = client.wire._out.data
    sizes = []
    at = 0
    while at < len(data):
        sizes.append(int.from_bytes(data[at : at + 4], "big"))
        at += sizes[-1]
    assert max(sizes) == max_frame
    parts = transfers(client.heard())
    assert b"".join(part.payload for part in parts) == payload
    assert [part.more for part in parts] == [True] * (len(parts) - 1) + [False]
    assert {(part.delivery_id, part.delivery_tag, part.message_format) for part in parts} == {(0, b"t", 0)}
    assert link.credit == 99


def test_an_empty_message_is_a_message() -> None:
    client = EngineClient.opened()
    client.receiver().send(b"", b"", True)
    assert client.hear(Transfer).payload == b""


def test_a_message_as_large_as_a_frame_is_not_cut() -> None:
    client = EngineClient.opened(max_frame=512)
    link = client.receiver()
    link.send(b"", b"t", True)
    room = 512 - len(client.wire.to_send())
    link.send(b"x" * room, b"t", True)
    assert len(client.wire.to_send()) == 512
    link.send(b"x" * (room + 1), b"t", True)
    assert len(client.heard()) == 2


@pytest.mark.parametrize(
    ("credit", "count", "sent", "left"),
    [
        (10, 0, 3, 7),
        (10, 3, 3, 10),
        (2, 0, 3, 0),
        (0xFFFF_FFFF, 0, 3, 0xFFFF_FFFC),
        (10, 9, 3, 10),
    ],
)
def test_credit_counts_from_what_the_peer_had_seen(credit: int, count: int, sent: int, left: int) -> None:
    client = EngineClient.opened()
    link = client.receiver()
    link.send_settled([b""] * sent)
    assert client.say(client.credit(credit, count=count)) == [Credited(link)]
    assert link.credit == left


def test_a_peer_that_has_not_read_our_attach_counts_from_the_first() -> None:
    """[2.6.7]"""
    client = EngineClient.opened()
    link = client.receiver()
    link.send_settled([b""])
    client.say(client.credit(5, count=-1))
    assert link.credit == 4


def test_a_flow_without_credit_changes_none() -> None:
    client = EngineClient.opened()
    link = client.receiver(credit=5)
    client.say(client.credit(-1))
    assert link.credit == 5


def test_draining_gives_the_rest_of_the_credit_back_once() -> None:
    client = EngineClient.opened()
    link = client.receiver(credit=5)
    link.drained()
    assert client.heard() == []
    assert client.say(client.credit(5, drain=True)) == [Credited(link)]
    assert link.drain
    link.send_settled([b"last"])
    link.drained()
    link.drained()
    transfer, flow = client.heard()
    assert isinstance(transfer, Transfer)
    assert isinstance(flow, Flow)
    assert (flow.handle, flow.delivery_count, flow.link_credit, flow.drain) == (link.handle, 5, 0, True)
    assert flow.next_outgoing_id == FIRST_OUTGOING_ID + 1
    assert (link.credit, link.drain) == (0, False)
    client.say(client.credit(3, count=5))
    assert link.sendable == 3


def test_all_credit_there_is_can_be_drained() -> None:
    client = EngineClient.opened()
    link = client.receiver(credit=0)
    client.say(client.credit(0xFFFF_FFFF, drain=True))
    link.drained()
    assert client.hear(Flow).delivery_count == 0xFFFF_FFFF
    client.say(client.credit(2, count=0xFFFF_FFFF))
    link.send_settled([b"", b""])
    assert link.delivery_count == 1


def test_drain_with_all_credit_used_is_answered_too() -> None:
    client = EngineClient.opened()
    link = client.receiver(credit=0)
    client.say(client.credit(0, drain=True))
    link.drained()
    assert client.hear(Flow).link_credit == 0


def test_beyond_the_peers_window_frames_wait() -> None:
    client = EngineClient.opened(window=1, max_frame=512)
    link = client.receiver()
    client.say(client.credit(100, window=1))
    assert link.sendable == 1
    link.send(b"x" * 1000, b"t", True)
    assert len(client.heard()) == 1
    assert link.sendable == 0
    assert link.send(b"y", b"t", True) == 1  # who does not ask first is kept in order all the same
    assert client.heard() == []
    assert client.say(Flow(FIRST_OUTGOING_ID + 1, 2, 0, LOTS)) == []
    assert len(transfers(client.heard())) == 2
    assert client.say(Flow(FIRST_OUTGOING_ID + 3, 2, 0, LOTS)) == [Credited(link)]
    assert client.hear(Transfer).payload == b"y"
    assert link.sendable == 1


def test_who_did_not_ask_is_not_told_that_the_window_opened() -> None:
    client = EngineClient.opened(window=0)
    first, second = client.receiver(1), client.receiver(2)
    client.say(client.credit(5, 1, window=0), client.credit(5, 2, window=0))
    assert second.sendable == 0
    assert client.say(Flow(FIRST_OUTGOING_ID, 5, 0, LOTS)) == [Credited(second)]
    assert (first.sendable, second.sendable) == (5, 5)


def test_a_link_that_is_told_once_has_to_ask_again() -> None:
    client = EngineClient.opened(window=0)
    link = client.receiver(credit=0)
    client.say(client.credit(5, window=0))
    assert link.sendable == 0
    assert client.say(Flow(FIRST_OUTGOING_ID, 5, 0, LOTS)) == [Credited(link)]
    client.say(Flow(FIRST_OUTGOING_ID, 0, 0, LOTS))
    assert client.say(Flow(FIRST_OUTGOING_ID, 5, 0, LOTS)) == []


def test_a_link_that_ended_while_it_might_not_send_is_told_nothing() -> None:
    client = EngineClient.opened(window=0)
    link = client.receiver(credit=0)
    client.say(client.credit(5, window=0))
    assert link.sendable == 0
    link.detach()
    assert client.say(Flow(FIRST_OUTGOING_ID, 5, 0, LOTS)) == []


def test_draining_ends_when_the_peer_no_longer_asks_for_it() -> None:
    client = EngineClient.opened()
    link = client.receiver(credit=0)
    client.say(client.credit(5, drain=True), client.credit(5))
    assert not link.drain
    link.drained()
    assert client.heard() == []


def test_a_verdict_opens_no_window() -> None:
    client = EngineClient.opened(window=1)
    link = client.receiver(credit=0)
    client.say(client.credit(5, window=1))
    link.send(b"", b"a", False)
    assert link.sendable == 0
    accepted = Disposition(True, 0, settled=True, state=DeliveryState(ACCEPTED))
    assert client.say(accepted) == [Settled(link, b"a", ACCEPTED)]


def test_draining_waits_for_transfers_that_wait() -> None:
    client = EngineClient.opened(window=0)
    link = client.receiver(credit=0)
    client.say(client.credit(5, drain=True, window=0))
    link.send(b"x", b"t", True)
    link.drained()
    assert (client.heard(), link.drain) == ([], True)
    assert client.say(Flow(FIRST_OUTGOING_ID, 5, 0, LOTS)) == [Credited(link)]
    link.drained()
    transfer, flow = client.heard()
    assert isinstance(transfer, Transfer)
    assert isinstance(flow, Flow)
    assert (flow.delivery_count, flow.next_outgoing_id) == (5, FIRST_OUTGOING_ID + 1)


def test_unsettled_deliveries_are_bounded() -> None:
    client = EngineClient.opened(Limits(max_unsettled=2))
    link = client.receiver()
    link.send(b"", b"a", False)
    assert link.sendable == 1
    link.send(b"", b"b", False)
    assert link.sendable == 0
    accepted = Disposition(True, 0, settled=True, state=DeliveryState(ACCEPTED))
    assert client.say(accepted) == [Settled(link, b"a", ACCEPTED), Credited(link)]
    assert (link.sendable, link.unsettled) == (1, 1)


def test_a_link_that_is_over_holds_nothing() -> None:
    client = EngineClient.opened()
    link, other = client.receiver(1), client.receiver(2)
    link.send(b"", b"a", False)
    other.send(b"", b"a", False)
    link.detach()
    assert (link.unsettled, list(link._channel.senders)) == (0, [1])
    accepted = Disposition(True, 0, 1, True, DeliveryState(ACCEPTED))
    assert client.say(accepted) == [Settled(other, b"a", ACCEPTED)]


def test_the_handle_of_frames_that_wait_is_not_another_links() -> None:
    client = EngineClient.opened(window=0)
    link = client.receiver(1, credit=0)
    client.say(client.credit(5, window=0))
    link.send(b"x", b"t", True)
    client.say(Detach(1, True))
    assert client.heard() == []
    newer = client.receiver(1, credit=0)
    assert newer.handle != link.handle
    client.say(Flow(FIRST_OUTGOING_ID, 5, 0, LOTS))
    transfer, detach = client.heard()
    assert isinstance(transfer, Transfer)
    assert isinstance(detach, Detach)
    assert transfer.handle == detach.handle == link.handle
    assert client.receiver(2, credit=0).handle == link.handle
