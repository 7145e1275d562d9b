from collections import deque
from uuid import UUID

import pytest
from tests.fakes.amqp_client import ClientLink
from tests.fakes.amqp_head import AmqpHub, Peer
from tests.fakes.trouble import until

from ironhub.core.errors import Unavailable
from ironhub.dialects.azure.amqp_addresses import CommandFeedback
from ironhub.heads.amqp import openers
from ironhub.heads.amqp.opening import Openers
from ironhub.heads.amqp.peer import Peer as HeadsPeer
from ironhub.heads.amqp.service import queue
from ironhub.heads.amqp.service.queue import MAX_UNSETTLED, WINDOW, Held, QueueNode
from ironhub.messaging.arrivals import Arrivals
from ironhub.wire.amqp import OutgoingLink
from ironhub.wire.amqp.outcomes import REJECTED, RELEASED
from ironhub.wire.amqp.sections import data_section

LOCK = 60.0


class Shelf:
    """A queue of numbers, each held by one reader at a time."""

    def __init__(self, hub: AmqpHub) -> None:
        self.arrivals = Arrivals(pause=0.0)
        self.items: deque[int] = deque()
        self.out: dict[str, int] = {}
        self.done: list[int] = []
        self.given_back: list[int] = []
        self.refusals = 0
        self.looks = 0
        self._hub = hub

    def add(self, *numbers: int) -> None:
        self.items += numbers
        self.arrivals.tell()

    async def receive(self) -> Held | None:
        self.looks += 1
        if self.refusals:
            self.refusals -= 1
            raise Unavailable("the disk is full")
        if not self.items:
            return None
        token = self._hub.entropy.uuid()
        self.out[token] = number = self.items.popleft()
        return Held(token, self._hub.clock.now() + LOCK, data_section(b"%d" % number))

    async def complete(self, lock_token: str) -> None:
        self.done.append(self._take(lock_token))

    async def abandon(self, lock_token: str) -> None:
        self.given_back.append(self._take(lock_token))
        self.items.appendleft(self.given_back[-1])
        self.arrivals.tell()

    def _take(self, lock_token: str) -> int:
        if lock_token not in self.out:
            raise Unavailable("its lock is over")
        return self.out.pop(lock_token)


@pytest.fixture
def shelf(hub: AmqpHub, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """The queue that stands behind the links of this test."""
    shelf = Shelf(hub)

    async def open_shelf(peer: HeadsPeer, link: OutgoingLink, address: CommandFeedback) -> QueueNode:
        link.accept()
        return QueueNode(peer, link, shelf)

    monkeypatch.setitem(openers.OPENERS, CommandFeedback, Openers(receiver=open_shelf))
    return shelf


async def reader(
    hub: AmqpHub, *, credit: int | None = 1000, settle: tuple[int, int] = (2, 0)
) -> tuple[Peer, ClientLink]:
    """A back end with a link to the shelf."""
    peer = await hub.backend()
    link = peer.client.receiver("/messages/servicebound/feedback", credit=credit, settle=settle)
    await peer.settle()
    assert link.is_open
    return peer, link


def numbers(link: ClientLink) -> list[int]:
    """What came since the last call."""
    return [int(received.body) for received in link.take()]


async def test_entries_come_in_order_one_for_each_credit(hub: AmqpHub, shelf: Shelf) -> None:
    shelf.add(1, 2, 3, 4)
    peer, link = await reader(hub, credit=None)
    assert (numbers(link), shelf.looks) == ([], 0)
    peer.client.grant(link, 3)
    await peer.settle()
    assert numbers(link) == [1, 2, 3]
    peer.client.grant(link, 1)
    await peer.settle()
    assert numbers(link) == [4]


async def test_a_link_holds_only_so_many_at_a_time(hub: AmqpHub, shelf: Shelf) -> None:
    shelf.add(*range(2 * WINDOW))
    peer, link = await reader(hub)
    first = link.messages[0].delivery_id
    assert numbers(link) == list(range(WINDOW))
    peer.client.dispose(link, first, first + 2)
    await peer.settle()
    assert numbers(link) == [WINDOW, WINDOW + 1, WINDOW + 2]
    assert shelf.done == [0, 1, 2]


async def test_what_is_rejected_is_gone_too_and_what_is_released_comes_again(hub: AmqpHub, shelf: Shelf) -> None:
    shelf.add(1, 2)
    peer, link = await reader(hub)
    first, second = link.take()
    peer.client.dispose(link, first.delivery_id, kind=REJECTED)
    peer.client.dispose(link, second.delivery_id, kind=RELEASED)
    await peer.settle()
    assert (shelf.done, shelf.given_back, numbers(link)) == ([1], [2], [2])


async def test_the_tag_is_the_lock_token(hub: AmqpHub, shelf: Shelf) -> None:
    shelf.add(1)
    _, link = await reader(hub)
    assert [str(UUID(bytes=received.tag)) for received in link.messages] == list(shelf.out)


async def test_one_entry_goes_to_one_of_many_readers_and_one_look_is_enough_for_all(hub: AmqpHub, shelf: Shelf) -> None:
    readers = [await reader(hub) for _ in range(5)]
    looks = shelf.looks
    shelf.add(1)
    for peer, _ in readers:
        await peer.settle()
    assert sorted(number for _, link in readers for number in numbers(link)) == [1]
    assert shelf.looks - looks <= 3


async def test_a_reader_that_wants_no_settlement_has_taken_what_it_was_sent(hub: AmqpHub, shelf: Shelf) -> None:
    shelf.add(*range(3 * WINDOW))
    peer, link = await reader(hub, settle=(1, 0))
    await peer.until(lambda: len(link.messages) == 3 * WINDOW)
    assert all(received.settled for received in link.messages)
    await until(lambda: len(shelf.done) == 3 * WINDOW)


async def test_everything_out_goes_back_when_the_link_is_over_and_nothing_is_left(hub: AmqpHub, shelf: Shelf) -> None:
    shelf.add(1, 2)
    peer, link = await reader(hub)
    peer.client.detach(link)
    await peer.settle()
    assert (sorted(shelf.given_back), shelf.out, len(shelf.arrivals)) == ([1, 2], {}, 0)


async def test_everything_out_goes_back_when_the_connection_is_cut(hub: AmqpHub, shelf: Shelf) -> None:
    shelf.add(1)
    peer, _ = await reader(hub)
    peer.conversation.lost()
    await hub.settle()
    assert (shelf.given_back, shelf.out, len(shelf.arrivals)) == ([1], {}, 0)


@pytest.mark.parametrize("how", ["detached", "cut"])
async def test_what_was_taken_for_a_reader_that_went_meanwhile_goes_back(
    hub: AmqpHub, shelf: Shelf, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    peer, link = await reader(hub)
    receive = shelf.receive

    async def slowly() -> Held | None:
        held = await receive()
        if how == "detached":
            peer.client.detach(link)
        else:
            peer.conversation.lost()
        return held

    monkeypatch.setattr(shelf, "receive", slowly)
    shelf.add(1)
    await peer.settle()
    assert (numbers(link), shelf.given_back, shelf.out) == ([], [1], {})


async def test_a_lock_that_ended_leaves_room_for_another_and_its_disposition_is_ignored(
    hub: AmqpHub, shelf: Shelf
) -> None:
    shelf.add(*range(WINDOW))
    peer, link = await reader(hub)
    first = link.take()[0]
    hub.clock.advance(LOCK)
    shelf.out.clear()
    shelf.add(100)
    await peer.settle()
    assert numbers(link) == [100]
    peer.client.dispose(link, first.delivery_id)
    await peer.settle()
    assert (shelf.done, link.is_open) == ([], True)


async def test_what_a_reader_never_settles_is_bounded(hub: AmqpHub, shelf: Shelf) -> None:
    peer, link = await reader(hub)
    for number in range(0, 2 * MAX_UNSETTLED, WINDOW):
        shelf.add(*range(number, number + WINDOW))
        await peer.settle()
        hub.clock.advance(LOCK)
    assert len(link.messages) == MAX_UNSETTLED


async def test_a_reader_that_asks_for_all_there_is_hears_when_that_was_all(hub: AmqpHub, shelf: Shelf) -> None:
    shelf.add(1)
    peer, link = await reader(hub, credit=None)
    peer.client.grant(link, 5, drain=True)
    await peer.settle()
    assert (numbers(link), link.drained, link.credit) == ([1], 1, 0)
    peer.client.grant(link, 5, drain=True)
    await peer.settle()
    assert (numbers(link), link.drained) == ([], 2)


async def test_a_reader_that_holds_all_it_may_is_told_so_too(hub: AmqpHub, shelf: Shelf) -> None:
    shelf.add(*range(2 * WINDOW))
    peer, link = await reader(hub, credit=None)
    peer.client.grant(link, 100, drain=True)
    await peer.settle()
    assert (len(numbers(link)), link.drained) == (WINDOW, 1)
    peer.client.grant(link, 100, drain=True)
    await peer.settle()
    assert (numbers(link), link.drained) == ([], 2)


async def test_who_does_not_read_is_sent_nothing_until_it_does(hub: AmqpHub, shelf: Shelf) -> None:
    peer, link = await reader(hub)
    peer.channel.congested = True
    shelf.add(1)
    await peer.settle()
    assert numbers(link) == []
    peer.channel.congested = False
    peer.conversation.resumed()
    await peer.settle()
    assert numbers(link) == [1]


async def test_a_queue_that_cannot_be_read_is_looked_at_again(
    hub: AmqpHub, shelf: Shelf, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(queue, "RETRY_AFTER", 0.0)
    peer, link = await reader(hub)
    shelf.refusals = 2
    shelf.add(1)
    await peer.until(lambda: link.messages)
    assert (numbers(link), caplog.text.count("amqp_queue_not_read")) == ([1], 2)


async def test_nobody_looks_for_a_reader_that_went_after_a_failure(hub: AmqpHub, shelf: Shelf) -> None:
    peer, link = await reader(hub)
    shelf.refusals = 1
    shelf.add(1)
    await peer.settle()
    looks = shelf.looks
    peer.client.detach(link)
    await peer.settle()
    shelf.add(2)
    await peer.settle()
    assert shelf.looks == looks
