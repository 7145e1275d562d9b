"""Microsoft's unmodified Python device SDK (azure-iot-device) against a running hub."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from azure.iot.device import IoTHubDeviceClient, IoTHubModuleClient, Message, MethodResponse
from tests.fakes.running_hub import RunningHub

TRANSPORTS = pytest.mark.parametrize("websockets", [False, True], ids=["mqtt", "websocket"])
PATIENCE = 20.0


def new_id(name: str) -> str:
    """An id that no other test uses."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


@contextmanager
def device_client(hub: RunningHub, connection_string: str, **options: Any) -> Iterator[IoTHubDeviceClient]:
    """A connected device client, shut down at the end."""
    client = IoTHubDeviceClient.create_from_connection_string(
        connection_string, server_verification_cert=hub.ca_pem, **options
    )
    try:
        client.connect()
        yield client
    finally:
        client.shutdown()


@TRANSPORTS
def test_telemetry_arrives_with_every_property(hub: RunningHub, websockets: bool) -> None:
    device = hub.create_device(new_id("press"))
    message = Message('{"t": 20.5}', message_id="m/1 &=%ü", content_encoding="utf-8", content_type="application/json")
    message.correlation_id = "c 1"
    message.user_id = "u"
    message.custom_properties["a b"] = "c/d=e&f%+"
    message.custom_properties["leer"] = ""
    with device_client(hub, device.connection_string, websockets=websockets) as client:
        client.send_message(message)
    (event,) = hub.events(count=1, device=device.device_id)
    assert event["body"] == {"t": 20.5}
    assert event["properties"] == {"a b": "c/d=e&f%+", "leer": ""}
    system = event["system_properties"]
    assert system["message-id"] == "m/1 &=%ü"
    assert system["correlation-id"] == "c 1"
    assert system["iothub-connection-device-id"] == device.device_id


@TRANSPORTS
def test_a_method_call_is_answered_by_the_device(hub: RunningHub, websockets: bool) -> None:
    device = hub.create_device(new_id("press"))
    with device_client(hub, device.connection_string, websockets=websockets) as client:

        def answer(request: Any) -> None:
            client.send_method_response(MethodResponse(request.request_id, 207, {"echo": request.payload}))

        client.on_method_request_received = answer
        result = hub.call(
            "POST",
            f"/devices/{device.device_id}/methods",
            json={"name": "stop", "payload": {"now": True}, "connect_timeout": 10},
        )
    assert result["status"] == 207
    assert result["payload"] == {"echo": {"now": True}}


@TRANSPORTS
def test_twin_get_report_and_desired(hub: RunningHub, websockets: bool) -> None:
    device = hub.create_device(new_id("press"))
    changed = threading.Event()
    patches: list[dict[str, Any]] = []

    def on_patch(patch: dict[str, Any]) -> None:
        patches.append(patch)
        changed.set()

    with device_client(hub, device.connection_string, websockets=websockets) as client:
        twin = client.get_twin()
        assert twin["desired"]["$version"] == 1
        client.patch_twin_reported_properties({"speed": 3, "mode": {"auto": True}})
        client.on_twin_desired_properties_patch_received = on_patch
        hub.call("PATCH", f"/twins/{device.device_id}", json={"desired": {"speed": 5}, "tags": {"hall": "b"}})
        assert changed.wait(PATIENCE)
        assert patches[0] == {"speed": 5, "$version": 2}
        twin = client.get_twin()
    assert twin["desired"] == {"speed": 5, "$version": 2}
    assert twin["reported"] == {"speed": 3, "mode": {"auto": True}, "$version": 2}


@TRANSPORTS
def test_a_command_is_received_and_completed(hub: RunningHub, websockets: bool) -> None:
    device = hub.create_device(new_id("press"))
    received = threading.Event()
    messages: list[Message] = []

    def on_message(message: Message) -> None:
        messages.append(message)
        received.set()

    hub.call("POST", f"/devices/{device.device_id}/commands", json={"body": "stop", "properties": {"k": "v/w"}})
    with device_client(hub, device.connection_string, websockets=websockets) as client:
        client.on_message_received = on_message
        assert received.wait(PATIENCE)
    assert messages[0].data == b"stop"
    assert messages[0].custom_properties["k"] == "v/w"


def test_a_module_speaks_for_itself(hub: RunningHub) -> None:
    device = hub.create_device(new_id("press"))
    module = hub.create_module(device.device_id, "arm")
    client = IoTHubModuleClient.create_from_connection_string(
        module.connection_string, server_verification_cert=hub.ca_pem
    )
    try:
        client.connect()
        client.send_message_to_output("hot", "alarms")
        client.patch_twin_reported_properties({"arm": 1})
    finally:
        client.shutdown()
    (event,) = hub.events(count=1, device=device.device_id)
    assert event["module_id"] == "arm"
    twin = hub.call("GET", f"/twins/{device.device_id}", params={"module": "arm"})
    assert twin["reported"]["properties"]["arm"] == 1
