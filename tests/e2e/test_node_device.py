"""Microsoft's unmodified Node device SDK (azure-iot-device) against a running hub: what all transports share.

What each transport adds is in test_node_mqtt.py and test_node_amqp.py.
"""

from base64 import b64decode
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from tests.covers import covers
from tests.e2e.authorities import prove
from tests.e2e.conftest import StartHub
from tests.e2e.node_devices import follows, opened
from tests.e2e.node_process import NodeError, NodeProcess
from tests.e2e.python_client import PATIENCE, new_id
from tests.fakes.pki import make_authority, self_signed
from tests.fakes.running_hub import Registered, RunningHub

TRANSPORTS = pytest.mark.parametrize("transport", ["mqtt", "websocket", "amqp", "amqp-websocket"])


@covers("node:DeviceClient.onDeviceMethod")
@TRANSPORTS
@pytest.mark.parametrize("payload", [None, {"now": True}, [1, "zwei", None], "text", 0], ids=repr)
def test_methods_are_answered(hub: RunningHub, node_devices: NodeProcess, transport: str, payload: Any) -> None:
    device = hub.create_device(new_id("press"))
    with opened(node_devices, hub, device, transport) as client:
        client.ask("answer", method="stop", status=207)
        call = {"name": "stop", "payload": payload, "connect_timeout": 10}
        answer = hub.call("POST", f"/devices/{device.device_id}/methods", json=call)
    assert answer == {"status": 207, "payload": payload}


@covers("node:DeviceClient.getTwin")
@TRANSPORTS
def test_a_twin_is_read_reported_and_followed(hub: RunningHub, node_devices: NodeProcess, transport: str) -> None:
    device = hub.create_device(new_id("press"))
    path = f"/twins/{device.device_id}"
    hub.call("PATCH", path, json={"desired": {"speed": 1, "old": 1}, "tags": {"hall": "b"}})
    with opened(node_devices, hub, device, transport) as client:
        twin = client.ask("twin")
        assert twin["desired"] == {"speed": 1, "old": 1, "$version": 2}
        assert twin["reported"] == {"$version": 1}
        client.ask("follow")
        assert client.desired.get(timeout=PATIENCE) == {"speed": 1, "old": 1, "$version": 2}
        client.ask("report", patch={"speed": 3, "mode": {"auto": True}, "gone": None})
        follows(hub, device, client, "m")
        hub.call("PATCH", path, json={"desired": {"speed": 5, "old": None}})
        told = client.desired.get(timeout=PATIENCE)
        assert (told["speed"], told["old"]) == (5, None)
    twin = hub.call("GET", path)
    assert told["$version"] == twin["desired"]["version"]
    assert twin["reported"] == {"version": 2, "properties": {"speed": 3, "mode": {"auto": True}}}


@TRANSPORTS
def test_a_bad_patch_is_an_error_and_not_the_end(hub: RunningHub, node_devices: NodeProcess, transport: str) -> None:
    device = hub.create_device(new_id("press"))
    with opened(node_devices, hub, device, transport) as client:
        client.ask("twin")
        with pytest.raises(NodeError, match="more than 4096 bytes"):
            client.ask("report", patch={"a": "x" * 5_000})
        client.ask("report", patch={"good": 1})
    assert hub.call("GET", f"/twins/{device.device_id}")["reported"]["properties"] == {"good": 1}


@covers("node:feature.x509-authority", "node:feature.x509-thumbprint")
@TRANSPORTS
def test_certificates_are_known_by_thumbprint_or_by_their_authority(
    hub: RunningHub, node_devices: NodeProcess, transport: str
) -> None:
    known, vouched = new_id("press"), new_id("press")
    own = self_signed(known)
    root = prove(hub, make_authority(new_id("root")))
    issued = make_authority(new_id("plant"), parent=root.authority).issue(vouched)
    thumbprints = {"kind": "x509-thumbprint", "thumbprints": [own.sha1_thumbprint]}
    for device_id, auth, certificate in ((known, thumbprints, own), (vouched, {"kind": "x509-ca"}, issued)):
        hub.create_device(device_id, auth=auth)
        text = f"HostName={hub.address};DeviceId={device_id};x509=true"
        device = Registered(device_id, None, text, "")
        with opened(node_devices, hub, device, transport, certificate) as client:
            client.send(b"in")
            client.ask("twin")
        assert hub.events(count=1, device=device_id)[0]["body"] == "in"


@covers("node:feature.sas-keys")
@TRANSPORTS
def test_a_wrong_key_is_refused(hub: RunningHub, node_devices: NodeProcess, transport: str) -> None:
    device, other = hub.create_device(new_id("press")), hub.create_device(new_id("press"))
    forged = device.connection_string.replace(device.primary_key, other.primary_key)
    stranger = Registered(device.device_id, None, forged, other.primary_key)
    with pytest.raises(NodeError) as caught, opened(node_devices, hub, stranger, transport):
        pass
    assert caught.value.name == "UnauthorizedError"


@covers(
    "node:ModuleClient.close",
    "node:ModuleClient.getTwin",
    "node:ModuleClient.onMethod",
    "node:ModuleClient.open",
    "node:ModuleClient.sendOutputEvent",
)
@TRANSPORTS
def test_a_module_speaks_and_listens_for_itself(hub: RunningHub, node_devices: NodeProcess, transport: str) -> None:
    device = hub.create_device(new_id("press"))
    module = hub.create_module(device.device_id, "arm")
    with opened(node_devices, hub, module, transport) as client:
        client.send(b"hot", {"k": "v"}, output="alarms")
        client.ask("answer", method="who", status=200)
        client.ask("hear")
        client.ask("twin")
        client.ask("report", patch={"arm": 1})
        call = {"name": "who", "payload": "arm", "connect_timeout": 10}
        path = f"/devices/{device.device_id}/methods"
        assert hub.call("POST", path, json=call, params={"module": "arm"})["payload"] == "arm"
    (event,) = hub.events(count=1, device=device.device_id)
    assert (event["module_id"], event["body"], event["properties"]) == ("arm", "hot", {"k": "v"})
    assert event["system_properties"]["iothub-output-name"] == "alarms"
    twin = hub.call("GET", f"/twins/{device.device_id}", params={"module": "arm"})
    assert twin["reported"]["properties"] == {"arm": 1}


@covers("node:feature.reconnect")
@pytest.mark.parametrize("transports", [("mqtt", "websocket"), ("amqp", "amqp-websocket")], ids=["mqtt", "amqp"])
@pytest.mark.parametrize("end", [RunningHub.stop, RunningHub.kill], ids=["SIGTERM", "SIGKILL"])
def test_everything_works_again_when_the_hub_is_back(
    start_hub: StartHub, node_devices: NodeProcess, transports: tuple[str, str], end: Callable[[RunningHub], int]
) -> None:
    hub = start_hub()
    devices = [hub.create_device(new_id(transport)) for transport in transports]
    with ExitStack() as stack:
        clients = [
            (stack.enter_context(opened(node_devices, hub, device, transport)), device)
            for transport, device in zip(transports, devices, strict=True)
        ]
        for client, device in clients:
            client.ask("listen")
            client.ask("answer", method="echo", status=200)
            client.ask("twin")
            client.ask("follow")
            follows(hub, device, client, "before")
        end(hub)
        hub.start()
        for client, device in clients:
            path = f"/devices/{device.device_id}"
            call = {"name": "echo", "payload": "after", "connect_timeout": 60}
            assert hub.call("POST", f"{path}/methods", json=call)["payload"] == "after"
            hub.call("POST", f"{path}/commands", json={"body": "after"})
            assert b64decode(client.messages.get(timeout=PATIENCE)["data"]) == b"after"
            follows(hub, device, client, "after")
            client.send(b"after")
            assert [event["body"] for event in hub.events(count=1, device=device.device_id)] == ["after"]
