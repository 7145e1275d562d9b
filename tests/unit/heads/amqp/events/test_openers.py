"""Who may read a partition, and from where on."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.fakes.amqp_client import ClientLink
from tests.fakes.amqp_head import AmqpHub, Peer
from tests.fakes.amqp_stream import append, numbers_of, partition_address, reader

from ironhub.access.model import Grant
from ironhub.core.ids import identity
from ironhub.heads.amqp.events.openers import OPENERS
from ironhub.identity.model import Right
from ironhub.messaging.telemetry.consumers import MAX_READERS, GroupReader
from ironhub.wire.amqp import encode

PRESS = identity("press-7")
UNAUTHORIZED = "amqp:unauthorized-access"
NOT_FOUND = "amqp:not-found"


@pytest.fixture
async def hub() -> AsyncIterator[AmqpHub]:
    made = AmqpHub(partitions=2)
    yield made
    await made.amqp.background.drain(0)


async def refusal(peer: Peer, link: ClientLink) -> tuple[str, str]:
    """Condition and description that the hub refused the link with."""
    await peer.settle()
    assert link.attached is not None
    assert link.detached is not None
    assert link.detached.error is not None
    return link.detached.error.condition, link.detached.error.description


@pytest.mark.parametrize(
    ("start", "first"),
    [
        (None, 0),
        ("x-opt-offset > '-1'", 0),
        ("x-opt-offset > '3'", 4),
        ("x-opt-offset >= '3'", 3),
        ("x-opt-sequence-number >= '3'", 3),
        ("x-opt-offset > '@latest'", 6),
        ("x-opt-enqueuedtimeutc > 0", 0),
        ("x-opt-enqueued-time > '99999999999999'", 6),
    ],
)
async def test_a_reader_begins_where_it_asks_to(hub: AmqpHub, peer: Peer, start: str | None, first: int) -> None:
    await append(hub, *range(6), partition=1)
    link = reader(peer, start, partition=1)
    await peer.settle()
    await append(hub, 6, 7, partition=1)
    await peer.settle()
    assert numbers_of(link.take()) == list(range(first, 8))


async def test_the_words_of_the_address_compare_without_regard_to_case(hub: AmqpHub, peer: Peer) -> None:
    await append(hub, 0)
    link = peer.client.receiver("EVENTS/consumergroups/$default/partitions/0")
    await peer.settle()
    assert numbers_of(link.take()) == [0]


@pytest.mark.parametrize("partition", ["2", "00", "x", "-1", "+1", "1 ", "\N{SUPERSCRIPT TWO}", "99999999999999999999"])
async def test_a_partition_that_is_not_there_cannot_be_read(peer: Peer, partition: str) -> None:
    condition, description = await refusal(peer, reader(peer, partition=partition))
    assert condition == NOT_FOUND
    assert description.startswith("The messaging entity 'sb://hub.example/events/ConsumerGroups/$Default/Partitions/")
    assert "could not be found. Ask the stream for its partition ids" in description


async def test_a_group_that_is_not_there_cannot_be_read_with(peer: Peer) -> None:
    condition, description = await refusal(peer, reader(peer, group="other"))
    assert condition == NOT_FOUND
    assert "could not be found. Read with a group that is there" in description


async def test_who_wants_to_send_is_told_where_devices_do(peer: Peer) -> None:
    condition, description = await refusal(peer, peer.client.sender("events"))
    assert condition == UNAUTHORIZED
    assert description == (
        "the stream of telemetry is only read here. "
        "Send as a device, over MQTT, AMQP or HTTPS, with its own connection string."
    )


async def test_a_filter_or_an_epoch_that_is_none_is_refused(peer: Peer) -> None:
    assert (await refusal(peer, reader(peer, "x-opt-offset ! 1")))[0] == "com.microsoft:argument-error"
    for epoch in (encode.long(-1), encode.string("1")):
        link = reader(peer, properties=[("com.microsoft:epoch", epoch)])
        assert (await refusal(peer, link))[0] == "com.microsoft:argument-error"


async def test_epochs_and_numbers_of_readers_are_kept_to(hub: AmqpHub, peer: Peer) -> None:
    for _ in range(MAX_READERS):
        reader(peer)
    assert (await refusal(peer, reader(peer)))[0] == "amqp:resource-limit-exceeded"
    reader(peer, epoch=3, partition=1)
    await peer.settle()
    condition, description = await refusal(peer, reader(peer, epoch=2, partition=1))
    assert condition == "amqp:link:stolen"
    assert "higher epoch '3' already exists" in description
    assert "non-epoch receiver is not allowed" in (await refusal(peer, reader(peer, partition=1)))[1]


async def test_a_seat_is_free_again_when_its_reader_is_gone(hub: AmqpHub, peer: Peer) -> None:
    held = [reader(peer) for _ in range(MAX_READERS)]
    await peer.settle()
    peer.client.detach(held[0])
    await peer.settle()
    assert hub.amqp.consumers.count_readers("$Default") == MAX_READERS - 1
    last = reader(peer)
    await peer.settle()
    assert last.is_open
    peer.conversation.lost()
    assert hub.amqp.consumers.count_readers("$Default") == 0


async def test_only_a_back_end_with_the_right_reads(hub: AmqpHub) -> None:
    without = await hub.connected(await hub.policy_token("registry", Right.REGISTRY_READ))
    assert (await refusal(without, reader(without)))[0] == UNAUTHORIZED
    await hub.register(PRESS)
    device = await hub.device(PRESS)
    assert (await refusal(device, reader(device)))[0] == UNAUTHORIZED
    nobody = await hub.connected()
    assert (await refusal(nobody, reader(nobody)))[0] == UNAUTHORIZED
    assert hub.amqp.consumers.count_readers("$Default") == 0


@pytest.mark.parametrize("below", ["events", "events/consumergroups/$default", "messages/events"])
async def test_a_token_for_the_stream_is_enough(hub: AmqpHub, below: str) -> None:
    peer = await hub.connected(await hub.policy_token("service", resource=f"sb://hub.example/{below}"))
    await append(hub, 0)
    link = reader(peer)
    await peer.settle()
    assert numbers_of(link.take()) == [0]


async def test_a_key_that_ends_while_the_link_is_opened_opens_nothing(
    hub: AmqpHub, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter = hub.amqp.consumers.enter

    async def meanwhile(
        grant: Grant, group: str, partition: int, reader: GroupReader, *, epoch: int | None = None
    ) -> None:
        await enter(grant, group, partition, reader, epoch=epoch)
        await hub.policy_token("service", Right.REGISTRY_READ)
        while not peer.channel.closed:
            await asyncio.sleep(0)

    monkeypatch.setattr(hub.amqp.consumers, "enter", meanwhile)
    link = reader(peer)
    await peer.settle()
    assert not link.is_open
    assert hub.amqp.consumers.count_readers("$Default") == 0


async def test_a_reader_that_loses_its_seat_before_it_begins_is_refused(
    hub: AmqpHub, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter = hub.amqp.consumers.enter

    async def meanwhile(
        grant: Grant, group: str, partition: int, reader: GroupReader, *, epoch: int | None = None
    ) -> None:
        await enter(grant, group, partition, reader, epoch=epoch)
        reader.stolen(newer=9, own=epoch)

    monkeypatch.setattr(hub.amqp.consumers, "enter", meanwhile)
    assert (await refusal(peer, reader(peer, epoch=1)))[0] == "amqp:link:stolen"


async def test_a_reader_that_left_while_its_link_was_opened_holds_no_seat(hub: AmqpHub, peer: Peer) -> None:
    link = reader(peer)
    peer.client.detach(link)
    await peer.settle()
    assert hub.amqp.consumers.count_readers("$Default") == 0


async def test_nobody_sends_into_the_stream(hub: AmqpHub, peer: Peer) -> None:
    link = peer.client.sender("amqps://hub.example/events")
    assert (await refusal(peer, link))[0] == UNAUTHORIZED
    assert await hub.logged() == ()


def test_every_kind_of_address_has_its_directions() -> None:
    ways = {kind.__name__: (each.sender is not None, each.receiver is not None) for kind, each in OPENERS.items()}
    assert ways == {
        "StreamPartition": (False, True),
        "StreamManagement": (True, True),
        "StreamProducer": (True, False),
        "HubEvents": (False, True),
    }
    assert partition_address(1).endswith("Partitions/1")
