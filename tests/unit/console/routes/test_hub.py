"""Tests of console/routes/hub.py."""

from pathlib import Path

import pytest
from tests.unit.console.conftest import Desk

from ironhub.core.errors import Unavailable


async def test_the_status_counts_devices_and_connections(desk: Desk) -> None:
    await desk.ok("POST", "/devices", json={"device_id": "d"})
    await desk.ok("POST", "/devices", json={"device_id": "e", "status": "disabled"})
    desk.connect("d")
    status = await desk.ok("GET", "/status")
    assert (status["devices"], status["devices_enabled"], status["connected"]) == (2, 1, 1)
    assert status["hostnames"] == ["hub.example", "localhost"]
    assert status["troubles"] == []


async def test_the_certificate_to_trust_is_given(desk: Desk) -> None:
    assert (await desk.ok("GET", "/ca"))["pem"].startswith("-----BEGIN CERTIFICATE")


async def test_connection_strings_are_what_the_sdks_take(desk: Desk) -> None:
    await desk.ok("POST", "/devices", json={"device_id": "d"})
    await desk.ok("POST", "/devices/d/modules", json={"module_id": "m"})
    await desk.ok("POST", "/devices", json={"device_id": "x", "auth": {"kind": "x509-ca"}})

    async def text(**query: str) -> str:
        given: str = (await desk.ok("GET", "/connection-string", params=query))["connection_string"]
        return given

    assert (await text(device="d")).startswith("HostName=hub.example;DeviceId=d;SharedAccessKey=")
    assert (await text(device="d", module="m", host="here")).startswith("HostName=here;DeviceId=d;ModuleId=m;Shared")
    assert await text(device="x") == "HostName=hub.example;DeviceId=x;x509=true"
    assert (await text(policy="IoTHubOwner")).startswith("HostName=hub.example;SharedAccessKeyName=iothubowner;")
    events = await text(events="true")
    assert events.startswith("Endpoint=sb://hub.example/;SharedAccessKeyName=service;SharedAccessKey=")
    assert events.endswith(";EntityPath=events")
    assert "SharedAccessKeyName=iothubowner;" in await text(events="true", policy="IoTHubOwner")


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"policy": "a", "device": "b"},
        {"module": "m"},
        {"events": "true", "device": "b"},
        {"events": "true", "policy": "device"},
    ],
)
async def test_a_connection_string_is_for_one(desk: Desk, query: dict[str, str]) -> None:
    assert await desk.refused("GET", "/connection-string", params=query) == (400, "argument.invalid")


async def test_an_unknown_policy_is_answered_with_the_known_ones(desk: Desk) -> None:
    assert await desk.refused("GET", "/connection-string?policy=nobody") == (404, "policy.not_found")
    response = await desk.client.get("/api/v1/connection-string?policy=nobody")
    assert "registryReadWrite" in response.json()["error"]["message"]


async def test_a_backup_is_streamed_and_leaves_nothing_behind(desk: Desk, tmp_path: Path) -> None:
    response = await desk.client.post("/api/v1/backup")
    assert response.content == b"everything" * 100_000
    assert response.headers["content-length"] == "1000000"
    assert list(tmp_path.iterdir()) == []


async def test_a_backup_that_fails_is_told_and_leaves_nothing_behind(desk: Desk, tmp_path: Path) -> None:
    async def full(path: Path) -> None:
        assert path.parent.parent == tmp_path  # beside the data, and not where everybody writes
        path.write_bytes(b"half")
        raise Unavailable("the disk is full")

    object.__setattr__(desk.services, "backup", full)
    assert await desk.refused("POST", "/backup") == (503, "hub.unavailable")
    assert list(tmp_path.iterdir()) == []
