"""The vendor's REST calls as one wired hub serves them."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.fakes.channel import FakeChannel
from tests.fakes.clock import FakeEntropy
from tests.fakes.grants import by_operator

from ironhub.access.model import Permission
from ironhub.app.hub import Hub, open_hub
from ironhub.app.rest import azure_http, call_groups
from ironhub.app.settings import Settings
from ironhub.app.system import SystemClock
from ironhub.core.ids import identity
from ironhub.heads.http.azure.calls import Door
from ironhub.heads.http.messages import Head, Request
from ironhub.identity.audience import device_resource
from ironhub.identity.sas import make_sas_token
from ironhub.messaging.files.blobs import RESERVED
from ironhub.registry.model import DeviceDraft

PRESS = identity("press-7")


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    """A hub without listeners."""
    settings = Settings(data=tmp_path / "data", partitions=1)
    async with open_hub(settings, clock=SystemClock(), entropy=FakeEntropy()) as opened:
        yield opened


async def test_no_two_calls_are_served_at_one_address(hub: Hub) -> None:
    served = Counter((route.method, route.path) for group in call_groups(hub) for route in group.routes())
    assert [call for call, times in served.items() if times > 1] == []
    assert ("POST", "/devices/{device}/messages/events") in served


async def test_no_container_is_called_like_what_another_address_begins_with(hub: Hub) -> None:
    first = {route.path.split("/")[1] for group in call_groups(hub) for route in group.routes()}
    assert {word for word in first if not word.startswith("{")} <= RESERVED


async def test_a_device_comes_in_only_where_the_address_names_it(hub: Hub) -> None:
    routes = [route for group in call_groups(hub) for route in group.routes() if route.door is Door.DEVICE]
    assert routes
    assert [route.path for route in routes if not route.path.startswith("/devices/{device}/")] == []


async def test_telemetry_over_https_is_in_the_log_when_it_is_acknowledged(hub: Hub) -> None:
    device = await hub.registry.put_device(by_operator(Permission.REGISTRY_WRITE, PRESS), DeviceDraft(), if_match=None)
    assert device.credentials.keys is not None
    expiry = int(hub.clock.now() + 60)
    token = make_sas_token(device_resource("localhost", PRESS), device.credentials.keys.primary, expiry)
    path = "/devices/press-7/messages/events"
    headers = {"host": "localhost", "authorization": token}
    response = await azure_http(hub).answer(Request(Head("POST", path, "", headers), b"x", FakeChannel()))
    assert response.status == 204
    batch = await hub.log.read(0, 0)
    assert [logged.entry.body for logged in batch.entries if logged.entry.origin.source == "telemetry"] == [b"x"]
