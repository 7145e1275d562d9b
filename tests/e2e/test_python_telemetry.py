"""Telemetry of Microsoft's unmodified Python device SDK arrives as it was sent."""

import json
from base64 import b64decode
from typing import Any

import pytest
from tests.covers import covers
from tests.e2e.python_client import EVERY_KIND, MQTT, Kind, new_id, new_message
from tests.fakes.running_hub import RunningHub

LARGEST = 262_144
"""Bytes; what the SDK counts as one message includes Python's own overhead per object."""

NASTY = {
    "a b": "c/d=e&f%+",
    "a=b&c": "x=y=z",
    "leer": "",
    "%41": "%2F%",
    "#+/": "devices/other/messages/events/#",
    "ключ": "значение \N{SNOWMAN}\N{GRINNING FACE}",
    "?q": "?a=b;c,d\"e'f\\g<h>",
    "tab\tnewline\n": "\r\n\t\x01",
    "long": "x" * 2000,
}


def system_of(event: dict[str, Any]) -> dict[str, str]:
    """The properties that the hub, or the SDK for the sender, has set."""
    system: dict[str, str] = event["system_properties"]
    return system


@covers(
    "py:IoTHubDeviceClient.connect",
    "py:IoTHubDeviceClient.create_from_connection_string",
    "py:IoTHubDeviceClient.send_message",
    "py:IoTHubDeviceClient.shutdown",
    "py:feature.mqtt",
    "py:feature.websockets",
)
@EVERY_KIND
def test_telemetry_arrives_with_every_property(hub: RunningHub, kind: Kind) -> None:
    device = hub.create_device(new_id("press"))
    message = new_message(
        '{"t": 20.5}',
        message_id="m/1 &=%ü",
        correlation_id="c 1",
        user_id="operator@plant+7",
        content_type="application/json",
        content_encoding="utf-8",
        expiry_time_utc="2099-01-01T00:00:00Z",
        properties={"a b": "c/d=e&f%+", "leer": ""},
    )
    with kind.device(hub, device.connection_string) as client:
        client.connect()
        client.send(message)
    (event,) = hub.events(count=1, device=device.device_id)
    assert event["body"] == {"t": 20.5}
    assert event["properties"] == {"a b": "c/d=e&f%+", "leer": ""}
    system = system_of(event)
    assert system["message-id"] == "m/1 &=%ü"
    assert system["correlation-id"] == "c 1"
    assert system["user-id"] == "operator@plant+7"
    assert (system["content-type"], system["content-encoding"]) == ("application/json", "utf-8")
    assert system["absolute-expiry-time"] == "2099-01-01T00:00:00Z"
    assert system["iothub-message-source"] == "Telemetry"
    assert system["iothub-connection-device-id"] == device.device_id
    assert json.loads(system["iothub-connection-auth-method"])["type"] == "sas"


@pytest.mark.parametrize("name", NASTY)
def test_application_properties_survive_every_character(hub: RunningHub, name: str) -> None:
    device = hub.create_device(new_id("press"))
    with MQTT.device(hub, device.connection_string) as client:
        client.connect()
        client.send(new_message("x", properties={name: NASTY[name]}))
    (event,) = hub.events(count=1, device=device.device_id)
    assert event["properties"] == {name: NASTY[name]}


def test_what_only_the_hub_may_say_is_not_taken_from_a_device(hub: RunningHub) -> None:
    device = hub.create_device(new_id("press"))
    forged = {"iothub-connection-device-id": "boss", "iothub-message-source": "x", "iothub-enqueuedtime": "1970"}
    with MQTT.device(hub, device.connection_string) as client:
        client.connect()
        client.send(new_message("x", properties=forged | {"mine": "1"}))
    (event,) = hub.events(count=1, device=device.device_id)
    assert event["properties"] == {"mine": "1"}
    system = system_of(event)
    assert system["iothub-connection-device-id"] == device.device_id
    assert system["iothub-message-source"] == "Telemetry"
    assert not system["iothub-enqueuedtime"].startswith("1970")


@covers("py:feature.security-messages")
def test_security_messages_keep_their_interface(hub: RunningHub) -> None:
    device = hub.create_device(new_id("press"))
    message = new_message("{}")
    message.set_as_security_message()  # type: ignore[no-untyped-call]  # the vendor's has no types
    with MQTT.device(hub, device.connection_string) as client:
        client.connect()
        client.send(message)
    (event,) = hub.events(count=1, device=device.device_id)
    assert system_of(event)["iothub-interface-id"] == "urn:azureiot:Security:SecurityAgent:1"


@covers("py:feature.model-id")
def test_the_model_a_device_announces_is_told_with_its_telemetry(hub: RunningHub) -> None:
    device = hub.create_device(new_id("press"))
    with MQTT.device(hub, device.connection_string, product_info="dtmi:com:example:Press;1") as client:
        client.connect()
        client.send("x")
    (event,) = hub.events(count=1, device=device.device_id)
    assert system_of(event)["dt-dataschema"] == "dtmi:com:example:Press;1"


@EVERY_KIND
def test_the_largest_message_the_sdk_sends_arrives_whole(hub: RunningHub, kind: Kind) -> None:
    device = hub.create_device(new_id("press"))
    overhead = new_message(b"").get_size()
    body = bytes(range(256)) * 1024
    largest = body[: LARGEST - overhead]
    assert new_message(largest).get_size() == LARGEST
    with kind.device(hub, device.connection_string) as client:
        client.connect()
        client.send(new_message(largest))
        with pytest.raises(ValueError, match="256 KB"):
            client.send(new_message(largest + b"x"))
    (event,) = hub.events(count=1, device=device.device_id)
    assert b64decode(event["body"]["base64"]) == largest


def test_an_empty_message_and_many_in_order_arrive(hub: RunningHub) -> None:
    device = hub.create_device(new_id("press"))
    with MQTT.device(hub, device.connection_string) as client:
        client.connect()
        client.send("")
        for number in range(100):
            client.send(str(number))
    events = hub.events(count=101, device=device.device_id)
    assert [event["body"] for event in events] == ["", *map(str, range(100))]
    numbers = [event["sequence_number"] for event in events]
    assert numbers == sorted(set(numbers))


def test_two_devices_are_never_taken_for_each_other(hub: RunningHub) -> None:
    first, second = hub.create_device(new_id("press")), hub.create_device(new_id("press"))
    with MQTT.device(hub, first.connection_string) as one, MQTT.device(hub, second.connection_string) as two:
        one.connect()
        two.connect()
        for number in range(5):
            one.send(f"one {number}")
            two.send(f"two {number}")
    assert [event["body"] for event in hub.events(count=5, device=first.device_id)] == [f"one {n}" for n in range(5)]
    assert [event["body"] for event in hub.events(count=5, device=second.device_id)] == [f"two {n}" for n in range(5)]
