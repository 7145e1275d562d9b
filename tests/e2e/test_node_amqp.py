"""Microsoft's unmodified Node device SDK (azure-iot-device over azure-iot-device-amqp) against a running hub."""

from base64 import b64decode

import pytest
from tests.covers import covers
from tests.e2e.node_devices import NASTY, opened
from tests.e2e.node_process import NodeError, NodeProcess
from tests.e2e.python_client import PATIENCE, new_id
from tests.fakes.pki import self_signed
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
