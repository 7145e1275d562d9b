"""Microsoft's unmodified Node service SDK (azure-iothub) over REST against a running hub."""

from typing import Any

import pytest
from tests.covers import covers
from tests.e2e.node_process import NodeError, NodeProcess
from tests.e2e.python_client import MQTT, PATIENCE, new_id
from tests.fakes.running_hub import RunningHub


class NodeService:
    """Registry and Client of the Node service SDK."""

    def __init__(self, process: NodeProcess) -> None:
        self._process = process

    def registry(self, method: str, *values: Any) -> Any:
        """Call a method of Registry. Raises NodeError."""
        return self._process.ask("call", service="registry", method=method, values=values)

    def client(self, method: str, *values: Any) -> Any:
        """Call a method of Client. Raises NodeError."""
        return self._process.ask("call", service="client", method=method, values=values)

    def refuses(self, error: str, method: str, *values: Any) -> None:
        """Calling this method of Registry must fail with this class of error."""
        with pytest.raises(NodeError) as caught:
            self.registry(method, *values)
        assert caught.value.name == error


@pytest.fixture
def service(node_service: NodeProcess) -> NodeService:
    """The service SDK, as the owner of the shared hub."""
    return NodeService(node_service)


@covers(
    "node:Registry.create", "node:Registry.delete", "node:Registry.get", "node:Registry.list", "node:Registry.update"
)
def test_a_device_is_created_read_listed_updated_and_deleted(service: NodeService) -> None:
    device_id = new_id("press")
    made = service.registry("create", {"deviceId": device_id})
    keys = made["authentication"]["symmetricKey"]
    assert (made["deviceId"], made["status"]) == (device_id, "enabled")
    assert keys["primaryKey"] != keys["secondaryKey"]
    assert service.registry("get", device_id)["authentication"]["symmetricKey"] == keys
    assert device_id in [device["deviceId"] for device in service.registry("list")]
    changed = service.registry("update", {**made, "status": "disabled", "statusReason": "lost"})
    assert (changed["status"], changed["statusReason"]) == ("disabled", "lost")
    assert changed["authentication"]["symmetricKey"] == keys
    service.registry("delete", device_id)
    service.refuses("DeviceNotFoundError", "get", device_id)


@covers("node:Registry.create")
def test_devices_with_certificates_are_created(service: NodeService) -> None:
    pinned = {"x509Thumbprint": {"primaryThumbprint": "a" * 40, "secondaryThumbprint": "b" * 40}}
    device = {"deviceId": new_id("press"), "authentication": {"type": "selfSigned", **pinned}}
    authentication = service.registry("create", device)["authentication"]
    assert authentication["type"] == "selfSigned"
    assert authentication["x509Thumbprint"]["primaryThumbprint"].lower() == "a" * 40
    device = {"deviceId": new_id("press"), "authentication": {"type": "certificateAuthority"}}
    assert service.registry("create", device)["authentication"]["type"] == "certificateAuthority"


def test_what_cannot_be_is_refused_with_the_right_class_of_error(service: NodeService) -> None:
    device_id = new_id("press")
    service.registry("create", {"deviceId": device_id})
    service.refuses("DeviceAlreadyExistsError", "create", {"deviceId": device_id})
    service.refuses("DeviceNotFoundError", "delete", new_id("nobody"))
    service.refuses("DeviceNotFoundError", "getTwin", new_id("nobody"))
    service.refuses("ArgumentError", "create", {"deviceId": "a" * 129})
    stale = service.registry("getTwin", device_id)["etag"]
    service.registry("updateTwin", device_id, {"tags": {"a": 1}}, stale)
    service.refuses("InvalidEtagError", "updateTwin", device_id, {"tags": {"a": 2}}, stale)


@covers(
    "node:Registry.addModule",
    "node:Registry.create",
    "node:Registry.getModule",
    "node:Registry.getModuleTwin",
    "node:Registry.getModulesOnDevice",
    "node:Registry.removeModule",
    "node:Registry.updateModule",
    "node:Registry.updateModuleTwin",
)
def test_modules_are_created_listed_updated_and_deleted(service: NodeService) -> None:
    device_id = new_id("press")
    service.registry("create", {"deviceId": device_id})
    arm = service.registry("addModule", {"deviceId": device_id, "moduleId": "arm", "managedBy": "plant"})
    assert (arm["moduleId"], arm["managedBy"]) == ("arm", "plant")
    service.registry("addModule", {"deviceId": device_id, "moduleId": "eye"})
    assert sorted(m["moduleId"] for m in service.registry("getModulesOnDevice", device_id)) == ["arm", "eye"]
    service.registry("updateModule", {**arm, "managedBy": "shop"})
    assert service.registry("getModule", device_id, "arm")["managedBy"] == "shop"
    twin = service.registry("updateModuleTwin", device_id, "arm", {"tags": {"of": "arm"}}, "*")
    assert twin["tags"] == {"of": "arm"}
    assert service.registry("getModuleTwin", device_id, "arm")["tags"] == {"of": "arm"}
    service.registry("removeModule", device_id, "arm")
    assert [m["moduleId"] for m in service.registry("getModulesOnDevice", device_id)] == ["eye"]


@covers("node:Twin.get", "node:Twin.update")
def test_a_twin_object_changes_and_reads_itself(service: NodeService, node_service: NodeProcess) -> None:
    device_id = new_id("press")
    service.registry("create", {"deviceId": device_id})
    patch = {"tags": {"hall": "b"}, "properties": {"desired": {"speed": 3}}}
    twin = node_service.ask("twin", device=device_id, patch=patch)
    assert (twin["tags"], twin["properties"]["desired"]["speed"]) == ({"hall": "b"}, 3)
    assert twin["etag"] == service.registry("getTwin", device_id)["etag"]


@covers("node:Registry.getTwin", "node:Registry.updateTwin")
def test_a_twin_is_updated_and_its_device_told(hub: RunningHub, service: NodeService) -> None:
    device = hub.create_device(new_id("press"))
    with MQTT.device(hub, device.connection_string) as client:
        client.connect()
        patches = client.desired()
        change = {"tags": {"hall": "b"}, "properties": {"desired": {"speed": 5}}}
        twin = service.registry("updateTwin", device.device_id, change, "*")
        assert (twin["tags"], twin["properties"]["desired"]["speed"]) == ({"hall": "b"}, 5)
        assert patches.get(timeout=PATIENCE) == {"speed": 5, "$version": 2}
        client.report({"speed": 5})
    assert service.registry("getTwin", device.device_id)["properties"]["reported"]["speed"] == 5


@covers("node:Client.invokeDeviceMethod")
@pytest.mark.parametrize("payload", [None, {"now": True}, [1, "zwei", None], "text", 0], ids=repr)
def test_methods_of_devices_and_modules_are_answered(hub: RunningHub, service: NodeService, payload: Any) -> None:
    device = hub.create_device(new_id("press"))
    module = hub.create_module(device.device_id, "arm")
    call = {"methodName": "echo", "payload": payload, "responseTimeoutInSeconds": 10, "connectTimeoutInSeconds": 10}
    with MQTT.device(hub, device.connection_string) as press, MQTT.module(hub, module.connection_string) as arm:
        press.connect()
        arm.connect()
        press.answer_methods(lambda name, given: (207, {"press": given}))
        arm.answer_methods(lambda name, given: (200, {"arm": given}))
        answer = service.client("invokeDeviceMethod", device.device_id, call)
        assert answer == {"status": 207, "payload": {"press": payload}}
        answer = service.client("invokeDeviceMethod", device.device_id, "arm", call)
        assert answer == {"status": 200, "payload": {"arm": payload}}


def test_a_method_that_cannot_be_called_says_why(hub: RunningHub, service: NodeService) -> None:
    device = hub.create_device(new_id("press"))
    call = {"methodName": "stop", "responseTimeoutInSeconds": 5}
    with pytest.raises(NodeError) as caught:
        service.client("invokeDeviceMethod", device.device_id, call)
    assert "404103" in str(caught.value.body)
    with pytest.raises(NodeError) as caught:
        service.client("invokeDeviceMethod", new_id("nobody"), call)
    assert caught.value.name == "DeviceNotFoundError"


@covers("node:Registry.create", "node:Registry.getRegistryStatistics")
def test_devices_are_counted(service: NodeService) -> None:
    service.registry("create", {"deviceId": new_id("press"), "status": "disabled"})
    counted = service.registry("getRegistryStatistics")
    assert counted["disabledDeviceCount"] >= 1
    assert counted["totalDeviceCount"] == counted["enabledDeviceCount"] + counted["disabledDeviceCount"]
