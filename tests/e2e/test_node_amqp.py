"""Microsoft's unmodified Node device SDK (azure-iot-device over azure-iot-device-amqp) against a running hub."""

from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest
from tests.covers import covers
from tests.e2e.authorities import prove
from tests.e2e.conftest import StartHub
from tests.e2e.node_process import NodeError, NodeProcess
from tests.e2e.python_client import PATIENCE, new_id
from tests.e2e.test_node_device import NASTY, follows, opened
from tests.fakes.pki import make_authority, self_signed
from tests.fakes.running_hub import HubFailed, Registered, RunningHub

TRANSPORTS = pytest.mark.parametrize("transport", ["amqp", "amqp-websocket"])


def queued(hub: RunningHub, device: Registered) -> int:
    """How many commands wait or are held."""
    count: int = hub.call("GET", f"/devices/{device.device_id}/commands")["pending"]
    return count


@covers(
    "node:DeviceClient.close",
    "node:DeviceClient.open",
    "node:DeviceClient.sendEvent",
    "node:feature.amqp",
    "node:feature.amqp-websockets",
)
@TRANSPORTS
def test_telemetry_arrives_with_every_property(hub: RunningHub, node_devices: NodeProcess, transport: str) -> None:
    device = hub.create_device(new_id("press"))
    fields = {
        "messageId": "m/1 &=%ü",
        "correlationId": "6f1c2a52-8a0e-4d5c-9a39-6d9b4ea39a11",
        "contentType": "application/json",
        "contentEncoding": "utf-8",
        "expiryTimeUtc": 4_070_908_800_000,  # over AMQP the SDK takes milliseconds
    }
    with opened(node_devices, hub, device, transport) as client:
        client.send(b'{"t": 20.5}', NASTY, fields=fields)
        client.send(bytes(range(256)))
    first, second = hub.events(count=2, device=device.device_id)
    assert first["body"] == {"t": 20.5}
    assert first["properties"] == NASTY
    system = first["system_properties"]
    assert system["message-id"] == "m/1 &=%ü"
    assert system["correlation-id"] == "6f1c2a52-8a0e-4d5c-9a39-6d9b4ea39a11"
    assert (system["content-type"], system["content-encoding"]) == ("application/json", "utf-8")
    assert system["absolute-expiry-time"].startswith("2099-01-01T00:00:00")
    assert system["to"] == f"/devices/{device.device_id}/messages/events"
    assert system["iothub-connection-device-id"] == device.device_id
    assert b64decode(second["body"]["base64"]) == bytes(range(256))


@TRANSPORTS
def test_large_messages_arrive_and_larger_ones_are_refused_by_name(
    hub: RunningHub, node_devices: NodeProcess, transport: str
) -> None:
    device = hub.create_device(new_id("press"))
    with opened(node_devices, hub, device, transport) as client:
        client.send(b"x" * 250_000)
        with pytest.raises(NodeError) as caught:
            client.send(b"x" * 300_000)
        assert caught.value.name == "MessageTooLargeError"
        client.send(b"small again")
    first, second = hub.events(count=2, device=device.device_id)
    assert (len(first["body"]), second["body"]) == (250_000, "small again")


def test_the_sdk_sends_no_batches_over_amqp(hub: RunningHub, node_devices: NodeProcess) -> None:
    device = hub.create_device(new_id("press"))
    with opened(node_devices, hub, device, "amqp") as client:
        message = {"data": "", "properties": [], "fields": {}}
        with pytest.raises(NodeError) as caught:
            client.ask("sendBatch", messages=[message, message])
        assert caught.value.name == "NotImplementedError"


@covers("node:DeviceClient.complete", "node:DeviceClient.reject")
@TRANSPORTS
@pytest.mark.parametrize(("settle", "outcome"), [("complete", "success"), ("reject", "rejected")])
def test_commands_arrive_with_every_property_and_their_sender_learns_the_end(
    hub: RunningHub, node_devices: NodeProcess, transport: str, settle: str, outcome: str
) -> None:
    device = hub.create_device(new_id("press"))
    path = f"/devices/{device.device_id}/commands"
    message_id = new_id("m")
    given = {"message_id": message_id, "correlation_id": "c/1", "content_type": "application/json", "ack": "full"}
    hub.call("POST", path, json={"body": "waited", "properties": NASTY, **given})
    with opened(node_devices, hub, device, transport) as client:
        client.ask("listen", settle=settle)
        message = client.messages.get(timeout=PATIENCE)
        assert b64decode(message["data"]) == b"waited"
        assert dict(message["properties"]).items() >= NASTY.items()
        fields = message["fields"]
        assert (fields["messageId"], fields["correlationId"]) == (message_id, "c/1")
        assert (fields["contentType"], fields["ack"]) == ("application/json", "full")
        assert fields["to"] == f"/devices/{device.device_id}/messages/deviceBound"
        hub.call("POST", path, json={"body": ""})
        assert client.messages.get(timeout=PATIENCE)["data"] == ""
        hub.wait_for(lambda: queued(hub, device) == 0)
    assert feedback(hub)[message_id] == outcome


def feedback(hub: RunningHub) -> dict[str, str]:
    """The outcomes that senders were told of, by message id."""
    records = hub.call("GET", "/feedback", params={"limit": 1000})["feedback"]
    return {record["message_id"]: record["outcome"] for record in records}


@covers("node:DeviceClient.abandon")
@TRANSPORTS
def test_an_abandoned_command_comes_again_until_it_is_dead(
    hub: RunningHub, node_devices: NodeProcess, transport: str
) -> None:
    device = hub.create_device(new_id("press"))
    message_id = new_id("m")
    hub.call(
        "POST", f"/devices/{device.device_id}/commands", json={"body": "no", "ack": "full", "message_id": message_id}
    )
    with opened(node_devices, hub, device, transport) as client:
        client.ask("listen", settle="abandon")
        hub.wait_for(lambda: message_id in feedback(hub))
        assert client.messages.qsize() == 10
    assert feedback(hub)[message_id] == "delivery_count_exceeded"


def test_what_a_device_did_not_settle_comes_again_on_its_next_connection(
    hub: RunningHub, node_devices: NodeProcess
) -> None:
    device = hub.create_device(new_id("press"))
    hub.call("POST", f"/devices/{device.device_id}/commands", json={"body": "go"})
    for settle in ("leave", "complete"):
        with opened(node_devices, hub, device, "amqp") as client:
            client.ask("listen", settle=settle)
            assert b64decode(client.messages.get(timeout=PATIENCE)["data"]) == b"go"
            if settle == "complete":
                hub.wait_for(lambda: queued(hub, device) == 0)


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
    reported = hub.call("GET", path)["reported"]
    assert reported == {"version": 2, "properties": {"speed": 3, "mode": {"auto": True}}}


def test_a_bad_patch_is_an_error_and_not_the_end(hub: RunningHub, node_devices: NodeProcess) -> None:
    device = hub.create_device(new_id("press"))
    with opened(node_devices, hub, device, "amqp") as client:
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


@TRANSPORTS
def test_a_certificate_of_another_device_opens_no_link(
    hub: RunningHub, node_devices: NodeProcess, transport: str
) -> None:
    own, other = new_id("press"), new_id("press")
    certificate = self_signed(own)
    auth = {"kind": "x509-thumbprint", "thumbprints": [certificate.sha1_thumbprint]}
    hub.create_device(own, auth=auth)
    hub.create_device(other, auth={"kind": "x509-thumbprint", "thumbprints": [self_signed(other).sha1_thumbprint]})
    stranger = Registered(other, None, f"HostName={hub.address};DeviceId={other};x509=true", "")
    with opened(node_devices, hub, stranger, transport, certificate) as client, pytest.raises(NodeError) as caught:
        client.send(b"in")
    assert caught.value.name == "UnauthorizedError"


@covers("node:feature.sas-keys")
@TRANSPORTS
def test_a_wrong_key_is_refused(hub: RunningHub, node_devices: NodeProcess, transport: str) -> None:
    device, other = hub.create_device(new_id("press")), hub.create_device(new_id("press"))
    forged = device.connection_string.replace(device.primary_key, other.primary_key)
    stranger = Registered(device.device_id, None, forged, other.primary_key)
    with pytest.raises(NodeError) as caught, opened(node_devices, hub, stranger, transport):
        pass
    assert caught.value.name == "UnauthorizedError"


@TRANSPORTS
def test_a_disabled_device_is_out_within_a_second(hub: RunningHub, node_devices: NodeProcess, transport: str) -> None:
    device = hub.create_device(new_id("press"))
    path = f"/devices/{device.device_id}"
    with opened(node_devices, hub, device, transport) as client:
        client.ask("answer", method="who", status=200)
        call = {"name": "who", "payload": 1, "connect_timeout": 30}
        assert hub.call("POST", f"{path}/methods", json=call)["payload"] == 1
        hub.call("PATCH", path, json={"status": "disabled"})
        hub.wait_for(lambda: hub.call("GET", path)["connected"] is False, timeout=1.0)
        with pytest.raises(HubFailed, match=r"method\.device_not_online"):
            hub.call("POST", f"{path}/methods", json={**call, "connect_timeout": 1})
        client.disconnects.get(timeout=PATIENCE)


@covers("node:feature.token-renewal")
def test_tokens_are_renewed_without_a_new_connection(hub: RunningHub, node_devices: NodeProcess) -> None:
    device = hub.create_device(new_id("press"))
    renewal = {"tokenValidTimeInSeconds": 5, "tokenRenewalMarginInSeconds": 4}
    with opened(node_devices, hub, device, "amqp", tokenRenewal=renewal) as client:
        client.send(b"before")
        for _ in range(3):
            client.tokens.get(timeout=PATIENCE)
        client.send(b"after")
        assert client.disconnects.empty()
    assert [event["body"] for event in hub.events(count=2, device=device.device_id)] == ["before", "after"]


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
@pytest.mark.parametrize("end", [RunningHub.stop, RunningHub.kill], ids=["SIGTERM", "SIGKILL"])
def test_everything_works_again_when_the_hub_is_back(
    start_hub: StartHub, node_devices: NodeProcess, end: Callable[[RunningHub], int]
) -> None:
    hub = start_hub()
    devices = {transport: hub.create_device(new_id(transport)) for transport in ("amqp", "amqp-websocket")}
    with (
        opened(node_devices, hub, devices["amqp"], "amqp") as plain,
        opened(node_devices, hub, devices["amqp-websocket"], "amqp-websocket") as web,
    ):
        clients = ((plain, devices["amqp"]), (web, devices["amqp-websocket"]))
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
