"""heads/amqp/openers.py; what each opener does is in the tests beside it."""

from typing import get_args

import pytest
from tests.fakes.amqp_head import AmqpHub, Peer

from ironhub.core.ids import identity
from ironhub.dialects.azure.amqp_addresses import Address
from ironhub.heads.amqp.openers import OPENERS
from ironhub.wire.amqp.conditions import NOT_FOUND

PRESS = identity("press-7")


@pytest.fixture
async def peer() -> Peer:
    hub = AmqpHub()
    await hub.register(PRESS)
    return await hub.device(PRESS)


def test_every_kind_of_address_is_known() -> None:
    assert set(OPENERS) == set(get_args(Address))


async def test_an_address_leads_to_its_opener_in_each_direction(peer: Peer) -> None:
    client = peer.client
    links = [
        client.sender("/devices/press-7/messages/events"),
        client.receiver("/devices/press-7/messages/devicebound"),
    ]
    await peer.settle()
    assert all(link.is_open for link in links)


@pytest.mark.parametrize("address", ["/devices/press-7", "nowhere", "", None, "x" * 5000])
async def test_an_address_that_is_none_is_refused(peer: Peer, address: str | None) -> None:
    links = [peer.client.sender(address), peer.client.receiver(address)]
    await peer.settle()
    assert [link.refusal for link in links] == [NOT_FOUND, NOT_FOUND]
    assert all(link.attached and link.attached.source is link.attached.target is None for link in links)
    assert not peer.channel.closed


async def test_an_address_of_the_other_direction_is_refused(peer: Peer) -> None:
    links = [
        peer.client.receiver("/devices/press-7/messages/events"),
        peer.client.sender("/devices/press-7/messages/devicebound"),
    ]
    await peer.settle()
    assert [link.refusal for link in links] == [NOT_FOUND, NOT_FOUND]
