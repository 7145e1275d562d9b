"""Microsoft's unmodified Node device SDK (azure-iot-device over azure-iot-device-mqtt) against a running hub."""

from base64 import b64decode

import pytest
from tests.covers import covers
from tests.e2e.node_devices import NASTY, opened
from tests.e2e.node_process import NodeProcess
from tests.e2e.python_client import PATIENCE, new_id
from tests.fakes.running_hub import HubFailed, RunningHub

TRANSPORTS = pytest.mark.parametrize("transport", ["mqtt", "websocket"])


@covers(
    "node:DeviceClient.close",
    "node:DeviceClient.open",
    "node:DeviceClient.sendEvent",
    "node:DeviceClient.setOptions",
    "node:feature.mqtt",
    "node:feature.websockets",
)
@TRANSPORTS
def test_telemetry_arrives_with_every_property(hub: RunningHub, node_devices: NodeProcess, transport: str) -> None:
    device = hub.create_device(new_id("press"))
    fields = {
        "messageId": "m/1 &=%ü",
        "correlationId": "c 1",
        "userId": "operator@plant",
        "contentType": "application/json",
        "contentEncoding": "utf-8",
        "expiryTimeUtc": "2099-01-01T00:00:00Z",
        "to": "somewhere",
    }
    with opened(node_devices, hub, device, transport) as client:
        client.send(b'{"t": 20.5}', NASTY, fields=fields)
        client.send(bytes(range(256)))
    first, second = hub.events(count=2, device=device.device_id)
    assert first["body"] == {"t": 20.5}
    assert first["properties"] == NASTY
    system = first["system_properties"]
    assert system["message-id"] == "m/1 &=%ü"
    assert (system["correlation-id"], system["user-id"], system["to"]) == ("c 1", "operator@plant", "somewhere")
    assert (system["content-type"], system["content-encoding"]) == ("application/json", "utf-8")
    assert system["absolute-expiry-time"] == "2099-01-01T00:00:00Z"
    assert system["iothub-connection-device-id"] == device.device_id
    assert b64decode(second["body"]["base64"]) == bytes(range(256))


@covers("node:DeviceClient.complete")
@TRANSPORTS
def test_commands_are_received_with_every_property_and_completed(
    hub: RunningHub, node_devices: NodeProcess, transport: str
) -> None:
    device = hub.create_device(new_id("press"))
    path = f"/devices/{device.device_id}/commands"
    given = {"message_id": "m-1", "correlation_id": "c/1", "content_type": "application/json", "ack": "full"}
    hub.call("POST", path, json={"body": "waited", "properties": NASTY, **given})
    with opened(node_devices, hub, device, transport) as client:
        client.ask("listen")
        message = client.messages.get(timeout=PATIENCE)
        assert b64decode(message["data"]) == b"waited"
        assert dict(message["properties"]).items() >= NASTY.items()
        assert message["fields"]["messageId"] == "m-1"
        assert message["fields"]["correlationId"] == "c/1"
        assert message["fields"]["contentType"] == "application/json"
        hub.call("POST", path, json={"body": ""})
        assert client.messages.get(timeout=PATIENCE)["data"] == ""
        hub.wait_for(lambda: hub.call("GET", path)["pending"] == 0)


def test_a_disabled_device_is_out_until_it_is_enabled_again(hub: RunningHub, node_devices: NodeProcess) -> None:
    device = hub.create_device(new_id("press"))
    path = f"/devices/{device.device_id}"
    with opened(node_devices, hub, device, "mqtt") as client:
        client.ask("answer", method="who", status=200)
        call = {"name": "who", "payload": 1, "connect_timeout": 30}
        assert hub.call("POST", f"{path}/methods", json=call)["payload"] == 1
        hub.call("PATCH", path, json={"status": "disabled"})
        with pytest.raises(HubFailed, match=r"method\.device_not_online"):
            hub.call("POST", f"{path}/methods", json={**call, "connect_timeout": 1})
        hub.call("PATCH", path, json={"status": "enabled"})
        assert hub.call("POST", f"{path}/methods", json=call)["payload"] == 1
