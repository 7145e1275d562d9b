"""A reader of a hub in memory; how many partitions that has is up to the tests."""

import pytest
from tests.fakes.amqp_head import AmqpHub, Peer


@pytest.fixture
async def peer(hub: AmqpHub) -> Peer:
    """The connection of a back end with ServiceConnect."""
    return await hub.backend()
