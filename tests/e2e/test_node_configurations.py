"""Microsoft's unmodified Node service SDK (azure-iothub): configurations and digital twins."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.covers import covers
from tests.e2e.node_process import NodeError, NodeProcess
from tests.e2e.python_client import MQTT, PATIENCE, new_id
from tests.e2e.test_node_service import NodeService
from tests.fakes.running_hub import RunningHub

MODEL = "dtmi:acme:Plant;1"


@pytest.fixture
def service(node_service: NodeProcess) -> NodeService:
    """The service SDK, as the owner of the shared hub."""
    return NodeService(node_service)


@pytest.fixture(scope="module")
def digital_twins(_node_sdks: None, hub: RunningHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A Node process with the SDK's digital twin client."""
    process = NodeProcess(
        "digital_twins.js",
        tmp_path_factory.mktemp("node") / "digital_twins.log",
        NODE_EXTRA_CA_CERTS=str(hub.ca_path),
        SERVICE_CONNECTION_STRING=hub.connection_string(policy="iothubowner"),
    )
    yield process
    process.close()


@covers(
    "node:Registry.addConfiguration",
    "node:Registry.getConfiguration",
    "node:Registry.getConfigurations",
    "node:Registry.updateConfiguration",
    "node:Registry.removeConfiguration",
)
def test_a_configuration_is_added_applied_updated_and_removed(hub: RunningHub, service: NodeService) -> None:
    hall, name, device = new_id("hall"), new_id("speed"), hub.create_device(new_id("press"))
    service.registry("updateTwin", device.device_id, {"tags": {"hall": hall}}, "*")
    wanted = {
        "id": name,
        "content": {"deviceContent": {"properties.desired.settings": {"speed": 3}}},
        "targetCondition": f"tags.hall='{hall}'",
        "priority": 10,
    }
    with MQTT.device(hub, device.connection_string) as client:
        client.connect()
        patches = client.desired()
        made = service.registry("addConfiguration", wanted)
        assert (made["id"], made["content"], made["schemaVersion"]) == (name, wanted["content"], "1.0")
        assert patches.get(timeout=PATIENCE) == {"settings": {"speed": 3}, "$version": 2}
    assert service.registry("getConfiguration", name)["etag"] == made["etag"]
    assert name in [each["id"] for each in service.registry("getConfigurations")]
    changed = service.registry("updateConfiguration", {**made, "priority": 11})
    assert changed["priority"] == 11
    service.refuses("InvalidEtagError", "updateConfiguration", {**made, "priority": 12})
    assert service.registry("updateConfiguration", {**made, "priority": 12}, True)["priority"] == 12
    service.registry("removeConfiguration", name)
    with pytest.raises(NodeError):
        service.registry("getConfiguration", name)


@covers("node:Registry.applyConfigurationContentOnDevice")
def test_content_is_applied_to_one_device(service: NodeService) -> None:
    edge = new_id("edge")
    service.registry("create", {"deviceId": edge, "capabilities": {"iotEdge": True}})
    content: dict[str, Any] = {
        "modulesContent": {
            "$edgeAgent": {"properties.desired": {"modules": {}}},
            "$edgeHub": {"properties.desired": {"routes": {}}},
        }
    }
    service.registry("applyConfigurationContentOnDevice", edge, content)
    twin = service.registry("getModuleTwin", edge, "$edgeAgent")
    assert twin["properties"]["desired"]["modules"] == {}
    service.refuses("DeviceNotFoundError", "applyConfigurationContentOnDevice", new_id("nobody"), content)


@covers(
    "node:DigitalTwinClient.getDigitalTwin",
    "node:DigitalTwinClient.updateDigitalTwin",
    "node:DigitalTwinClient.invokeCommand",
    "node:DigitalTwinClient.invokeComponentCommand",
)
def test_a_digital_twin_is_read_patched_and_commanded(hub: RunningHub, digital_twins: NodeProcess) -> None:
    device = hub.create_device(new_id("plant"))
    options = {"connectTimeoutInSeconds": 10, "responseTimeoutInSeconds": 10}

    def call(method: str, *values: Any) -> Any:
        return digital_twins.ask("call", method=method, values=[device.device_id, *values])

    with MQTT.device(hub, device.connection_string, product_info=MODEL) as client:
        client.connect()
        patches = client.desired()
        client.report({"press": {"__t": "c", "force": 3}})
        hub.wait_for(lambda: call("getDigitalTwin")["body"]["$metadata"]["$model"] == MODEL)
        read = call("getDigitalTwin")
        assert read["body"]["press"]["force"] == 3
        patch = [{"op": "add", "path": "/press/force", "value": 4}]
        call("updateDigitalTwin", patch, read["headers"]["etag"])
        assert patches.get(timeout=PATIENCE) == {"press": {"__t": "c", "force": 4}, "$version": 2}
        with pytest.raises(NodeError, match="PreconditionFailed"):
            call("updateDigitalTwin", patch, read["headers"]["etag"])
        client.answer_methods(lambda name, payload: (207, {"name": name, "given": payload}))
        answer = call("invokeCommand", "reboot", {"delay": 1}, options)
        assert answer["body"] == {"name": "reboot", "given": {"delay": 1}}
        assert answer["headers"]["x-ms-command-statuscode"] == "207"
        answer = call("invokeComponentCommand", "press", "reboot", "now", options)
        assert answer["body"] == {"name": "press*reboot", "given": "now"}
