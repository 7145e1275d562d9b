"""Microsoft's unmodified Node device SDK over azure-iot-device-http, which polls instead of being connected."""

from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from tests.covers import covers
from tests.e2e.authorities import prove
from tests.e2e.node_devices import NodeClient
from tests.e2e.node_process import NodeError, NodeProcess
from tests.e2e.python_client import PATIENCE, new_id
from tests.fakes.pki import FakeCertificate, make_authority, self_signed
from tests.fakes.running_hub import Registered, RunningHub

POLLING: Final = {"receivePolicy": {"interval": 1, "drain": True}}
"""Without it the SDK's `setOptions` never calls back over HTTPS."""
ODD: Final = {
    "Line": "c/d=e&f%+;",
    "leer": "",
    "%41": "%2F%",
    "#+": "a  b",
    "laut": "\u00fc\u00df\u00e9",
    "!'*": "!'()*",
}
"""What this SDK can write into headers: names without spaces, values of Latin-1."""


@contextmanager
def polling(
    process: NodeProcess, hub: RunningHub, registered: Registered, certificate: FakeCertificate | None = None
) -> Iterator[NodeClient]:
    """A client over HTTPS, closed at the end."""
    client = NodeClient(process, new_id("client"))
    options: dict[str, Any] = {"ca": hub.ca_pem, "http": POLLING}
    if certificate is not None:
        options |= {"cert": certificate.chain_pem.decode(), "key": certificate.key_pem.decode()}
    text = registered.connection_string
    client.ask("open", connectionString=text, transport="https", module=False, options=options)
    try:
        yield client
    finally:
        client.ask("close")


def send_command(hub: RunningHub, device: Registered, body: bytes, **fields: Any) -> None:
    """Queue a command."""
    given = {"body_base64": b64encode(body).decode(), **fields}
    hub.call("POST", f"/devices/{device.device_id}/commands", json=given)


def pending(hub: RunningHub, device: Registered) -> int:
    """How many commands wait or are held."""
    count: int = hub.call("GET", f"/devices/{device.device_id}")["pending_commands"]
    return count


@covers(
    "node:DeviceClient.close",
    "node:DeviceClient.open",
    "node:DeviceClient.sendEvent",
    "node:DeviceClient.setOptions",
    "node:feature.http",
)
def test_telemetry_arrives_with_every_property(hub: RunningHub, node_devices: NodeProcess) -> None:
    device = hub.create_device(new_id("press"))
    fields = {
        "messageId": "m/1 &=%",
        "correlationId": "c 1",
        "userId": "operator@plant",
        "contentType": "application/json",
        "contentEncoding": "utf-8",
        "expiryTimeUtc": "2099-01-01T00:00:00Z",
        "to": "somewhere",
    }
    with polling(node_devices, hub, device) as client:
        client.send(b'{"t": 20.5}', {**ODD, "dt-subject": "thermostat1"}, fields=fields)
        client.send(bytes(range(256)))
    first, second = hub.events(count=2, device=device.device_id)
    assert first["body"] == {"t": 20.5}
    assert first["properties"] == ODD
    system = first["system_properties"]
    assert (system["message-id"], system["correlation-id"], system["user-id"]) == ("m/1 &=%", "c 1", "operator@plant")
    assert (system["content-type"], system["content-encoding"]) == ("application/json", "utf-8")
    assert (system["absolute-expiry-time"], system["to"]) == ("2099-01-01T00:00:00Z", "somewhere")
    assert system["dt-subject"] == "thermostat1"
    assert system["iothub-connection-device-id"] == device.device_id
    assert b64decode(second["body"]["base64"]) == bytes(range(256))
    assert "to" not in second["system_properties"]


@covers("node:DeviceClient.sendEventBatch")
def test_a_batch_arrives_message_by_message(hub: RunningHub, node_devices: NodeProcess) -> None:
    device = hub.create_device(new_id("press"))
    bodies = [f"reading {number}".encode() for number in range(200)]
    messages = [
        {"data": b64encode(body).decode(), "properties": [["n", str(number)]] if number % 2 else [], "fields": {}}
        for number, body in enumerate(bodies)
    ]
    with polling(node_devices, hub, device) as client:
        client.ask("sendBatch", messages=messages)
    events = hub.events(count=200, device=device.device_id)
    assert [event["body"].encode() for event in events] == bodies
    assert [event["properties"] for event in events[:2]] == [{}, {"n": "1"}]


def test_what_is_too_large_is_refused_and_nothing_of_it_stored(hub: RunningHub, node_devices: NodeProcess) -> None:
    device = hub.create_device(new_id("press"))
    with polling(node_devices, hub, device) as client:
        with pytest.raises(NodeError) as caught:
            client.send(b"x" * 262_145)
        assert caught.value.name == "MessageTooLargeError"
        client.send(b"x" * 262_144)
    (event,) = hub.events(count=1, device=device.device_id)
    assert len(event["body"]) == 262_144


@covers("node:DeviceClient.complete", "node:DeviceClient.reject")
@pytest.mark.parametrize("settle", ["complete", "reject"])
def test_commands_are_received_in_order_and_settled(hub: RunningHub, node_devices: NodeProcess, settle: str) -> None:
    device = hub.create_device(new_id("press"))
    send_command(hub, device, b"first", message_id="m1", correlation_id="c1", properties={"level": "h\u00f6her"})
    send_command(hub, device, b"second")
    with polling(node_devices, hub, device) as client:
        client.ask("listen", settle=settle)
        first = client.messages.get(timeout=PATIENCE)
        assert b64decode(first["data"]) == b"first"
        assert first["properties"] == [["iothub-app-level", "h\u00f6her"]]
        assert (first["fields"]["messageId"], first["fields"]["correlationId"]) == ("m1", "c1")
        assert b64decode(client.messages.get(timeout=PATIENCE)["data"]) == b"second"
        assert [client.settled.get(timeout=PATIENCE) for _ in range(2)] == [None, None]
    assert pending(hub, device) == 0


@covers("node:DeviceClient.abandon")
def test_an_abandoned_command_comes_again_until_it_has_come_ten_times(
    hub: RunningHub, node_devices: NodeProcess
) -> None:
    device = hub.create_device(new_id("press"))
    send_command(hub, device, b"no thanks")
    with polling(node_devices, hub, device) as client:
        client.ask("listen", settle="abandon")
        for _ in range(10):
            assert b64decode(client.messages.get(timeout=PATIENCE)["data"]) == b"no thanks"
            assert client.settled.get(timeout=PATIENCE) is None
    assert pending(hub, device) == 0


@covers("node:feature.x509-thumbprint")
def test_a_device_with_a_certificate_of_its_own_polls(hub: RunningHub, node_devices: NodeProcess) -> None:
    device_id = new_id("press")
    certificate = self_signed(device_id)
    auth = {"kind": "x509-thumbprint", "thumbprints": [certificate.sha256_thumbprint]}
    device = hub.create_device(device_id, auth=auth)
    send_command(hub, device, b"stop")
    with polling(node_devices, hub, device, certificate) as client:
        client.send(b"signed", {"a": "1"})
        client.ask("listen")
        assert b64decode(client.messages.get(timeout=PATIENCE)["data"]) == b"stop"
    (event,) = hub.events(count=1, device=device_id)
    assert '"type":"x509"' in event["system_properties"]["iothub-connection-auth-method"]
    with polling(node_devices, hub, device, self_signed(device_id)) as thief:
        with pytest.raises(NodeError) as caught:
            thief.send(b"stolen")
        assert caught.value.name == "UnauthorizedError"


@covers("node:feature.x509-authority")
def test_a_device_below_a_proven_authority_polls(hub: RunningHub, node_devices: NodeProcess) -> None:
    device_id = new_id("press")
    plant = make_authority(new_id("plant"))
    prove(hub, plant)
    device = hub.create_device(device_id, auth={"kind": "x509-ca"})
    with polling(node_devices, hub, device, plant.issue(device_id)) as client:
        client.send(b"issued")
    assert [event["body"] for event in hub.events(count=1, device=device_id)] == ["issued"]


def test_who_is_disabled_or_has_the_wrong_key_is_told_so(hub: RunningHub, node_devices: NodeProcess) -> None:
    device = hub.create_device(new_id("press"))
    with polling(node_devices, hub, device) as client:
        client.send(b"while I may")
        hub.call("PATCH", f"/devices/{device.device_id}", json={"status": "disabled"})
        with pytest.raises(NodeError) as caught:
            client.send(b"no more")
        assert caught.value.name == "UnauthorizedError"
    wrong = device.connection_string.replace(device.primary_key, b64encode(b"w" * 32).decode())
    with polling(node_devices, hub, Registered(device.device_id, None, wrong, "")) as client:
        with pytest.raises(NodeError) as caught:
            client.send(b"not me")
        assert caught.value.name == "UnauthorizedError"
    assert [event["body"] for event in hub.events(count=1, device=device.device_id)] == ["while I may"]
