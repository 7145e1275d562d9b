"""Modules of Microsoft's unmodified Python device SDK speak, and are spoken to, for themselves."""

import pytest
from azure.iot.device.exceptions import CredentialError
from tests.covers import covers
from tests.e2e.python_client import EVERY_KIND, MQTT, PATIENCE, Kind, new_id
from tests.fakes.running_hub import Registered, RunningHub


@pytest.fixture
def module(hub: RunningHub) -> Registered:
    """A module of a new device."""
    return hub.create_module(hub.create_device(new_id("press")).device_id, "arm")


@covers(
    "py:IoTHubModuleClient.connect",
    "py:IoTHubModuleClient.create_from_connection_string",
    "py:IoTHubModuleClient.send_message",
    "py:IoTHubModuleClient.send_message_to_output",
    "py:IoTHubModuleClient.shutdown",
)
@EVERY_KIND
def test_a_modules_outputs_are_told_apart(hub: RunningHub, module: Registered, kind: Kind) -> None:
    with kind.module(hub, module.connection_string) as client:
        client.connect()
        client.run(client.raw.send_message_to_output("hot", "alarms"))
        client.send("plain")
    first, second = hub.events(count=2, device=module.device_id)
    assert (first["module_id"], first["body"]) == ("arm", "hot")
    assert first["system_properties"]["iothub-output-name"] == "alarms"
    assert first["system_properties"]["iothub-connection-module-id"] == "arm"
    assert (second["module_id"], second["body"]) == ("arm", "plain")
    assert "iothub-output-name" not in second["system_properties"]


@covers(
    "py:IoTHubModuleClient.get_twin",
    "py:IoTHubModuleClient.on_twin_desired_properties_patch_received",
    "py:IoTHubModuleClient.patch_twin_reported_properties",
)
@EVERY_KIND
def test_a_modules_twin_is_its_own(hub: RunningHub, module: Registered, kind: Kind) -> None:
    with kind.module(hub, module.connection_string) as client:
        client.connect()
        patches = client.desired()
        client.report({"arm": 1})
        hub.call("PATCH", f"/twins/{module.device_id}", json={"desired": {"device": 1}})
        hub.call("PATCH", f"/twins/{module.device_id}", json={"desired": {"n": 2}}, params={"module": "arm"})
        assert patches.get(timeout=PATIENCE) == {"n": 2, "$version": 2}
        assert client.twin() == {"desired": {"n": 2, "$version": 2}, "reported": {"arm": 1, "$version": 2}}
    device = hub.call("GET", f"/twins/{module.device_id}")
    assert (device["desired"]["properties"], device["reported"]["properties"]) == ({"device": 1}, {})


@covers("py:IoTHubModuleClient.on_method_request_received", "py:IoTHubModuleClient.send_method_response")
@EVERY_KIND
def test_a_module_answers_methods_while_its_device_answers_its_own(
    hub: RunningHub, module: Registered, kind: Kind
) -> None:
    device = hub.registered(module.device_id)
    path = f"/devices/{module.device_id}/methods"
    body = {"name": "who", "payload": None, "connect_timeout": 10}
    with kind.module(hub, module.connection_string) as arm, kind.device(hub, device.connection_string) as press:
        arm.connect()
        press.connect()
        arm.answer_methods(lambda name, payload: (200, "arm"))
        press.answer_methods(lambda name, payload: (200, "press"))
        assert hub.call("POST", path, json=body, params={"module": "arm"})["payload"] == "arm"
        assert hub.call("POST", path, json=body)["payload"] == "press"


def test_a_modules_key_opens_nothing_of_its_device_and_the_other_way_round(hub: RunningHub, module: Registered) -> None:
    device = hub.registered(module.device_id)
    as_device = device.connection_string.replace(device.primary_key, module.primary_key)
    as_module = module.connection_string.replace(module.primary_key, device.primary_key)
    with MQTT.device(hub, as_device) as client, pytest.raises(CredentialError):
        client.connect()
    with MQTT.module(hub, as_module) as client, pytest.raises(CredentialError):
        client.connect()
