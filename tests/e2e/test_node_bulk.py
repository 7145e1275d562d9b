"""Many devices at once, and import and export jobs, with Microsoft's unmodified Node service SDK (azure-iothub)."""

import json
from typing import Any

import pytest
from azure.storage.blob import ContainerClient
from tests.covers import covers
from tests.e2e.node_process import NodeError, NodeProcess
from tests.e2e.python_client import PATIENCE, new_id
from tests.fakes.running_hub import RunningHub


class NodeRegistry:
    """Registry of the Node service SDK."""

    def __init__(self, process: NodeProcess) -> None:
        self._process = process

    def __call__(self, method: str, *values: Any) -> Any:
        """Call a method. Raises NodeError."""
        return self._process.ask("call", service="registry", method=method, values=values)


@pytest.fixture
def registry(node_service: NodeProcess) -> NodeRegistry:
    """The registry, as the owner of the shared hub."""
    return NodeRegistry(node_service)


def container_url(hub: RunningHub, name: str) -> str:
    """A link to a container of the hub, for everything."""
    answer = hub.call("POST", f"/files/containers/{name}/link", json={"permissions": "rwdl", "host": hub.address})
    return str(answer["url"])


def over(hub: RunningHub, registry: NodeRegistry, job: Any) -> Any:
    """The job when it is over."""

    def look() -> Any:
        found = registry("getJob", job["jobId"])
        return found if found["status"] in ("completed", "failed", "cancelled") else None

    return hub.wait_for(look, PATIENCE)


@covers("node:Registry.addDevices", "node:Registry.updateDevices", "node:Registry.removeDevices")
def test_devices_are_added_updated_and_removed_in_one_call_each(registry: NodeRegistry) -> None:
    ids = [new_id("bulk") for _ in range(100)]
    devices = [{"deviceId": device_id} for device_id in ids]
    assert registry("addDevices", devices)["isSuccessful"] is True
    made = registry("get", ids[0])
    assert len(made["authentication"]["symmetricKey"]["primaryKey"]) == 44
    with pytest.raises(NodeError) as refusal:
        registry("addDevices", devices[:2])
    assert refusal.value.name == "ArgumentError"
    changed = {**made, "status": "disabled"}
    assert registry("updateDevices", [changed], False)["isSuccessful"] is True
    after = registry("get", ids[0])
    assert (after["status"], after["authentication"]) == ("disabled", made["authentication"])
    with pytest.raises(NodeError):
        registry("updateDevices", [{**changed, "status": "enabled"}], False)  # its etag is stale by now
    assert registry("get", ids[0])["status"] == "disabled"
    assert registry("updateDevices", [{"deviceId": ids[0], "status": "enabled"}], True)["isSuccessful"] is True
    with pytest.raises(NodeError):
        registry("removeDevices", [made], False)
    assert registry("removeDevices", devices, True)["isSuccessful"] is True
    with pytest.raises(NodeError) as gone:
        registry("get", ids[0])
    assert gone.value.name == "DeviceNotFoundError"


@covers("node:Registry.exportDevicesToBlob", "node:Registry.importDevicesFromBlob", "node:Registry.getJob")
def test_what_is_exported_is_imported_again(hub: RunningHub, registry: NodeRegistry) -> None:
    device_id = new_id("job")
    registry("create", {"deviceId": device_id})
    url = container_url(hub, new_id("box"))
    job = registry("exportDevicesToBlob", url, True)
    done = over(hub, registry, job)
    assert (done["status"], done["type"], done["progress"]) == ("completed", "export", 100)
    with ContainerClient.from_container_url(url, connection_verify=str(hub.ca_path)) as client:
        lines = [json.loads(line) for line in client.download_blob("devices.txt").readall().splitlines()]
    exported = next(line for line in lines if line["id"] == device_id)
    assert exported["authentication"]["symmetricKey"]["primaryKey"] is None
    registry("delete", device_id)
    done = over(hub, registry, registry("importDevicesFromBlob", url, url))
    assert (done["status"], done["type"]) == ("completed", "import")
    assert registry("get", device_id)["status"] == "enabled"


@covers("node:Registry.cancelJob", "node:Registry.listJobs")
def test_jobs_are_listed_and_cancelled(hub: RunningHub, registry: NodeRegistry) -> None:
    url = container_url(hub, new_id("box"))
    job = registry("exportDevicesToBlob", url, True)
    registry("cancelJob", job["jobId"])
    assert over(hub, registry, job)["status"] in ("cancelled", "completed")
    assert job["jobId"] in [each["jobId"] for each in registry("listJobs")]
    with pytest.raises(NodeError):
        registry("getJob", "no-such-job")


@covers("node:Registry.importDevicesFromBlob")
def test_a_job_without_its_blob_fails_and_says_why(hub: RunningHub, registry: NodeRegistry) -> None:
    url = container_url(hub, new_id("box"))
    done = over(hub, registry, registry("importDevicesFromBlob", url, url))
    assert done["status"] == "failed"
    assert "container" in done["failureReason"]
