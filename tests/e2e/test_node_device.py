"""Microsoft's unmodified Node device SDK (azure-iot-device over azure-iot-device-mqtt) against a running hub."""

import queue
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from tests.covers import covers
from tests.e2e.authorities import prove
from tests.e2e.conftest import StartHub
from tests.e2e.node_process import NodeError, NodeProcess
from tests.e2e.python_client import PATIENCE, new_id
from tests.fakes.pki import FakeCertificate, make_authority, self_signed
from tests.fakes.running_hub import HubFailed, Registered, RunningHub

TRANSPORTS = pytest.mark.parametrize("transport", ["mqtt", "websocket"])
NASTY = {
    "a b": "c/d=e&f%+",
    "leer": "",
    "%41": "%2F%",
    "#+/": "devices/other/#",
    "ключ": "значение \N{SNOWMAN}\N{GRINNING FACE}",
    "!'()*": "!'()*",
}


class NodeClient:
    """One device or module in a Node process."""

    def __init__(self, process: NodeProcess, handle: str) -> None:
        self._process = process
        self.handle = handle
        self.messages = process.events(handle, "message")
        self.settled = process.events(handle, "settled")
        self.desired = process.events(handle, "desired")
        self.connects = process.events(handle, "connect")
        self.disconnects = process.events(handle, "disconnect")
        self.tokens = process.events(handle, "token")

    def ask(self, action: str, **arguments: Any) -> Any:
        """As NodeProcess.ask, of this client."""
        return self._process.ask(action, handle=self.handle, **arguments)

    def send(self, body: bytes, properties: dict[str, str] | None = None, **arguments: Any) -> None:
        """Send telemetry; `fields` as the SDK names them."""
        given = {"data": b64encode(body).decode(), "properties": list((properties or {}).items()), "fields": {}}
        self.ask("send", **(given | arguments))


@contextmanager
def opened(
    process: NodeProcess,
    hub: RunningHub,
    registered: Registered,
    transport: str,
    certificate: FakeCertificate | None = None,
    **more: Any,
) -> Iterator[NodeClient]:
    """A connected client, closed at the end; `more` options as the SDK names them."""
    client = NodeClient(process, new_id("client"))
    options = {"ca": hub.ca_pem, **more}
    if certificate is not None:
        options |= {"cert": certificate.chain_pem.decode(), "key": certificate.key_pem.decode()}
    client.ask(
        "open",
        connectionString=registered.connection_string,
        transport=transport,
        module=registered.module_id is not None,
        options=options,
    )
    try:
        yield client
    finally:
        client.ask("close")


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
        hub.call("PATCH", path, json={"desired": {"speed": 5, "old": None}})
        assert client.desired.get(timeout=PATIENCE) == {"speed": 5, "old": None, "$version": 3}
    reported = hub.call("GET", path)["reported"]
    assert reported == {"version": 2, "properties": {"speed": 3, "mode": {"auto": True}}}


def test_a_bad_patch_is_an_error_and_not_the_end(hub: RunningHub, node_devices: NodeProcess) -> None:
    device = hub.create_device(new_id("press"))
    with opened(node_devices, hub, device, "mqtt") as client:
        client.ask("twin")
        with pytest.raises(NodeError):
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


def follows(hub: RunningHub, device: Registered, client: NodeClient, mark: str) -> None:
    """A desired property must reach the device; the SDK does not say when it listens, so it is set until it does."""

    def told() -> bool:
        hub.call("PATCH", f"/twins/{device.device_id}", json={"desired": {"mark": mark}})
        with suppress(queue.Empty):
            while client.desired.get(timeout=0.5).get("mark") != mark:
                pass
            return True
        return False

    hub.wait_for(told)


@covers("node:feature.reconnect")
@pytest.mark.parametrize("end", [RunningHub.stop, RunningHub.kill], ids=["SIGTERM", "SIGKILL"])
def test_everything_works_again_when_the_hub_is_back(
    start_hub: StartHub, node_devices: NodeProcess, end: Callable[[RunningHub], int]
) -> None:
    hub = start_hub()
    devices = {transport: hub.create_device(new_id(transport)) for transport in ("mqtt", "websocket")}
    with (
        opened(node_devices, hub, devices["mqtt"], "mqtt") as plain,
        opened(node_devices, hub, devices["websocket"], "websocket") as web,
    ):
        for client, device in ((plain, devices["mqtt"]), (web, devices["websocket"])):
            client.ask("listen")
            client.ask("answer", method="echo", status=200)
            client.ask("twin")
            client.ask("follow")
            follows(hub, device, client, "before")
        end(hub)
        hub.start()
        for client, device in ((plain, devices["mqtt"]), (web, devices["websocket"])):
            path = f"/devices/{device.device_id}"
            call = {"name": "echo", "payload": "after", "connect_timeout": 30}
            assert hub.call("POST", f"{path}/methods", json=call)["payload"] == "after"
            hub.call("POST", f"{path}/commands", json={"body": "after"})
            assert b64decode(client.messages.get(timeout=PATIENCE)["data"]) == b"after"
            hub.call("PATCH", f"/twins/{device.device_id}", json={"desired": {"mark": "after"}})
            while client.desired.get(timeout=PATIENCE)["mark"] != "after":
                pass
            client.send(b"after")
            assert [event["body"] for event in hub.events(count=1, device=device.device_id)] == ["after"]
