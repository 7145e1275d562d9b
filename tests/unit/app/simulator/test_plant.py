"""Tests of app/simulator/plant.py"""

import asyncio

from tests.fakes.clock import FakeClock
from tests.fakes.mqtt_server import AUTHORITY

from ironhub.app.simulator.plant import MAX_NETWORK_SPEED, Counts, Plant, Target
from ironhub.app.simulator.profiles import PRESS_SHOP
from ironhub.wire.tls.client import client_context


async def test_machines_age_as_fast_as_asked_and_the_network_not_faster_than_can_be_borne() -> None:
    clock = FakeClock()
    loop, tls = asyncio.get_running_loop(), client_context(AUTHORITY.pem.decode())
    plant = Plant(PRESS_SHOP, 1, Target("127.0.0.1", 8883, "localhost"), tls, clock, 3600.0, 10.0, loop)
    begun = plant.now()
    assert begun == clock.now()
    clock.advance(2.0)
    assert plant.now() == begun + 7200.0
    assert plant.network_now() == begun + 2.0 * MAX_NETWORK_SPEED
    clock.set_now(0.0)
    assert plant.now() == begun + 7200.0


def test_all_that_is_counted_is_told() -> None:
    assert Counts(sent=3, acked=2).as_dict() == {**Counts().as_dict(), "sent": 3, "acked": 2}
