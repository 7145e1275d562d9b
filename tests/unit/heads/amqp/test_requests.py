"""Requests are answered one after the other, as long as the answers are taken."""

from collections.abc import AsyncIterator

import pytest
from tests.fakes.amqp_client import message
from tests.fakes.amqp_head import AmqpHub

from ironhub.heads.amqp.services import AmqpSettings

LIMIT = 6


@pytest.fixture
async def hub() -> AsyncIterator[AmqpHub]:
    made = AmqpHub(AmqpSettings(max_requests=LIMIT))
    yield made
    await made.amqp.background.drain(0)


async def test_credit_lasts_while_answers_are_taken_and_no_longer(hub: AmqpHub) -> None:
    peer = await hub.backend()
    requests, replies = peer.client.sender("$management"), peer.client.receiver("$management", credit=None)
    await peer.settle()
    assert requests.credit == LIMIT
    for _ in range(LIMIT):
        peer.client.transfer(requests, message(b""))
        await peer.settle()
    assert requests.credit == 0
    assert replies.take() == []
    peer.client.grant(replies, 100)
    await peer.settle()
    assert len(replies.take()) == requests.credit == LIMIT
    for _ in range(5 * LIMIT):
        peer.client.transfer(requests, message(b""))
        await peer.settle()
    assert len(replies.take()) == 5 * LIMIT


async def test_requests_that_come_settled_or_together_are_answered_all_the_same(hub: AmqpHub) -> None:
    peer = await hub.backend()
    requests, replies = peer.client.sender("$management"), peer.client.receiver("$management")
    await peer.settle()
    settled = peer.client.transfer(requests, message(b""), settled=True)
    plain = peer.client.transfer(requests, message(b""))
    await peer.settle()
    assert len(replies.take()) == 2
    assert settled not in requests.states
    assert requests.states[plain] is not None


async def test_what_is_no_message_gets_no_answer_and_harms_nobody(hub: AmqpHub) -> None:
    peer = await hub.backend()
    requests, replies = peer.client.sender("$management"), peer.client.receiver("$management")
    await peer.settle()
    peer.client.transfer(requests, b"\x00\x53\x75\xff")
    peer.client.transfer(requests, message(b""))
    await peer.settle()
    assert len(replies.take()) == 1


async def test_requests_that_have_not_begun_end_with_their_link(hub: AmqpHub) -> None:
    peer = await hub.backend()
    requests, replies = peer.client.sender("$management"), peer.client.receiver("$management")
    await peer.settle()
    for _ in range(LIMIT):
        peer.client.transfer(requests, message(b""))
    peer.client.detach(requests)
    await peer.settle()
    assert len(replies.take()) < LIMIT
    assert not peer.channel.closed
