"""Commands reach Microsoft's unmodified Python device SDK, once, whole and in order."""

import queue
from base64 import b64encode
from typing import Any

import pytest
from azure.iot.device import Message
from tests.covers import covers
from tests.e2e.python_client import EVERY_KIND, MQTT, PATIENCE, Kind, new_id
from tests.fakes.running_hub import HubFailed, Registered, RunningHub


def send(hub: RunningHub, device: Registered, **command: Any) -> dict[str, Any]:
    """Queue a command."""
    params = {} if device.module_id is None else {"module": device.module_id}
    answer: dict[str, Any] = hub.call("POST", f"/devices/{device.device_id}/commands", json=command, params=params)
    return answer


def pending(hub: RunningHub, device: Registered) -> int:
    """How many commands wait or are under way."""
    number: int = hub.call("GET", f"/devices/{device.device_id}/commands")["pending"]
    return number


def outcome_of(hub: RunningHub, message_id: str) -> str | None:
    """What the feedback says of a command."""
    records = hub.call("GET", "/feedback", params={"limit": 1000})["feedback"]
    return next((record["outcome"] for record in records if record["message_id"] == message_id), None)


@covers("py:IoTHubDeviceClient.on_message_received")
@EVERY_KIND
def test_a_command_that_waited_is_received_with_every_property(hub: RunningHub, kind: Kind) -> None:
    device = hub.create_device(new_id("press"))
    properties = {"k": "v/w", "a=b&c": "x=y", "leer": "", "ü%": "+ #"}
    fields = {"message_id": "m-1", "correlation_id": "c/1", "user_id": "chef", "content_type": "application/json"}
    send(hub, device, body='{"valve": 3}', properties=properties, content_encoding="utf-8", **fields)
    with kind.device(hub, device.connection_string) as client:
        client.connect()
        message = client.messages().get(timeout=PATIENCE)
    assert message.data == b'{"valve": 3}'
    assert message.custom_properties == properties
    assert (message.message_id, message.correlation_id, message.user_id) == ("m-1", "c/1", "chef")
    assert (message.content_type, message.content_encoding) == ("application/json", "utf-8")


@covers("py:feature.command-feedback")
@EVERY_KIND
def test_full_acknowledgement_tells_the_sender_of_success(hub: RunningHub, kind: Kind) -> None:
    device = hub.create_device(new_id("press"))
    message_id = new_id("order")
    with kind.device(hub, device.connection_string) as client:
        client.connect()
        received = client.messages()
        send(hub, device, body="stop", ack="full", message_id=message_id)
        message = received.get(timeout=PATIENCE)
        assert (message.message_id, message.ack) == (message_id, "full")
        assert hub.wait_for(lambda: outcome_of(hub, message_id)) == "success"
    assert pending(hub, device) == 0


@pytest.mark.parametrize("body", [b"", b"\x00\xff\xfe", bytes(65_536)], ids=["empty", "binary", "64 KiB"])
def test_a_body_is_delivered_byte_for_byte(hub: RunningHub, body: bytes) -> None:
    device = hub.create_device(new_id("press"))
    with MQTT.device(hub, device.connection_string) as client:
        client.connect()
        received = client.messages()
        send(hub, device, body_base64=b64encode(body[:65_000]).decode())
        assert received.get(timeout=PATIENCE).data == body[:65_000]


@covers("py:IoTHubDeviceClient.disconnect")
@EVERY_KIND
def test_commands_queued_while_away_come_on_reconnect_without_subscribing_again(hub: RunningHub, kind: Kind) -> None:
    device = hub.create_device(new_id("press"))
    with kind.device(hub, device.connection_string) as client:
        client.connect()
        received = client.messages()
        send(hub, device, body="here")
        assert received.get(timeout=PATIENCE).data == b"here"
        client.disconnect()
        for number in range(5):
            send(hub, device, body=f"away {number}")
        assert pending(hub, device) == 5
        client.connect()
        bodies = [received.get(timeout=PATIENCE).data for _ in range(5)]
        assert bodies == [b"away %d" % number for number in range(5)]
        hub.wait_for(lambda: pending(hub, device) == 0)
        with pytest.raises(queue.Empty):
            received.get_nowait()


def test_many_commands_come_once_each_and_in_order(hub: RunningHub) -> None:
    device = hub.create_device(new_id("press"))
    with MQTT.device(hub, device.connection_string) as client:
        client.connect()
        received = client.messages()
        for number in range(120):
            hub.wait_for(lambda: pending(hub, device) < 50)
            send(hub, device, body=str(number))
        messages: list[Message] = [received.get(timeout=PATIENCE) for _ in range(120)]
        assert [message.data for message in messages] == [b"%d" % number for number in range(120)]


def test_the_fifty_first_waiting_command_is_refused_and_a_purge_makes_room(hub: RunningHub) -> None:
    device = hub.create_device(new_id("press"))
    for number in range(50):
        send(hub, device, body=str(number))
    with pytest.raises(HubFailed, match=r"command\.queue_full"):
        send(hub, device, body="one too many")
    assert hub.call("DELETE", f"/devices/{device.device_id}/commands") == {"purged": 50}
    send(hub, device, body="fresh")
    with MQTT.device(hub, device.connection_string) as client:
        client.connect()
        assert client.messages().get(timeout=PATIENCE).data == b"fresh"


def test_an_expired_command_is_never_delivered_and_told_of(hub: RunningHub) -> None:
    device = hub.create_device(new_id("press"))
    message_id = new_id("order")
    send(hub, device, body="late", ttl=0.2, ack="full", message_id=message_id)
    assert hub.wait_for(lambda: outcome_of(hub, message_id)) == "expired"
    send(hub, device, body="fresh")
    with MQTT.device(hub, device.connection_string) as client:
        client.connect()
        assert client.messages().get(timeout=PATIENCE).data == b"fresh"


def test_a_device_gets_no_command_of_another(hub: RunningHub) -> None:
    mine, other = hub.create_device(new_id("press")), hub.create_device(new_id("press"))
    with MQTT.device(hub, mine.connection_string) as client:
        client.connect()
        received = client.messages()
        send(hub, other, body="not yours")
        send(hub, mine, body="yours")
        assert received.get(timeout=PATIENCE).data == b"yours"
    assert pending(hub, other) == 1
