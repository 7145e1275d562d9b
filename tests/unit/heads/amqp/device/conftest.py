"""A hub in memory that knows a device, its module and another device; and the connection of the first."""

import pytest
from tests.fakes.amqp_devices import ARM, LATHE, PRESS, Device
from tests.fakes.amqp_head import AmqpHub


@pytest.fixture
async def hub() -> AmqpHub:
    """All of them are registered, and none is connected."""
    small = AmqpHub()
    await small.register(PRESS, ARM, LATHE)
    return small


@pytest.fixture
async def device(hub: AmqpHub) -> Device:
    """A connection on which the token of PRESS was put."""
    return await Device.connected(hub, PRESS)
