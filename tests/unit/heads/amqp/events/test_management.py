"""What readers ask about the stream before they read."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.fakes.amqp_client import ClientLink, Received, correlation_of
from tests.fakes.amqp_head import AmqpHub, Peer
from tests.fakes.amqp_stream import append
from tests.fakes.clock import START
from tests.fakes.head_hub import HOST

from ironhub.identity.model import Right
from ironhub.wire.amqp import Timestamp, encode
from ironhub.wire.amqp.properties import properties_section
from ironhub.wire.amqp.sections import application_section, encode_message, value_section

STREAM = "com.microsoft:eventhub"
PARTITION = "com.microsoft:partition"
IDS = [encode.ulong(0), encode.uuid(bytes(16)), encode.string("a"), encode.ulong(2**40)]


@pytest.fixture
async def hub() -> AsyncIterator[AmqpHub]:
    made = AmqpHub(partitions=3)
    yield made
    await made.amqp.background.drain(0)


def question(
    named: dict[str, str], message_id: bytes = IDS[0], reply_to: str | None = None, body: bytes = b""
) -> bytes:
    """Ask; `named` as it stands in the application properties."""
    pairs = [(name, encode.string(value)) for name, value in named.items()]
    properties = properties_section(message_id=message_id, reply_to=reply_to)
    return encode_message(properties=properties, application_properties=application_section(pairs), body=body)


async def attached(peer: Peer, address: str = "$management", credit: int | None = 100) -> tuple[ClientLink, ClientLink]:
    """The two links."""
    links = peer.client.sender(address), peer.client.receiver(address, credit=credit)
    await peer.settle()
    return links


async def ask(peer: Peer, named: dict[str, str], message_id: bytes = IDS[0]) -> Received:
    """Return the answer to a question."""
    requests, replies = await attached(peer)
    delivery = peer.client.transfer(requests, question({"operation": "READ", **named}, message_id))
    await peer.settle()
    assert delivery in requests.states
    (answer,) = replies.take()
    return answer


def status(answer: Received) -> object:
    """The status code."""
    return answer.application["status-code"]


def body(answer: Received) -> Any:
    """What was told."""
    return answer.message.value()


@pytest.mark.parametrize("message_id", IDS)
async def test_the_stream_tells_its_name_and_partitions(peer: Peer, message_id: bytes) -> None:
    answer = await ask(peer, {"type": STREAM, "name": "Events"}, message_id)
    assert status(answer) == 200
    assert correlation_of(answer) == message_id
    told = body(answer)
    assert (told["name"], told["partition_count"], told["partition_ids"]) == ("events", 3, ["0", "1", "2"])
    assert told["created_at"] == Timestamp(int(START * 1000))


async def test_a_partition_tells_its_bounds(hub: AmqpHub, peer: Peer) -> None:
    await append(hub, *range(5), partition=1)
    told = body(await ask(peer, {"type": PARTITION, "name": "events", "partition": "1"}))
    assert (told["begin_sequence_number"], told["last_enqueued_sequence_number"]) == (0, 4)
    assert (told["last_enqueued_offset"], told["is_partition_empty"]) == ("4", False)
    assert told["last_enqueued_time_utc"] == Timestamp(int(START * 1000))
    empty = body(await ask(peer, {"type": PARTITION, "name": "events", "partition": "2"}))
    assert (empty["last_enqueued_sequence_number"], empty["is_partition_empty"]) == (-1, True)


@pytest.mark.parametrize(
    ("named", "code", "words"),
    [
        ({"type": STREAM, "name": "other"}, 404, "'sb://hub.example/other' could not be found"),
        ({"type": PARTITION, "name": "events", "partition": "3"}, 404, "could not be found"),
        ({"type": PARTITION, "name": "events"}, 404, "could not be found"),
        ({"type": "com.microsoft:queue", "name": "events"}, 400, ""),
        ({}, 400, ""),
    ],
)
async def test_what_is_not_there_is_told_in_the_words_that_clients_look_for(
    peer: Peer, named: dict[str, str], code: int, words: str
) -> None:
    answer = await ask(peer, named)
    assert status(answer) == code
    assert words in str(answer.application["status-description"])


async def test_a_token_that_comes_with_the_question_must_be_good(hub: AmqpHub, peer: Peer) -> None:
    good = await hub.policy_token("service", resource=f"sb://{HOST}/events")
    assert status(await ask(peer, {"type": STREAM, "name": "events", "security_token": good})) == 200
    without = await hub.policy_token("registry", Right.REGISTRY_READ)
    for token in (without, good[:-4], "rubbish", await hub.policy_token("service", life=-1000)):
        answer = await ask(peer, {"type": STREAM, "name": "events", "security_token": token})
        assert status(answer) == 401


async def test_nobody_asks_without_the_right(hub: AmqpHub) -> None:
    for peer in (await hub.connected(), await hub.connected(await hub.policy_token("r", Right.REGISTRY_READ))):
        for link in await attached(peer):
            assert link.refusal == "amqp:unauthorized-access"


async def test_the_links_end_with_the_key_they_rest_on(hub: AmqpHub, peer: Peer) -> None:
    links = await attached(peer, "amqps://hub.example/events/$management")
    assert all(link.is_open for link in links)
    await hub.policy_token("service", Right.REGISTRY_READ)
    await peer.settle()
    assert [link.refusal for link in links] == ["amqp:unauthorized-access"] * 2


async def test_a_question_may_say_where_its_answer_goes(peer: Peer) -> None:
    requests = peer.client.sender("$management")
    first = peer.client.receiver("$management", target_address="here")
    peer.client.receiver("$management", target_address="there")
    await peer.settle()
    asked = question(
        {"operation": "READ", "type": STREAM, "name": "events"}, reply_to="here", body=value_section(encode.null())
    )
    peer.client.transfer(requests, asked)
    await peer.settle()
    assert len(first.take()) == 1
