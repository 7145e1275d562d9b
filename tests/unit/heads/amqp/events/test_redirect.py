"""The hub's own host sends readers to the stream."""

import pytest
from tests.fakes.amqp_client import ClientLink
from tests.fakes.amqp_head import AmqpHub, Peer

from ironhub.identity.model import Right
from ironhub.wire.amqp.decode import decode

REDIRECT = "amqp:link:redirect"


async def told(peer: Peer, link: ClientLink) -> object:
    """The map that came with the refusal."""
    await peer.settle()
    assert link.detached is not None
    assert link.detached.closed
    assert link.detached.error is not None
    assert link.detached.error.info is not None
    return decode(link.detached.error.info)[0]


@pytest.mark.parametrize("rest", ["$management", "ConsumerGroups/$Default/Partitions/0"])
async def test_a_back_end_is_told_where_the_stream_is(rest: str) -> None:
    peer = await AmqpHub().backend()
    link = peer.client.receiver(f"amqps://hub.example/messages/events/{rest}")
    assert await told(peer, link) == {
        "hostname": "hub.example",
        "network-host": "hub.example",
        "port": 5671,
        "address": f"amqps://hub.example:5671/events/{rest}",
    }
    assert link.refusal == REDIRECT


async def test_others_are_not() -> None:
    hub = AmqpHub()
    peer = await hub.connected(await hub.policy_token("registry", Right.REGISTRY_READ))
    link = peer.client.receiver("/messages/events/$management")
    await peer.settle()
    assert link.refusal == "amqp:unauthorized-access"
    stranger = await hub.connected()
    link = stranger.client.receiver("/messages/events/$management")
    await stranger.settle()
    assert link.refusal == "amqp:unauthorized-access"
