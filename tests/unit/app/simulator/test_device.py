"""Tests of app/simulator/device.py, against a server of our own over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.mqtt_server import AUTHORITY, FakeServer, fake_server
from tests.fakes.pki import make_authority

from ironhub.app.simulator import device as module
from ironhub.app.simulator.device import SimulatedMachine
from ironhub.app.simulator.model import Machine
from ironhub.app.simulator.plant import Plant, Target
from ironhub.app.simulator.profile import Network, Profile
from ironhub.app.simulator.profiles import PRESS_SHOP
from ironhub.app.system import SystemClock
from ironhub.core.clock import Clock
from ironhub.identity.sas import parse_sas_token, verify_sas_token
from ironhub.wire.tls.client import client_context

CALM = msgspec.structs.replace(PRESS_SHOP, network=Network(drops_per_day=0, outages_per_day=0, buffer=3))
KEY = bytes(32)
NAME = "sim-press-shop-00007"


def plant_at(server: FakeServer, profile: Profile = CALM, clock: Clock | None = None, *, ca: str = "") -> Plant:
    """A simulation at this server, with a message each 20 ms."""
    target = Target("127.0.0.1", server.port, "localhost")
    tls = client_context(ca or AUTHORITY.pem.decode())
    return Plant(profile, 1, target, tls, clock or SystemClock(), 1.0, 0.02, asyncio.get_running_loop())


@asynccontextmanager
async def living(plant: Plant) -> AsyncIterator[SimulatedMachine]:
    """One machine, and somebody who connects it as often as it asks."""
    machine = SimulatedMachine(plant, Machine(plant.profile, 1, 7), KEY)

    async def dial() -> None:
        while True:
            await (await plant.waiting.get()).connect(5.0)

    dialling = asyncio.create_task(dial())
    machine.start()
    try:
        yield machine
    finally:
        dialling.cancel()
        await asyncio.gather(dialling, return_exceptions=True)
        machine.stop()
        await until(lambda: not machine.linked)


async def until(seen: Callable[[], bool]) -> None:
    """Wait with a deadline."""
    async with asyncio.timeout(20):
        while not seen():
            await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAIT", 0.01)
    monkeypatch.setattr(module, "RESTART", 0.02)


async def test_a_machine_connects_as_the_vendors_devices_do_and_sends() -> None:
    async with fake_server() as server, living(plant_at(server)) as machine:
        message = (await server.until(3, "devices/"))[0]
        plant = machine._plant
        await until(lambda: plant.counts.acked >= 3)
        (connect,) = server.connects
        assert connect.client_id == NAME
        assert connect.username is not None
        assert connect.username.startswith(f"localhost/{NAME}/?api-version=")
        token = parse_sas_token((connect.password or b"").decode())
        verified = verify_sas_token(token, keys=[KEY], now=SystemClock().now())
        assert verified.resource == f"localhost/devices/{NAME}"
        assert message.topic.startswith(f"devices/{NAME}/messages/events/%24.ct=application%2Fjson")
        assert json.loads(message.payload)["level"] == "normal"
        assert plant.counts.connected == 1
    assert server.connected == set()
    assert plant.counts.connected == 0
    assert plant.counts.failures == 0


async def test_the_twin_is_read_reported_and_obeyed() -> None:
    async with fake_server() as server, living(plant_at(server)) as machine:
        await server.until(1, "$iothub/twin/GET/")
        server.tell(NAME, "$iothub/twin/res/200/?$rid=1", b'{"desired": {"interval": 0.11}, "reported": {}}')
        first = (await server.until(1, "$iothub/twin/PATCH/properties/reported/"))[0]
        assert json.loads(first.payload)["interval"] == 0.11
        assert json.loads(first.payload)["model"] == PRESS_SHOP.model
        server.tell(NAME, "$iothub/twin/PATCH/properties/desired/?$version=2", b'{"interval": 0.12, "$version": 2}')
        second = (await server.until(2, "$iothub/twin/PATCH/properties/reported/"))[1]
        assert json.loads(second.payload) == {"interval": 0.12}
        assert machine._plant.counts.desired == 1


async def test_methods_are_answered_and_commands_taken() -> None:
    async with fake_server() as server, living(plant_at(server)) as machine:
        await server.until(1, "$iothub/twin/GET/")
        server.tell(NAME, "$iothub/methods/POST/setInterval/?$rid=a", b"0.2")
        server.tell(NAME, "$iothub/methods/POST/dance/?$rid=b", b"null")
        server.tell(NAME, f"devices/{NAME}/messages/devicebound/x=1", b"stop", qos=1)
        server.tell(NAME, "$iothub/something/new", b"")
        answers = await server.until(2, "$iothub/methods/res/")
        assert [answer.topic for answer in answers] == [
            "$iothub/methods/res/200/?$rid=a",
            "$iothub/methods/res/404/?$rid=b",
        ]
        await until(lambda: machine._plant.counts.commands == 1)
        assert machine._plant.counts.methods == 2


async def test_a_restart_says_goodbye_and_comes_back() -> None:
    async with fake_server() as server, living(plant_at(server)) as machine:
        await server.until(1, "$iothub/twin/GET/")
        server.tell(NAME, "$iothub/twin/res/200/?$rid=1", b"{}")
        await server.until(1, "$iothub/twin/PATCH/properties/reported/")
        server.tell(NAME, "$iothub/methods/POST/restart/?$rid=a", b"null")
        await server.until_connects(2)
        await until(lambda: machine._plant.counts.reconnects == 1)
        assert machine._plant.counts.failures == 0


async def test_what_was_not_acknowledged_is_sent_again_and_what_finds_no_room_is_counted() -> None:
    async with fake_server() as server, living(plant_at(server)) as machine:
        server.silent = True
        await server.until(2, "devices/")
        counts = machine._plant.counts
        assert counts.acked == 0
        server.silent = False
        server.refusing = 3
        server.cut(NAME)
        await until(lambda: counts.dropped > 0 and counts.refused > 0)
        assert machine._plant.last_refusal == "CONNACK 3"
        server.refusing = 0
        await until(lambda: counts.acked >= 4)
        assert counts.failures > 0


async def test_what_was_in_flight_goes_first_and_in_order() -> None:
    roomy = msgspec.structs.replace(CALM, network=Network(drops_per_day=0, outages_per_day=0, buffer=100))
    async with fake_server() as server, living(plant_at(server, roomy)):
        server.silent = True
        lost = [message.payload for message in await server.until(3, "devices/")]
        server.silent = False
        server.cut(NAME)
        again = [message.payload for message in await server.until(len(lost) + 3, "devices/")]
        resent = again[again.index(lost[0], 1) :]
        assert resent[: len(lost)] == lost


async def test_a_network_that_drops_cuts_and_heals_by_itself() -> None:
    shaky = msgspec.structs.replace(
        CALM, network=Network(drops_per_day=2_000_000, drop_seconds=0.01, outages_per_day=0, buffer=100)
    )
    async with fake_server() as server, living(plant_at(server, shaky)) as machine:
        await until(lambda: machine._plant.counts.drops >= 3)
        await server.until_connects(4)
        assert machine._plant.counts.failures == 0


async def test_a_hub_that_is_not_there_or_not_trusted_is_tried_again() -> None:
    async with fake_server() as server:
        nobody = plant_at(server, ca=make_authority("another").pem.decode())
        async with living(nobody):
            await until(lambda: nobody.counts.failures >= 3)
            assert nobody.last_refusal.startswith("TLS: ")
            assert server.connects == []
        gone = plant_at(server)
        gone.target = Target("127.0.0.1", 1, "localhost")
        async with living(gone):
            await until(lambda: gone.counts.failures >= 3)


async def test_a_hub_that_falls_silent_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_server() as server, living(plant_at(server)) as machine:
        await server.until(1, "devices/")
        session = machine._session
        assert session is not None
        session._answer_by, session._pinging = 0.0, True
        await until(lambda: machine._plant.counts.failures == 1)
        await server.until_connects(2)


async def test_a_seldom_sender_still_has_a_pulse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PULSE", 0.01)
    clock = FakeClock()
    async with fake_server() as server:
        plant = plant_at(server, clock=clock)
        plant.interval = 3600.0
        async with living(plant) as machine:
            await server.until_connects(1)
            first = machine._wake
            await until(lambda: machine._wake is not first)
            assert plant.counts.sent == 0
