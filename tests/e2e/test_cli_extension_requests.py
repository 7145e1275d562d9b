"""The requests that the Azure CLI's IoT extension sends over REST, replayed.

The extension is no package of a registry, so it cannot run here: what it sends is known from its source (0.25.0). It
signs in with `--login` and a policy's connection string, names its API version 2024-03-31, and takes only the success
codes that are checked here.
"""

import ssl
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.e2e.python_client import MQTT, new_id
from tests.fakes.raw_device import policy_token
from tests.fakes.running_hub import RunningHub


class Extension:
    """Sends as the extension does."""

    def __init__(self, hub: RunningHub, http: httpx.Client) -> None:
        self._hub = hub
        self._http = http

    def send(
        self, method: str, path: str, *, expect: int = 200, etag: str | None = None, **more: Any
    ) -> httpx.Response:
        """Send one request and check its status; `etag` is put into quotes, "*" too."""
        headers = {
            "Authorization": policy_token(self._hub, "iothubowner", ends_in=600),
            "x-ms-client-request-id": str(uuid.uuid4()),
            "accept-language": "en-US",
            "Accept": "application/json",
            **({} if etag is None else {"If-Match": f'"{etag}"'}),
            **more.pop("headers", {}),
        }
        response = self._http.request(method, path, params={"api-version": "2024-03-31"}, headers=headers, **more)
        assert response.status_code == expect, response.text
        assert response.headers["x-ms-request-id"]
        return response

    def json(self, method: str, path: str, **more: Any) -> Any:
        """As `send`; returns the decoded body."""
        return self.send(method, path, **more).json()


@pytest.fixture
def extension(hub: RunningHub) -> Iterator[Extension]:
    """The extension, signed in as the owner."""
    trusted = ssl.create_default_context(cafile=str(hub.ca_path))
    with httpx.Client(base_url=f"https://{hub.address}", verify=trusted, timeout=30) as http:
        yield Extension(hub, http)


def test_device_identity_commands(extension: Extension) -> None:
    name = new_id("press")
    body = {
        "deviceId": name,
        "status": "enabled",
        "capabilities": {"iotEdge": False},
        "authentication": {"type": "sas"},
    }
    made = extension.json("PUT", f"/devices/{name}", json=body)
    assert made["authentication"]["symmetricKey"]["primaryKey"]
    read = extension.send("GET", f"/devices/{name}")
    assert read.headers["etag"] == f'"{made["etag"]}"'
    changed = extension.json("PUT", f"/devices/{name}", json={**read.json(), "status": "disabled"}, etag=made["etag"])
    assert changed["status"] == "disabled"
    extension.send("PUT", f"/devices/{name}", json=changed, etag=made["etag"], expect=412)
    extension.send("DELETE", f"/devices/{name}", etag="*", expect=204)
    assert "DeviceNotFound" in extension.send("GET", f"/devices/{name}", expect=404).text


def test_module_identity_commands(hub: RunningHub, extension: Extension) -> None:
    name = hub.create_device(new_id("press")).device_id
    path = f"/devices/{name}/modules/arm"
    made = extension.json("PUT", path, json={"deviceId": name, "moduleId": "arm", "authentication": {"type": "sas"}})
    assert [each["moduleId"] for each in extension.json("GET", f"/devices/{name}/modules")] == ["arm"]
    changed = extension.json("PUT", path, json={**made, "managedBy": "shop"}, etag=made["etag"])
    extension.send("DELETE", path, etag=changed["etag"], expect=204)
    extension.send("GET", path, expect=404)


def test_twin_commands(hub: RunningHub, extension: Extension) -> None:
    name = hub.create_device(new_id("press")).device_id
    twin = extension.json("GET", f"/twins/{name}")
    patch = {"tags": {"hall": "b"}, "properties": {"desired": {"speed": 5}}}
    updated = extension.json("PATCH", f"/twins/{name}", json=patch, etag=twin["etag"])
    assert updated["properties"]["desired"]["speed"] == 5
    # `device-twin replace` sends back what it has read, with all that the hub added.
    replaced = extension.json("PUT", f"/twins/{name}", json={**updated, "tags": {}}, etag="*")
    assert (replaced["tags"], replaced["properties"]["desired"]["speed"]) == ({}, 5)


@pytest.mark.parametrize(
    "query",
    [
        "select * from devices",
        "select * from devices where capabilities.iotEdge = true",
        "select deviceId from devices where array_contains(parentScopes, 'ms-azure-iot-edge://x-1')",
        "SELECT deviceId FROM devices",
        "SELECT deviceId, deviceScope FROM devices",
        "SELECT * FROM devices.modules where moduleId = '$edgeAgent'",
    ],
)
def test_the_queries_it_asks(hub: RunningHub, extension: Extension, query: str) -> None:
    """It goes on as long as the answer names a continuation."""
    for _ in range(3):
        hub.create_device(new_id("press"))
    found: list[Any] = []
    continuation: str | None = ""
    while continuation is not None:
        headers = {"x-ms-max-item-count": "2", **({"x-ms-continuation": continuation} if continuation else {})}
        page = extension.send("POST", "/devices/query", json={"query": query}, headers=headers)
        found += page.json()
        continuation = page.headers.get("x-ms-continuation")
    assert len(found) >= (3 if "where" not in query else 0)


def test_a_direct_method(hub: RunningHub, extension: Extension) -> None:
    device = hub.create_device(new_id("press"))
    body = {"methodName": "stop", "responseTimeoutInSeconds": 10, "connectTimeoutInSeconds": 10, "payload": {"now": 1}}
    with MQTT.device(hub, device.connection_string) as client:
        client.connect()
        client.answer_methods(lambda name, payload: (200, {name: payload}))
        answer = extension.json("POST", f"/twins/{device.device_id}/methods", json=body)
    assert answer == {"status": 200, "payload": {"stop": {"now": 1}}}


def test_statistics_and_a_configuration(extension: Extension) -> None:
    assert extension.json("GET", "/statistics/devices")["totalDeviceCount"] >= 0
    name = new_id("wave")
    body = {
        "id": name,
        "content": {"deviceContent": {"properties.desired.wave": 1}},
        "targetCondition": "tags.none = 'x'",
        "priority": 3,
        "labels": {},
        "metrics": {"queries": {}},
    }
    made = extension.json("PUT", f"/configurations/{name}", json=body)
    changed = extension.json("PUT", f"/configurations/{name}", json={**made, "priority": 4}, etag=made["etag"])
    assert changed["priority"] == 4
    assert extension.json("GET", f"/configurations/{name}")["etag"] == changed["etag"]
    extension.send("DELETE", f"/configurations/{name}", etag=changed["etag"], expect=204)
