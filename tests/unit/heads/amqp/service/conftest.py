"""A hub in memory that knows one device."""

import pytest
from tests.fakes.amqp_devices import PRESS
from tests.fakes.amqp_head import AmqpHub


@pytest.fixture
async def hub() -> AmqpHub:
    """Nobody is connected."""
    hub = AmqpHub()
    await hub.register(PRESS)
    return hub
