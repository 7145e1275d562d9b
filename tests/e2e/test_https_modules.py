"""Modules over HTTPS: telemetry and commands, which no SDK sends for them, and direct methods, which Python's does."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.iot.device import IoTHubModuleClient
from azure.iot.device.exceptions import ClientError
from tests.covers import covers
from tests.e2e.node_devices import opened
from tests.e2e.node_process import NodeProcess
from tests.e2e.python_client import MQTT, new_id
from tests.fakes.raw_device import send_command, token_for
from tests.fakes.running_hub import Registered, RunningHub

VERSION = {"api-version": "2021-04-12"}


@pytest.fixture
def module(hub: RunningHub) -> Registered:
    """A module of a new device."""
    return hub.create_module(hub.create_device(new_id("press")).device_id, "arm")


@contextmanager
def https(hub: RunningHub, who: Registered) -> Iterator[httpx.Client]:
    """A client that keeps its connection and shows this device's or module's token."""
    with httpx.Client(
        base_url=f"https://{hub.address}:{hub.ready['https']}",
        headers={"Authorization": token_for(hub, who)},
        params=VERSION,
        verify=ssl.create_default_context(cafile=str(hub.ca_path)),
        timeout=30.0,
    ) as client:
        yield client


def test_a_module_sends_and_receives_for_itself(hub: RunningHub, module: Registered) -> None:
    send_command(hub, module, b"wave", properties={"times": "3"})
    base = f"/devices/{module.device_id}/modules/arm/messages"
    with https(hub, module) as client:
        sent = client.post(f"{base}/events", content=b"hello", headers={"iothub-app-Side": "left"})
        assert (sent.status_code, sent.content) == (204, b"")
        received = client.get(f"{base}/deviceBound")
        assert (received.status_code, received.content) == (200, b"wave")
        assert received.headers["iothub-app-times"] == "3"
        lock = received.headers["etag"]
        settled = client.delete(f"{base}/deviceBound/{lock[1:-1]}", headers={"If-Match": lock})
        assert settled.status_code == 204
        assert client.get(f"{base}/deviceBound").status_code == 204
        assert client.get(f"/devices/{module.device_id}/messages/deviceBound").status_code == 401
    (event,) = hub.events(count=1, device=module.device_id)
    assert (event["module_id"], event["body"], event["properties"]) == ("arm", "hello", {"Side": "left"})
    assert event["system_properties"]["iothub-connection-module-id"] == "arm"


def test_a_connection_that_is_kept_carries_no_right_from_one_request_to_the_next(
    hub: RunningHub, module: Registered
) -> None:
    path = f"/devices/{module.device_id}/modules/arm/messages/events"
    with https(hub, module) as client:
        assert client.post(path).status_code == 204
        hub.call("PATCH", f"/devices/{module.device_id}", json={"status": "disabled"})
        refused = client.post(path)
        assert (refused.status_code, refused.headers["iothub-errorcode"]) == (401, "IotHubUnauthorized")
        hub.call("PATCH", f"/devices/{module.device_id}", json={"status": "enabled"})
        assert client.post(path).status_code == 204
        hub.call("DELETE", f"/devices/{module.device_id}/modules/arm")
        assert client.post(path).status_code == 401


def test_methods_over_https_reach_the_device_and_the_modules_beside(hub: RunningHub, module: Registered) -> None:
    other = hub.create_device(new_id("other"))
    call = {"methodName": "look", "payload": [1], "responseTimeoutInSeconds": 10, "connectTimeoutInSeconds": 10}
    named = {"x-ms-edge-moduleId": f"{module.device_id}/arm"}
    with (
        MQTT.device(hub, hub.registered(module.device_id).connection_string) as device,
        MQTT.device(hub, other.connection_string) as stranger,
        https(hub, module) as client,
    ):
        for each in (device, stranger):
            each.answer_methods(lambda name, payload: (207, {name: payload}))
            each.connect()
        answer = client.post(f"/twins/{module.device_id}/methods", json=call, headers=named)
        assert answer.json() == {"status": 207, "payload": {"look": [1]}}
        refused = client.post(f"/twins/{other.device_id}/methods", json=call, headers=named)
        assert (refused.status_code, refused.headers["iothub-errorcode"]) == (401, "IotHubUnauthorizedAccess")


@covers("py:IoTHubModuleClient.create_from_edge_environment", "py:IoTHubModuleClient.invoke_method")
def test_a_module_of_the_python_sdk_calls_its_device(
    hub: RunningHub, module: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK lets only those modules call that find their connection in the environment, as below an edge runtime."""
    other = hub.create_device(new_id("other"))
    monkeypatch.setenv("EdgeHubConnectionString", f"{module.connection_string};GatewayHostName={hub.address}")
    monkeypatch.setenv("EdgeModuleCACertificateFile", str(hub.ca_path))
    call: dict[str, Any] = {
        "methodName": "look",
        "payload": {"a": 1},
        "responseTimeoutInSeconds": 10,
        "connectTimeoutInSeconds": 10,
    }
    arm: Any = IoTHubModuleClient.create_from_edge_environment()
    try:
        with MQTT.device(hub, hub.registered(module.device_id).connection_string) as device:
            device.answer_methods(lambda name, payload: (200, {name: payload}))
            device.connect()
            answer = arm.invoke_method(call, module.device_id)
            assert answer == {"status": 200, "payload": {"look": {"a": 1}}}
        with pytest.raises(ClientError) as caught:
            arm.invoke_method(call, other.device_id)
        assert "401" in repr(caught.value.__cause__)
    finally:
        arm.shutdown()


@covers("node:ModuleClient.invokeMethod")
@pytest.mark.usefixtures("_node_sdks")
def test_a_module_of_the_node_sdk_calls_the_modules_beside_it(
    hub: RunningHub, module: Registered, tmp_path: Path
) -> None:
    """It trusts, for this call alone, only what its process trusts."""
    eye = hub.create_module(module.device_id, "eye")
    through = f"{module.connection_string};GatewayHostName={hub.address}"
    call = {"methodName": "look", "payload": {"a": 1}, "responseTimeoutInSeconds": 10, "connectTimeoutInSeconds": 10}
    process = NodeProcess("device.js", tmp_path / "node.log", NODE_EXTRA_CA_CERTS=str(hub.ca_path))
    try:
        with (
            MQTT.module(hub, eye.connection_string) as listener,
            opened(process, hub, Registered(module.device_id, "arm", through, ""), "mqtt") as arm,
        ):
            listener.answer_methods(lambda name, payload: (200, {name: payload}))
            listener.connect()
            answer = arm.ask("invoke", deviceId=module.device_id, moduleId="eye", call=call)
            assert (answer["status"], answer["payload"]) == (200, {"look": {"a": 1}})
    finally:
        process.close()
