"""Many devices at once with Microsoft's unmodified Python service SDK (azure-iot-hub), and import and export jobs."""

import json
from typing import Any

import pytest
from azure.iot.hub import IoTHubJobManager, IoTHubRegistryManager
from azure.iot.hub.protocol.models import ExportImportDevice, JobProperties, PropertyContainer
from tests.covers import covers
from tests.e2e.python_client import MQTT, PATIENCE, new_id
from tests.fakes.running_hub import RunningHub


@pytest.fixture
def registry(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The registry manager, as the owner of the shared hub."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(hub.ca_path))
    return IoTHubRegistryManager.from_connection_string(hub.connection_string(policy="iothubowner"))


@pytest.fixture
def jobs(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The job manager, as the owner of the shared hub."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(hub.ca_path))
    return IoTHubJobManager.from_connection_string(hub.connection_string(policy="iothubowner"))


def rows(ids: list[str], mode: str, **fields: Any) -> list[ExportImportDevice]:
    """One row for each id."""
    return [ExportImportDevice(id=device_id, import_mode=mode, **fields) for device_id in ids]


@covers("py:IoTHubRegistryManager.bulk_create_or_update_devices")
def test_a_hundred_devices_are_created_updated_and_deleted_in_one_call_each(hub: RunningHub, registry: Any) -> None:
    ids = [new_id("bulk") for _ in range(100)]
    before = registry.get_device_registry_statistics()
    made = registry.bulk_create_or_update_devices(rows(ids, "create", tags={"hall": "b"}, status="enabled"))
    assert (made.is_successful, made.errors) == (True, [])
    first = registry.get_device(ids[0])
    assert len(first.authentication.symmetric_key.primary_key) == 44
    assert registry.get_twin(ids[-1]).tags == {"hall": "b"}
    counted = registry.get_device_registry_statistics()
    assert counted.total_device_count == before.total_device_count + 100
    registry.bulk_create_or_update_devices(rows(ids[:40], "update", status="disabled"))
    counted = registry.get_device_registry_statistics()
    assert counted.disabled_device_count == before.disabled_device_count + 40
    assert registry.get_device(ids[0]).authentication.symmetric_key.primary_key == (
        first.authentication.symmetric_key.primary_key
    )
    registry.bulk_create_or_update_devices(rows(ids, "delete"))
    counted = registry.get_device_registry_statistics()
    assert counted.total_device_count == before.total_device_count
    assert counted.disabled_device_count == before.disabled_device_count


@covers("py:IoTHubRegistryManager.bulk_create_or_update_devices")
def test_each_row_has_its_own_outcome(registry: Any) -> None:
    known, new = new_id("bulk"), new_id("bulk")
    registry.bulk_create_or_update_devices(rows([known], "create"))
    stale = ExportImportDevice(id=known, import_mode="updateIfMatchETag", e_tag="stale", status="disabled")
    result = registry.bulk_create_or_update_devices([*rows([new], "create"), stale])
    assert result.is_successful is False
    told = [(error.device_id, error.error_code, error.operation) for error in result.errors]
    assert told == [(known, "PreconditionFailed", "updateIfMatchETag")]
    assert registry.get_device(known).status == "enabled"
    good = ExportImportDevice(
        id=known, import_mode="updateIfMatchETag", e_tag=registry.get_device(known).etag, status="disabled"
    )
    assert registry.bulk_create_or_update_devices([good]).is_successful
    assert registry.get_device(known).status == "disabled"
    again = registry.bulk_create_or_update_devices(rows([new], "create"))
    assert [error.error_code for error in again.errors] == ["DeviceAlreadyExists"]


@covers("py:IoTHubRegistryManager.bulk_create_or_update_devices")
def test_twins_and_modules_are_changed_in_bulk(registry: Any) -> None:
    device_id = new_id("bulk")
    module = ExportImportDevice(id=device_id, module_id="arm", import_mode="create")
    assert registry.bulk_create_or_update_devices([*rows([device_id], "create"), module]).is_successful
    assert registry.get_module(device_id, "arm").module_id == "arm"
    wish = PropertyContainer(desired={"speed": 5})
    update = ExportImportDevice(id=device_id, import_mode="updateTwin", tags={"hall": "c"}, properties=wish)
    assert registry.bulk_create_or_update_devices([update]).is_successful
    twin = registry.get_twin(device_id)
    assert (twin.tags, twin.properties.desired["speed"]) == ({"hall": "c"}, 5)
    stale = ExportImportDevice(id=device_id, import_mode="updateTwinIfMatchETag", twin_etag="stale", tags={"hall": "d"})
    result = registry.bulk_create_or_update_devices([stale])
    assert [error.error_code for error in result.errors] == ["PreconditionFailed"]


@covers("py:IoTHubRegistryManager.bulk_create_or_update_devices")
def test_a_device_that_is_disabled_or_deleted_in_bulk_is_out_at_once(hub: RunningHub, registry: Any) -> None:
    device = hub.create_device(new_id("bulk"))
    for mode, fields in (("update", {"status": "disabled"}), ("delete", {})):
        if mode == "delete":
            registry.bulk_create_or_update_devices(rows([device.device_id], "update", status="enabled"))
        with MQTT.device(hub, device.connection_string, connection_retry=False, auto_connect=False) as client:
            client.connect()
            client.wait_connected(True)
            registry.bulk_create_or_update_devices(rows([device.device_id], mode, **fields))
            client.wait_connected(False)


@covers("py:IoTHubRegistryManager.create_device_with_sas", "py:IoTHubRegistryManager.update_device_with_sas")
def test_edge_devices_have_scopes_modules_and_children(registry: Any) -> None:
    gateway, leaf = new_id("gw"), new_id("leaf")
    key = "cHJpbWFyeS1rZXktb2YtMzItYnl0ZXMtLi4uLi4uLi4="
    made = registry.create_device_with_sas(gateway, key, key, "enabled", iot_edge=True)
    scope = f"ms-azure-iot-edge://{gateway}-{made.generation_id}"
    assert made.device_scope == scope
    modules = {module.module_id: module.managed_by for module in registry.get_modules(gateway)}
    assert modules == {"$edgeAgent": "iotEdge", "$edgeHub": "iotEdge"}
    result = registry.bulk_create_or_update_devices(rows([leaf], "create", device_scope=scope))
    assert result.is_successful
    child = registry.get_device(leaf)
    assert (child.device_scope, child.parent_scopes) == (scope, [scope])
    refused = registry.bulk_create_or_update_devices(rows([new_id("leaf")], "create", device_scope=scope + "0"))
    assert [error.error_code for error in refused.errors] == ["InvalidDeviceScope"]
    with pytest.raises(Exception, match="Unauthorized"):
        registry.delete_module(gateway, "$edgeAgent")


def wait_for_job(hub: RunningHub, jobs: Any, job_id: str) -> Any:
    """The job when it is over."""

    def over() -> Any:
        job = jobs.get_import_export_job(job_id)
        return job if job.status in ("completed", "failed", "cancelled") else None

    return hub.wait_for(over, PATIENCE)


def container_url(hub: RunningHub, name: str, permissions: str) -> str:
    """A link to a container of the hub."""
    answer = hub.call("POST", f"/files/containers/{name}/link", json={"permissions": permissions, "host": hub.address})
    return str(answer["url"])


def read_blob(url: str, blob: str, hub: RunningHub) -> list[dict[str, Any]]:
    """The lines of a blob, as the vendor's storage SDK reads it."""
    from azure.storage.blob import ContainerClient

    client = ContainerClient.from_container_url(url, connection_verify=str(hub.ca_path))
    with client:
        return [json.loads(line) for line in client.download_blob(blob).readall().splitlines()]


@covers(
    "py:IoTHubJobManager.from_connection_string",
    "py:IoTHubJobManager.create_import_export_job",
    "py:IoTHubJobManager.get_import_export_job",
    "py:IoTHubJobManager.get_import_export_jobs",
)
def test_what_is_exported_is_imported_again(hub: RunningHub, registry: Any, jobs: Any) -> None:
    from azure.storage.blob import ContainerClient

    ids = sorted(new_id("job") for _ in range(20))
    registry.bulk_create_or_update_devices(rows(ids, "create", tags={"hall": "b"}))
    name = new_id("box")
    url = container_url(hub, name, "rwdl")
    job = jobs.create_import_export_job(
        JobProperties(type="export", output_blob_container_uri=url, exclude_keys_in_export=False)
    )
    assert job.status in ("enqueued", "running")
    over = wait_for_job(hub, jobs, job.job_id)
    assert (over.status, over.progress, over.failure_reason) == ("completed", 100, None)
    assert "sig=" not in over.output_blob_container_uri
    lines = [line for line in read_blob(url, "devices.txt", hub) if line["id"] in ids]
    assert [line["id"] for line in lines] == ids
    key = registry.get_device(ids[0]).authentication.symmetric_key.primary_key
    assert lines[0]["authentication"]["symmetricKey"]["primaryKey"] == key

    registry.bulk_create_or_update_devices(rows(ids, "delete"))
    content = "\n".join([*map(json.dumps, lines), '{"id": "bad id"}'])
    with ContainerClient.from_container_url(url, connection_verify=str(hub.ca_path)) as client:
        client.upload_blob("again.txt", content.encode(), overwrite=True)
    job = jobs.create_import_export_job(
        JobProperties(
            type="import",
            input_blob_container_uri=url,
            input_blob_name="again.txt",
            output_blob_container_uri=url,
        )
    )
    over = wait_for_job(hub, jobs, job.job_id)
    assert over.status == "completed"
    assert registry.get_device(ids[0]).authentication.symmetric_key.primary_key == key
    assert registry.get_twin(ids[-1]).tags == {"hall": "b"}
    told = read_blob(url, "importErrors.log", hub)
    assert [(line["line"], line["errorCode"]) for line in told] == [(21, 400004)]
    assert job.job_id in [each.job_id for each in jobs.get_import_export_jobs()]


@covers("py:IoTHubJobManager.cancel_import_export_job")
def test_an_export_is_cancelled(hub: RunningHub, jobs: Any) -> None:
    url = container_url(hub, new_id("box"), "rwdl")
    job = jobs.create_import_export_job(JobProperties(type="export", output_blob_container_uri=url))
    jobs.cancel_import_export_job(job.job_id)
    assert wait_for_job(hub, jobs, job.job_id).status in ("cancelled", "completed")


def test_a_job_reaches_nobody_who_is_not_listed(jobs: Any) -> None:
    for uri in ("https://127.0.0.1:1/box?sig=x", "https://169.254.169.254/box?sig=x", "http://evil.test/box?sig=x"):
        with pytest.raises(Exception, match="Bad Request"):
            jobs.create_import_export_job(JobProperties(type="export", output_blob_container_uri=uri))
