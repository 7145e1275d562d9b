"""Microsoft's unmodified Python service SDK (azure-iot-hub) over REST against a running hub."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from azure.iot.hub import IoTHubRegistryManager
from azure.iot.hub.models import CloudToDeviceMethod, Twin, TwinProperties
from msrest.exceptions import HttpOperationError
from tests.covers import covers
from tests.e2e.conftest import StartHub
from tests.e2e.python_client import MQTT, PATIENCE, new_id
from tests.fakes.running_hub import RunningHub

PRIMARY = base64.b64encode(bytes(range(32))).decode()
SECONDARY = base64.b64encode(bytes(range(32, 64))).decode()
THUMBPRINTS = ("A" * 40, "b" * 64)


@pytest.fixture
def registry(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The SDK's registry manager, as the owner of the shared hub."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(hub.ca_path))
    return IoTHubRegistryManager.from_connection_string(hub.connection_string(policy="iothubowner"))


@contextmanager
def refused(status: int, error: str) -> Iterator[None]:
    """The hub must refuse with this HTTP status, and name the error in its header and its body."""
    with pytest.raises(HttpOperationError) as caught:
        yield
    response = caught.value.response
    assert response.status_code == status
    assert response.headers["iothub-errorcode"] == error
    assert "Message" in json.loads(response.text)


@covers(
    "py:IoTHubRegistryManager.create_device_with_sas",
    "py:IoTHubRegistryManager.delete_device",
    "py:IoTHubRegistryManager.get_device",
    "py:IoTHubRegistryManager.update_device_with_sas",
)
def test_a_device_with_keys_is_created_read_updated_and_deleted(registry: Any) -> None:
    device_id = new_id("press")
    made = registry.create_device_with_sas(device_id, PRIMARY, SECONDARY, "enabled", status_reason="new")
    assert (made.device_id, made.status, made.status_reason) == (device_id, "enabled", "new")
    read = registry.get_device(device_id)
    assert read.authentication.type == "sas"
    assert read.authentication.symmetric_key.primary_key == PRIMARY
    assert (read.generation_id, read.etag) == (made.generation_id, made.etag)
    assert (read.connection_state, read.cloud_to_device_message_count) == ("Disconnected", 0)
    changed = registry.update_device_with_sas(
        device_id, read.etag, SECONDARY, PRIMARY, "disabled", status_reason="lost"
    )
    assert (changed.status, changed.status_reason) == ("disabled", "lost")
    assert changed.authentication.symmetric_key.primary_key == SECONDARY
    assert changed.etag != read.etag
    with refused(412, "PreconditionFailed"):
        registry.update_device_with_sas(device_id, read.etag, PRIMARY, SECONDARY, "enabled")
    with refused(412, "PreconditionFailed"):
        registry.delete_device(device_id, read.etag)
    registry.delete_device(device_id, changed.etag)
    with refused(404, "DeviceNotFound"):
        registry.get_device(device_id)


@covers(
    "py:IoTHubRegistryManager.create_device_with_certificate_authority",
    "py:IoTHubRegistryManager.create_device_with_x509",
    "py:IoTHubRegistryManager.delete_device",
    "py:IoTHubRegistryManager.update_device_with_certificate_authority",
    "py:IoTHubRegistryManager.update_device_with_x509",
)
def test_devices_with_certificates_are_created_and_changed(registry: Any) -> None:
    pinned, issued = new_id("press"), new_id("press")
    made = registry.create_device_with_x509(pinned, *THUMBPRINTS, "enabled")
    assert made.authentication.type == "selfSigned"
    thumbprints = made.authentication.x509_thumbprint
    assert thumbprints.primary_thumbprint.lower() == THUMBPRINTS[0].lower()
    assert thumbprints.secondary_thumbprint.lower() == THUMBPRINTS[1].lower()
    changed = registry.update_device_with_x509(pinned, made.etag, *reversed(THUMBPRINTS), "disabled")
    assert (changed.status, changed.authentication.type) == ("disabled", "selfSigned")
    made = registry.create_device_with_certificate_authority(issued, "enabled")
    assert made.authentication.type == "certificateAuthority"
    changed = registry.update_device_with_certificate_authority(issued, made.etag, "disabled")
    assert (changed.status, changed.authentication.type) == ("disabled", "certificateAuthority")
    registry.delete_device(issued)


def test_what_cannot_be_created_is_refused_by_name(registry: Any) -> None:
    device_id = new_id("press")
    registry.create_device_with_sas(device_id, PRIMARY, SECONDARY, "enabled")
    with refused(409, "DeviceAlreadyExists"):
        registry.create_device_with_sas(device_id, PRIMARY, SECONDARY, "enabled")
    with refused(400, "ArgumentInvalid"):
        registry.create_device_with_sas("no/device/id", PRIMARY, SECONDARY, "enabled")
    with refused(400, "ArgumentInvalid"):
        registry.create_device_with_sas(new_id("press"), "no base64", SECONDARY, "enabled")
    with refused(404, "DeviceNotFound"):
        registry.create_module_with_sas(new_id("nobody"), "arm", "", PRIMARY, SECONDARY)


@covers(
    "py:IoTHubRegistryManager.create_device_with_sas",
    "py:IoTHubRegistryManager.delete_device",
    "py:IoTHubRegistryManager.get_device",
    "py:IoTHubRegistryManager.get_twin",
)
def test_ids_with_every_allowed_character_work(registry: Any) -> None:
    device_id = new_id("a-.+%_#*?!(),=@$':z")
    assert registry.create_device_with_sas(device_id, PRIMARY, SECONDARY, "enabled").device_id == device_id
    assert registry.get_device(device_id).device_id == device_id
    assert registry.get_twin(device_id).device_id == device_id
    registry.delete_device(device_id)


@covers(
    "py:IoTHubRegistryManager.create_device_with_sas",
    "py:IoTHubRegistryManager.create_module_with_certificate_authority",
    "py:IoTHubRegistryManager.create_module_with_sas",
    "py:IoTHubRegistryManager.create_module_with_x509",
    "py:IoTHubRegistryManager.delete_module",
    "py:IoTHubRegistryManager.get_module",
    "py:IoTHubRegistryManager.get_modules",
    "py:IoTHubRegistryManager.update_module_with_sas",
)
def test_modules_are_created_listed_updated_and_deleted(registry: Any) -> None:
    device_id = new_id("press")
    registry.create_device_with_sas(device_id, PRIMARY, SECONDARY, "enabled")
    arm = registry.create_module_with_sas(device_id, "arm", "plant", PRIMARY, SECONDARY)
    assert (arm.device_id, arm.module_id, arm.managed_by) == (device_id, "arm", "plant")
    registry.create_module_with_x509(device_id, "eye", "plant", *THUMBPRINTS)
    registry.create_module_with_certificate_authority(device_id, "ear", "plant")
    assert sorted(module.module_id for module in registry.get_modules(device_id)) == ["arm", "ear", "eye"]
    with refused(409, "ModuleAlreadyExistsOnDevice"):
        registry.create_module_with_sas(device_id, "arm", "plant", PRIMARY, SECONDARY)
    changed = registry.update_module_with_sas(device_id, "arm", "shop", arm.etag, SECONDARY, PRIMARY)
    assert changed.managed_by == "shop"
    assert registry.get_module(device_id, "arm").authentication.symmetric_key.primary_key == SECONDARY
    with refused(412, "PreconditionFailed"):
        registry.delete_module(device_id, "arm", arm.etag)
    registry.delete_module(device_id, "arm")
    with refused(404, "ModuleNotFound"):
        registry.get_module(device_id, "arm")


@covers(
    "py:IoTHubRegistryManager.create_device_with_sas",
    "py:IoTHubRegistryManager.get_device",
    "py:IoTHubRegistryManager.get_device_registry_statistics",
    "py:IoTHubRegistryManager.get_devices",
    "py:IoTHubRegistryManager.get_service_statistics",
)
def test_devices_are_listed_and_counted(start_hub: StartHub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = start_hub()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(hub.ca_path))
    registry: Any = IoTHubRegistryManager.from_connection_string(hub.connection_string(policy="iothubowner"))
    for number in range(3):
        status = "disabled" if number == 0 else "enabled"
        registry.create_device_with_sas(f"press-{number}", PRIMARY, SECONDARY, status)
    assert sorted(device.device_id for device in registry.get_devices()) == ["press-0", "press-1", "press-2"]
    assert len(registry.get_devices(2)) == 2
    counted = registry.get_device_registry_statistics()
    counts = (counted.total_device_count, counted.enabled_device_count, counted.disabled_device_count)
    assert counts == (3, 2, 1)
    assert registry.get_service_statistics().connected_device_count == 0
    with MQTT.device(hub, hub.registered("press-1").connection_string) as client:
        client.connect()
        assert registry.get_service_statistics().connected_device_count == 1
        hub.wait_for(lambda: registry.get_device("press-1").connection_state == "Connected")


@covers(
    "py:IoTHubRegistryManager.create_device_with_sas",
    "py:IoTHubRegistryManager.get_twin",
    "py:IoTHubRegistryManager.replace_twin",
    "py:IoTHubRegistryManager.update_twin",
)
def test_a_twin_is_read_updated_and_replaced_unless_somebody_else_was_first(registry: Any) -> None:
    device_id = new_id("press")
    registry.create_device_with_sas(device_id, PRIMARY, SECONDARY, "enabled")
    before = registry.get_twin(device_id)
    assert (before.device_id, before.tags, before.status) == (device_id, {}, "enabled")
    patch = Twin(tags={"hall": "b"}, properties=TwinProperties(desired={"speed": 5, "old": 1}))
    updated = registry.update_twin(device_id, patch, before.etag)
    assert updated.tags == {"hall": "b"}
    assert updated.properties.desired["speed"] == 5
    assert updated.properties.desired["$version"] == 2
    assert updated.properties.desired["$metadata"]["speed"]["$lastUpdatedVersion"] == 2
    assert updated.version > before.version
    with refused(412, "PreconditionFailed"):
        registry.update_twin(device_id, patch, before.etag)
    merged = registry.update_twin(device_id, Twin(properties=TwinProperties(desired={"old": None})))
    assert "old" not in merged.properties.desired
    replaced = registry.replace_twin(device_id, Twin(properties=TwinProperties(desired={"new": 1})), merged.etag)
    assert replaced.tags == {}
    assert {name for name in replaced.properties.desired if not name.startswith("$")} == {"new"}
    with refused(412, "PreconditionFailed"):
        registry.replace_twin(device_id, patch, merged.etag)
    with refused(400, "ArgumentInvalid"):
        registry.update_twin(device_id, Twin(tags={"a.b": 1}))
    with refused(404, "DeviceNotFound"):
        registry.get_twin(new_id("nobody"))


@covers("py:IoTHubRegistryManager.get_twin", "py:IoTHubRegistryManager.update_twin")
def test_desired_properties_reach_a_device_and_reported_ones_come_back(hub: RunningHub, registry: Any) -> None:
    device = hub.create_device(new_id("press"))
    with MQTT.device(hub, device.connection_string) as client:
        client.connect()
        patches = client.desired()
        registry.update_twin(device.device_id, Twin(properties=TwinProperties(desired={"speed": 5})))
        assert patches.get(timeout=PATIENCE) == {"speed": 5, "$version": 2}
        client.report({"speed": 5})
        twin = registry.get_twin(device.device_id)
    assert (twin.properties.reported["speed"], twin.properties.reported["$version"]) == (5, 2)
    assert twin.properties.reported["$metadata"]["speed"]["$lastUpdated"]


@covers(
    "py:IoTHubRegistryManager.create_device_with_sas",
    "py:IoTHubRegistryManager.create_module_with_sas",
    "py:IoTHubRegistryManager.get_module_twin",
    "py:IoTHubRegistryManager.get_twin",
    "py:IoTHubRegistryManager.replace_module_twin",
    "py:IoTHubRegistryManager.update_module_twin",
)
def test_module_twins_are_their_own(registry: Any) -> None:
    device_id = new_id("press")
    registry.create_device_with_sas(device_id, PRIMARY, SECONDARY, "enabled")
    registry.create_module_with_sas(device_id, "arm", "", PRIMARY, SECONDARY)
    patch = Twin(tags={"of": "arm"}, properties=TwinProperties(desired={"n": 1}))
    updated = registry.update_module_twin(device_id, "arm", patch)
    assert (updated.device_id, updated.module_id, updated.tags) == (device_id, "arm", {"of": "arm"})
    assert registry.get_module_twin(device_id, "arm").properties.desired["n"] == 1
    assert registry.get_twin(device_id).tags == {}
    registry.replace_module_twin(device_id, "arm", Twin(tags={}), updated.etag)
    assert registry.get_module_twin(device_id, "arm").tags == {}
    with refused(404, "ModuleNotFound"):
        registry.get_module_twin(device_id, "leg")


@covers("py:IoTHubRegistryManager.invoke_device_method", "py:IoTHubRegistryManager.invoke_device_module_method")
@pytest.mark.parametrize("payload", [{"now": True}, [1, "zwei"], "text", 0], ids=repr)
def test_methods_of_devices_and_modules_are_answered(hub: RunningHub, registry: Any, payload: Any) -> None:
    device = hub.create_device(new_id("press"))
    module = hub.create_module(device.device_id, "arm")
    call = CloudToDeviceMethod(
        method_name="echo", payload=payload, response_timeout_in_seconds=10, connect_timeout_in_seconds=10
    )
    with MQTT.device(hub, device.connection_string) as press, MQTT.module(hub, module.connection_string) as arm:
        press.connect()
        arm.connect()
        press.answer_methods(lambda name, given: (207, {"press": given}))
        arm.answer_methods(lambda name, given: (200, {"arm": given}))
        answer = registry.invoke_device_method(device.device_id, call)
        assert (answer.status, answer.payload) == (207, {"press": payload})
        answer = registry.invoke_device_module_method(device.device_id, "arm", call)
        assert (answer.status, answer.payload) == (200, {"arm": payload})


def test_a_method_that_cannot_be_called_says_why(hub: RunningHub, registry: Any) -> None:
    device = hub.create_device(new_id("press"))
    call = CloudToDeviceMethod(method_name="stop", response_timeout_in_seconds=5)
    with pytest.raises(HttpOperationError) as caught:
        registry.invoke_device_method(device.device_id, call)
    assert caught.value.response.status_code == 404
    told = json.loads(json.loads(caught.value.response.text)["Message"])
    assert (told["errorCode"], told["info"]) == (404103, {"timeout": "00:00:00"})
    with refused(404, "DeviceNotFound"):
        registry.invoke_device_method(new_id("nobody"), call)
    with refused(400, "ArgumentInvalid"):
        registry.invoke_device_method(
            device.device_id, CloudToDeviceMethod(method_name="stop", response_timeout_in_seconds=1)
        )


@covers("py:IoTHubRegistryManager.get_device")
def test_waiting_commands_are_counted_and_purged(hub: RunningHub, registry: Any) -> None:
    device = hub.create_device(new_id("press"))
    for number in range(3):
        hub.call("POST", f"/devices/{device.device_id}/commands", json={"body": str(number)})
    assert registry.get_device(device.device_id).cloud_to_device_message_count == 3
    purged = registry.protocol.cloud_to_device_messages.purge_cloud_to_device_message_queue(device.device_id)
    assert (purged.device_id, purged.total_messages_purged) == (device.device_id, 3)
    assert registry.get_device(device.device_id).cloud_to_device_message_count == 0


@covers("py:IoTHubRegistryManager.from_connection_string")
def test_a_policy_opens_what_its_rights_say_and_a_wrong_key_nothing(
    hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(hub.ca_path))
    owner = hub.connection_string(policy="iothubowner")
    service = hub.connection_string(policy="service")
    reader = hub.connection_string(policy="registryRead")
    device = hub.create_device(new_id("press"))

    def manager(text: str) -> Any:
        return IoTHubRegistryManager.from_connection_string(text)

    assert manager(reader).get_device(device.device_id).device_id == device.device_id
    with refused(401, "IotHubUnauthorizedAccess"):
        manager(reader).delete_device(device.device_id)
    assert manager(service).get_twin(device.device_id).device_id == device.device_id
    with refused(401, "IotHubUnauthorizedAccess"):
        manager(service).create_device_with_sas(new_id("press"), PRIMARY, SECONDARY, "enabled")
    key = dict(part.split("=", 1) for part in owner.split(";"))["SharedAccessKey"]
    with refused(401, "IotHubUnauthorized"):
        manager(owner.replace(key, PRIMARY)).get_device(device.device_id)
