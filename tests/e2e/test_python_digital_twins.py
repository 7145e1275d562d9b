"""Microsoft's unmodified Python service SDK reads, patches and commands plug-and-play devices."""

from collections.abc import Iterator
from typing import Any

import pytest
from azure.iot.hub import DigitalTwinClient, IoTHubRegistryManager
from tests.covers import covers
from tests.e2e.python_client import MQTT, PATIENCE, PythonClient, new_id
from tests.e2e.test_python_service import refused
from tests.fakes.running_hub import Registered, RunningHub

MODEL = "dtmi:acme:Plant;1"


@pytest.fixture
def twins(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The SDK's digital twin client, as the owner of the shared hub."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(hub.ca_path))
    return DigitalTwinClient.from_connection_string(hub.connection_string(policy="iothubowner"))


@pytest.fixture
def device(hub: RunningHub) -> Registered:
    return hub.create_device(new_id("plant"))


@pytest.fixture
def client(hub: RunningHub, device: Registered) -> Iterator[PythonClient]:
    """A device that announces its model."""
    with MQTT.device(hub, device.connection_string, product_info=MODEL) as connected:
        connected.connect()
        yield connected


@covers(
    "py:DigitalTwinClient.from_connection_string",
    "py:DigitalTwinClient.get_digital_twin",
    "py:feature.model-id",
)
def test_a_digital_twin_shows_the_model_and_what_the_device_reports(
    hub: RunningHub, twins: Any, device: Registered, client: PythonClient
) -> None:
    client.report(
        {
            "serial": "s-1",
            "target": {"value": 20, "ac": 200, "av": 1, "ad": "fine"},
            "press": {"__t": "c", "force": 3},
        }
    )
    shown = hub.wait_for(lambda: (read := twins.get_digital_twin(device.device_id))["$metadata"]["$model"] and read)
    assert shown["$dtId"] == device.device_id
    assert (shown["serial"], shown["target"], shown["press"]["force"]) == ("s-1", 20, 3)
    assert shown["$metadata"]["$model"] == MODEL
    assert shown["$metadata"]["target"]["ackDescription"] == "fine"
    assert "lastUpdateTime" in shown["press"]["$metadata"]["force"]
    registry = IoTHubRegistryManager.from_connection_string(hub.connection_string(policy="iothubowner"))
    assert registry.get_twin(device.device_id).additional_properties["modelId"] == MODEL


@covers(
    "py:DigitalTwinClient.update_digital_twin",
)
def test_a_patch_becomes_desired_properties_of_the_device(twins: Any, device: Registered, client: PythonClient) -> None:
    patches = client.desired()
    operations = [
        {"op": "add", "path": "/target", "value": 42},
        {"op": "add", "path": "/press/force", "value": 7},
    ]
    twins.update_digital_twin(device.device_id, operations)
    assert patches.get(timeout=PATIENCE) == {"target": 42, "press": {"__t": "c", "force": 7}, "$version": 2}
    twins.update_digital_twin(device.device_id, [{"op": "remove", "path": "/target"}])
    assert patches.get(timeout=PATIENCE) == {"target": None, "$version": 3}
    known = twins.get_digital_twin(device.device_id)["press"]["$metadata"]["force"]
    assert (known["desiredValue"], known["desiredVersion"]) == (7, 2)


def test_a_patch_that_cannot_be_is_refused_by_name(twins: Any, device: Registered) -> None:
    raw = twins.protocol.digital_twin.get_digital_twin(device.device_id, raw=True)
    etag = raw.response.headers["ETag"]
    one = [{"op": "add", "path": "/n", "value": 1}]
    twins.update_digital_twin(device.device_id, one, etag)
    with refused(412, "PreconditionFailed"):
        twins.update_digital_twin(device.device_id, one, etag)
    with refused(400, "InvalidDigitalTwinJsonPatch"):
        twins.update_digital_twin(device.device_id, [{"op": "move", "path": "/n", "from": "/m"}])
    with refused(400, "InvalidDigitalTwinPatch"):
        twins.update_digital_twin(device.device_id, [{"op": "remove", "path": "/nothing"}])
    with refused(400, "InvalidDigitalTwinPatchPath"):
        twins.update_digital_twin(device.device_id, [{"op": "add", "path": "/$metadata", "value": {}}])
    with refused(400, "InvalidDigitalTwinPayload"):
        twins.update_digital_twin(device.device_id, [{"op": "add", "path": "/n", "value": None}])
    with refused(400, "InvalidPnPDesiredProperties"):
        twins.update_digital_twin(device.device_id, [{"op": "add", "path": "/n", "value": "x" * 5000}])
    with refused(404, "DeviceNotFound"):
        twins.get_digital_twin(new_id("nobody"))


@covers(
    "py:DigitalTwinClient.invoke_command",
    "py:DigitalTwinClient.invoke_component_command",
)
def test_commands_of_the_device_and_of_its_components_are_answered(
    twins: Any, device: Registered, client: PythonClient
) -> None:
    client.answer_methods(lambda name, payload: (207, {"name": name, "given": payload}))
    options = {"connect_timeout_in_seconds": 10, "response_timeout_in_seconds": 10}
    answer = twins.invoke_command(device.device_id, "reboot", {"delay": 3}, **options)
    assert answer == {"name": "reboot", "given": {"delay": 3}}
    answer = twins.invoke_component_command(device.device_id, "press", "reboot", "now", **options)
    assert answer == {"name": "press*reboot", "given": "now"}
    raw = twins.protocol.digital_twin.invoke_root_level_command(device.device_id, "reboot", 1, 10, 10, raw=True)
    assert raw.headers["x-ms-command-statuscode"] == 207


def test_a_command_to_a_device_that_is_not_there_says_so(twins: Any, device: Registered) -> None:
    with refused(404, "DeviceNotOnline"):
        twins.invoke_command(device.device_id, "reboot", {})
    with refused(404, "DeviceNotFound"):
        twins.invoke_component_command(new_id("nobody"), "press", "reboot", {})
