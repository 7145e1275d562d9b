"""What a reader of a partition is sent, and when."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from tests.fakes.amqp_client import ClientLink
from tests.fakes.amqp_head import AmqpHub, Peer
from tests.fakes.amqp_stream import append, numbers_of, partition_address, reader
from tests.fakes.channel import FakeChannel
from tests.fakes.grants import by_operator
from tests.fakes.streams import PRESS, stored
from tests.fakes.trouble import until

from ironhub.access.model import Permission
from ironhub.core.errors import Unavailable
from ironhub.core.facts import Fact, FactKind
from ironhub.heads.amqp.events import receiver
from ironhub.identity.model import Right
from ironhub.messaging.telemetry.facts import entry_of
from ironhub.messaging.telemetry.model import Batch, Damage, Entry
from ironhub.wire.amqp import encode
from ironhub.wire.amqp.message import decode_map_section
from ironhub.wire.amqp.performatives import Flow

STOLEN = "amqp:link:stolen"


@pytest.fixture
async def hub() -> AsyncIterator[AmqpHub]:
    made = AmqpHub()
    yield made
    await made.amqp.background.drain(0)


async def taken(peer: Peer, link: ClientLink) -> list[object]:
    """The sequence numbers that came since the last look."""
    await peer.settle()
    return numbers_of(link.take())


async def test_what_is_stored_comes_in_order_settled_and_then_what_is_stored_next(hub: AmqpHub, peer: Peer) -> None:
    await append(hub, 0, 1, 2)
    link = reader(peer)
    await peer.settle()
    messages = link.take()
    assert numbers_of(messages) == [0, 1, 2]
    assert [message.body for message in messages] == [b'{"n":0}', b'{"n":1}', b'{"n":2}']
    assert all(message.settled for message in messages)
    await append(hub, 3, 4)
    assert await taken(peer, link) == [3, 4]
    assert hub.amqp.activity.counts["events_sent"] == 5


async def test_nothing_is_sent_or_done_without_credit(hub: AmqpHub, peer: Peer) -> None:
    await append(hub, 0, 1, 2)
    before = len(hub.amqp.background)
    link = reader(peer, credit=0)
    assert await taken(peer, link) == []
    assert len(hub.amqp.background) == before
    for expected in ([0], [1], [2]):
        peer.client.grant(link, 1)
        assert await taken(peer, link) == expected
    assert len(hub.amqp.background) == before


async def test_credit_that_runs_out_in_the_middle_leaves_no_gap_and_no_repeat(hub: AmqpHub, peer: Peer) -> None:
    await append(hub, *range(100))
    link = reader(peer, credit=None)
    seen: list[object] = []
    for credit in (7, 1, 30, 0, 62):
        peer.client.grant(link, credit)
        seen += await taken(peer, link)
    assert seen == list(range(100))


async def test_many_events_come_in_slices_and_leave_others_their_turn(hub: AmqpHub, peer: Peer) -> None:
    await append(hub, *range(3 * receiver.SLICE_EVENTS))
    link = reader(peer, credit=10_000)
    turns = 0
    while len(link.messages) < 3 * receiver.SLICE_EVENTS:
        await asyncio.sleep(0)
        turns += 1
        peer.hear()
        assert turns < 1000
    assert turns >= 3
    assert numbers_of(link.take()) == list(range(3 * receiver.SLICE_EVENTS))


async def test_large_events_are_cut_into_slices_too(hub: AmqpHub) -> None:
    sizes: list[int] = []

    class Counting(FakeChannel):
        def send(self, data: bytes) -> None:
            sizes.append(len(data))
            super().send(data)

    peer = await hub.backend(channel=Counting())
    for _ in range(10):
        await stored(hub.log, 0, [Entry(PRESS, b"", b"x" * 60_000)])
    assert await taken(peer, reader(peer)) == list(range(10))
    assert max(sizes) < receiver.SLICE_BYTES + 2 * 65_536


async def test_a_reader_that_does_not_read_holds_up_itself_only(hub: AmqpHub) -> None:
    channel = FakeChannel()
    slow, fast = await hub.backend(channel=channel), await hub.backend()
    channel.congested = True
    await append(hub, 0, 1)
    held, free = reader(slow), reader(fast)
    assert await taken(slow, held) == []
    assert await taken(fast, free) == [0, 1]
    channel.congested = False
    slow.conversation.resumed()
    assert await taken(slow, held) == [0, 1]


async def test_a_window_that_is_full_stops_it_until_it_opens(hub: AmqpHub, peer: Peer) -> None:
    peer.client.begin(1, window=3)
    await append(hub, *range(8))
    link = peer.client.receiver(partition_address(), channel=1, credit=None)
    await peer.settle()
    seen: list[object] = []
    for _ in range(3):
        peer.client.frame(Flow(1 + len(seen), 3, 0, 3, link.handle, link.delivery_count, 1000), 1)
        seen += await taken(peer, link)
    assert seen == list(range(8))


async def test_drain_is_answered_with_what_there_is(hub: AmqpHub, peer: Peer) -> None:
    await append(hub, 0, 1)
    link = reader(peer, credit=None)
    peer.client.grant(link, 50, drain=True)
    assert await taken(peer, link) == [0, 1]
    assert (link.drained, link.credit) == (1, 0)
    peer.client.grant(link, 50)
    await peer.settle()
    peer.client.grant(link, 50, drain=True)  # it waits at the end of the log
    await peer.settle()
    assert (link.drained, link.credit) == (2, 0)
    await append(hub, 2)
    assert await taken(peer, link) == []
    peer.client.grant(link, 1)
    assert await taken(peer, link) == [2]


async def test_what_is_read_ahead_is_forgotten_when_no_credit_comes(
    hub: AmqpHub, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "KEEP_AHEAD", 0.0)
    await append(hub, *range(5))
    link = reader(peer, credit=2)
    assert await taken(peer, link) == [0, 1]
    await until(lambda: _node(peer)._ahead == ())
    peer.client.grant(link, 10)
    assert await taken(peer, link) == [2, 3, 4]


def _node(peer: Peer) -> receiver.Receiver:
    (node,) = [link.app for link in peer.conversation._nodes if isinstance(link.app, receiver.Receiver)]
    return node


async def test_a_reader_that_asked_for_it_hears_how_far_the_partition_has_come(hub: AmqpHub, peer: Peer) -> None:
    await append(hub, *range(5))
    link = reader(peer, metrics=True, credit=2)
    plain = reader(peer, credit=2)
    await peer.settle()
    first, second = link.take()
    told = decode_map_section(first.message.delivery_annotations)
    assert (told["last_enqueued_sequence_number"], told["last_enqueued_offset"]) == (4, "4")
    assert second.message.delivery_annotations
    assert not plain.take()[0].message.delivery_annotations


async def test_an_end_of_the_link_ends_its_work_at_once(hub: AmqpHub, peer: Peer) -> None:
    before = len(hub.amqp.background)
    link = reader(peer)
    await peer.settle()
    assert len(hub.amqp.background) == before + 1  # waits at the end of the log
    peer.client.detach(link)
    await peer.settle()
    assert link.detached is not None
    assert len(hub.amqp.background) == before
    reader(peer)
    await peer.settle()
    peer.conversation.lost()
    await hub.settle()
    assert len(hub.amqp.background) == before


async def test_the_end_of_a_key_ends_the_readers_that_rest_on_it(hub: AmqpHub, peer: Peer) -> None:
    link = reader(peer)
    await append(hub, 0)
    assert await taken(peer, link) == [0]
    await hub.policy_token("service", Right.REGISTRY_READ)
    await peer.settle()
    await append(hub, 1)
    assert await taken(peer, link) == []
    assert link.refusal == "amqp:unauthorized-access"


async def test_a_higher_or_equal_epoch_takes_the_partition(hub: AmqpHub, peer: Peer) -> None:
    first = reader(peer, epoch=1)
    await peer.settle()
    other = await hub.backend()
    second = reader(other, epoch=1)
    await other.settle()
    await peer.settle()
    assert first.refusal == STOLEN
    assert first.detached is not None
    assert first.detached.error is not None
    assert "higher epoch of '1'" in first.detached.error.description
    await append(hub, 0)
    assert await taken(peer, first) == []
    assert await taken(other, second) == [0]


async def test_a_group_that_is_deleted_ends_its_readers(hub: AmqpHub, peer: Peer) -> None:
    grant = by_operator(Permission.CONSUMER_GROUP_WRITE)
    await hub.amqp.consumers.create(grant, "alerts")
    link = reader(peer, group="ALERTS")
    await append(hub, 0)
    assert await taken(peer, link) == [0]
    await hub.amqp.consumers.delete(grant, "alerts")
    await peer.settle()
    assert link.refusal == "amqp:not-found"


async def test_damage_is_passed_by(hub: AmqpHub, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    await append(hub, *range(6))
    read = hub.log.read

    async def damaged(partition: int, start: int, *, max_entries: int = 1000, max_bytes: int = 1 << 20) -> Batch:
        if start == 0:
            return Batch((), 3, (Damage(0, 0, 3, "torn"),))
        return await read(partition, start, max_entries=max_entries, max_bytes=max_bytes)

    monkeypatch.setattr(hub.log, "read", damaged)
    assert await taken(peer, reader(peer)) == [3, 4, 5]


async def test_facts_are_passed_by(hub: AmqpHub, peer: Peer) -> None:
    fact = entry_of(Fact(FactKind.TWIN_UPDATED, PRESS.identity, 0.0, {}))
    await stored(hub.log, 0, [fact] * 3)
    await append(hub, 0)
    await stored(hub.log, 0, [fact])
    await append(hub, 1)
    link = reader(peer, credit=2, metrics=True)
    assert await taken(peer, link) == [3, 5]
    await stored(hub.log, 0, [fact])
    peer.client.grant(link, 1)
    assert await taken(peer, link) == []
    assert link.credit == 1  # it waits on
    await append(hub, 2)
    await peer.settle()
    (event,) = link.take()
    assert numbers_of([event]) == [7]
    assert decode_map_section(event.message.delivery_annotations)["last_enqueued_sequence_number"] == 7


@pytest.mark.parametrize(
    ("trouble", "condition"),
    [(Unavailable("the disk"), "amqp:internal-error"), (ValueError("a bug"), "amqp:internal-error")],
)
async def test_a_log_that_cannot_be_read_ends_the_link_with_an_error(
    hub: AmqpHub,
    peer: Peer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    trouble: Exception,
    condition: str,
) -> None:
    async def fail(*_: object, **__: object) -> Batch:
        raise trouble

    monkeypatch.setattr(hub.log, "read", fail)
    with caplog.at_level(logging.CRITICAL):
        link = reader(peer)
        await peer.settle()
    assert link.refusal == condition
    assert not peer.channel.closed


async def test_a_log_that_is_closed_is_looked_at_rarely(
    hub: AmqpHub, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    wait = hub.log.wait

    async def counted(partition: int, start: int, timeout: float) -> bool:
        nonlocal looks
        looks += 1
        return await wait(partition, start, timeout)

    monkeypatch.setattr(hub.log, "wait", counted)
    reader(peer)
    await peer.settle()
    await hub.log.close()
    await peer.settle()
    assert looks == 1


async def test_readers_are_known_by_the_name_they_give(hub: AmqpHub, peer: Peer) -> None:
    reader(peer, epoch=5, properties=[("com.microsoft:receiver-name", encode.string("me"))])
    await peer.settle()
    lower = reader(peer, epoch=4)
    await peer.settle()
    assert lower.detached is not None
    assert lower.detached.error is not None
    assert "Receiver 'me' with a higher epoch '5'" in lower.detached.error.description
