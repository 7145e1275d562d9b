"""Microsoft's unmodified Python service SDK manages configurations; devices get what they write."""

from typing import Any

import pytest
from azure.iot.hub import IoTHubConfigurationManager, IoTHubRegistryManager
from azure.iot.hub.models import (
    Configuration,
    ConfigurationContent,
    ConfigurationMetrics,
    ConfigurationQueriesTestInput,
    Twin,
)
from tests.covers import covers
from tests.e2e.python_client import MQTT, PATIENCE, new_id
from tests.e2e.test_python_service import refused
from tests.fakes.running_hub import RunningHub


@pytest.fixture
def manager(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The SDK's configuration manager, as the owner of the shared hub."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(hub.ca_path))
    return IoTHubConfigurationManager.from_connection_string(hub.connection_string(policy="iothubowner"))


@pytest.fixture
def registry(hub: RunningHub, manager: Any) -> Any:
    """The SDK's registry manager."""
    return IoTHubRegistryManager.from_connection_string(hub.connection_string(policy="iothubowner"))


def new_configuration(hall: str, **fields: Any) -> Configuration:
    """A configuration for the devices of one hall."""
    content = ConfigurationContent(device_content={"properties.desired.settings": {"speed": 3}})
    fields = {"content": content, "target_condition": f"tags.hall = '{hall}'", "priority": 5, **fields}
    return Configuration(id=new_id("speed"), schema_version="1.0", labels={"by": "test"}, **fields)


@covers(
    "py:IoTHubConfigurationManager.from_connection_string",
    "py:IoTHubConfigurationManager.create_configuration",
    "py:IoTHubConfigurationManager.get_configuration",
    "py:IoTHubConfigurationManager.get_configurations",
    "py:IoTHubConfigurationManager.update_configuration",
    "py:IoTHubConfigurationManager.delete_configuration",
)
def test_a_configuration_is_created_read_listed_updated_and_deleted(manager: Any) -> None:
    wanted = new_configuration(new_id("hall"))
    made = manager.create_configuration(wanted)
    assert (made.id, made.priority, made.labels, made.schema_version) == (wanted.id, 5, {"by": "test"}, "1.0")
    assert made.content.device_content == {"properties.desired.settings": {"speed": 3}}
    assert made.created_time_utc == made.last_updated_time_utc
    read = manager.get_configuration(wanted.id)
    assert (read.etag, read.target_condition) == (made.etag, wanted.target_condition)
    assert set(read.system_metrics.queries) == {"targetedCount", "appliedCount"}
    assert wanted.id in [each.id for each in manager.get_configurations()]
    assert len(manager.get_configurations(max_count=1)) == 1
    with refused(409, "ConfigurationAlreadyExists"):
        manager.create_configuration(wanted)
    read.priority = 6
    changed = manager.update_configuration(read, read.etag)
    assert (changed.priority, changed.content.device_content) == (6, read.content.device_content)
    with refused(412, "PreconditionFailed"):
        manager.update_configuration(read, read.etag)
    with refused(412, "PreconditionFailed"):
        manager.delete_configuration(wanted.id, read.etag)
    changed.content = ConfigurationContent(device_content={"properties.desired.settings": {"speed": 4}})
    with refused(400, "CannotModifyImmutableConfigurationContent"):
        manager.update_configuration(changed, "*")
    manager.delete_configuration(wanted.id)
    with refused(404, "ConfigurationNotFound"):
        manager.get_configuration(wanted.id)
    with refused(404, "ConfigurationNotFound"):
        manager.delete_configuration(wanted.id)


def test_what_cannot_be_created_is_refused_by_name(manager: Any) -> None:
    with refused(400, "InvalidConfigurationTargetCondition"):
        manager.create_configuration(new_configuration("b", target_condition="tags.hall ="))
    with refused(400, "InvalidConfigurationContent"):
        manager.create_configuration(new_configuration("b", content=ConfigurationContent()))
    with refused(400, "InvalidConfigurationCustomMetricsQuery"):
        bad = ConfigurationMetrics(queries={"all": "SELECT COUNT() AS n FROM devices"})
        manager.create_configuration(new_configuration("b", metrics=bad))


def test_a_device_is_configured_live_and_counted(hub: RunningHub, manager: Any, registry: Any) -> None:
    hall = new_id("hall")
    device, other = hub.create_device(new_id("press")), hub.create_device(new_id("press"))
    for each in (device, other):
        registry.update_twin(each.device_id, Twin(tags={"hall": hall}), "*")
    queries = {"slow": f"SELECT deviceId FROM devices WHERE tags.hall = '{hall}'"}
    with MQTT.device(hub, device.connection_string) as client:
        client.connect()
        patches = client.desired()
        low = manager.create_configuration(
            new_configuration(hall, metrics=ConfigurationMetrics(queries=queries), priority=1)
        )
        assert patches.get(timeout=PATIENCE) == {"settings": {"speed": 3}, "$version": 2}
        faster = ConfigurationContent(device_content={"properties.desired.settings": {"speed": 9}})
        high = manager.create_configuration(new_configuration(hall, content=faster, priority=2))
        assert patches.get(timeout=PATIENCE) == {"settings": {"speed": 9}, "$version": 3}
        shown = configurations_of(registry.get_twin(device.device_id))
        assert shown == {low.id: {"status": "Targeted"}, high.id: {"status": "Applied"}}
        hub.wait_for(lambda: counted(manager, low.id) == {"targetedCount": 2, "appliedCount": 0})
        hub.wait_for(lambda: counted(manager, high.id) == {"targetedCount": 2, "appliedCount": 2})
        assert manager.get_configuration(low.id).metrics.results == {"slow": 2}
        manager.delete_configuration(high.id)
        assert patches.get(timeout=PATIENCE) == {"settings": {"speed": 3}, "$version": 4}
    manager.delete_configuration(low.id)
    hub.wait_for(lambda: not configurations_of(registry.get_twin(device.device_id)))


def test_modules_are_configured_by_a_condition_of_their_own(hub: RunningHub, manager: Any, registry: Any) -> None:
    hall, device = new_id("hall"), hub.create_device(new_id("press"))
    hub.create_module(device.device_id, "arm")
    registry.update_module_twin(device.device_id, "arm", Twin(tags={"hall": hall}), "*")
    wanted = new_configuration(
        hall,
        target_condition=f"FROM devices.modules WHERE tags.hall = '{hall}'",
        content=ConfigurationContent(module_content={"properties.desired.grip": 3}),
    )
    made = manager.create_configuration(wanted)
    assert made.content.module_content == {"properties.desired.grip": 3}

    def grip() -> Any:
        return registry.get_module_twin(device.device_id, "arm").properties.desired.get("grip")

    assert hub.wait_for(grip) == 3
    manager.delete_configuration(wanted.id)


def test_a_deployment_reaches_the_modules_of_an_edge_device(hub: RunningHub, manager: Any, registry: Any) -> None:
    hall, edge = new_id("hall"), new_id("edge")
    key = "A" * 43 + "="
    registry.create_device_with_sas(edge, key, key, "enabled", iot_edge=True)
    registry.update_twin(edge, Twin(tags={"hall": hall}), "*")
    modules = {
        "$edgeAgent": {"properties.desired": {"schemaVersion": "1.1", "modules": {"eye": {"version": "1.0"}}}},
        "eye": {"properties.desired.lens": 2},
    }
    wanted = new_configuration(hall, content=ConfigurationContent(modules_content=modules))
    assert manager.create_configuration(wanted).content.modules_content == modules
    hub.wait_for(lambda: counted(manager, wanted.id).get("appliedCount") == 1)
    assert set(counted(manager, wanted.id)) == {
        "targetedCount",
        "appliedCount",
        "reportedSuccessfulCount",
        "reportedFailedCount",
    }
    agent = registry.get_module_twin(edge, "$edgeAgent")
    assert agent.properties.desired["modules"] == {"eye": {"version": "1.0"}}
    assert configurations_of(agent) == {wanted.id: {"status": "Applied"}}
    assert registry.get_module_twin(edge, "eye").properties.desired["lens"] == 2
    manager.delete_configuration(wanted.id)


@covers(
    "py:IoTHubConfigurationManager.apply_configuration_on_edge_device",
)
def test_content_is_applied_to_one_edge_device(manager: Any, registry: Any) -> None:
    edge, key = new_id("edge"), "A" * 43 + "="
    registry.create_device_with_sas(edge, key, key, "enabled", iot_edge=True)
    content = ConfigurationContent(modules_content={"$edgeHub": {"properties.desired": {"routes": {"up": "FROM /*"}}}})
    manager.apply_configuration_on_edge_device(edge, content)
    assert registry.get_module_twin(edge, "$edgeHub").properties.desired["routes"] == {"up": "FROM /*"}
    with refused(404, "DeviceNotFound"):
        manager.apply_configuration_on_edge_device(new_id("nobody"), content)


@covers(
    "py:IoTHubConfigurationManager.test_configuration_queries",
)
def test_conditions_and_metrics_are_tried_before(manager: Any) -> None:
    good = ConfigurationQueriesTestInput(
        target_condition="tags.hall = 'b'", custom_metric_queries={"all": "SELECT deviceId FROM devices"}
    )
    told = manager.test_configuration_queries(good)
    assert (told.target_condition_error, told.custom_metric_query_errors) == (None, {})
    bad = ConfigurationQueriesTestInput(target_condition="tags.", custom_metric_queries={"all": "SELECT"})
    told = manager.test_configuration_queries(bad)
    assert "SQL query parse failed" in told.target_condition_error
    assert "SQL query parse failed" in told.custom_metric_query_errors["all"]


def configurations_of(twin: Any) -> dict[str, Any]:
    """The configurations of a twin; the SDK's model has no field for them."""
    configurations: dict[str, Any] = twin.additional_properties.get("configurations", {})
    return configurations


def counted(manager: Any, name: str) -> dict[str, int]:
    """The results of the system metrics."""
    results: dict[str, int] = manager.get_configuration(name).system_metrics.results
    return results
