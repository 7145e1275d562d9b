"""Microsoft's unmodified Node service SDK: its JobClient, with devices of the Python SDK that answer over MQTT."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.covers import covers
from tests.e2e.node_process import NodeError, NodeProcess
from tests.e2e.python_client import MQTT, PATIENCE, Answer, new_id
from tests.fakes.running_hub import RunningHub

LATER = {"instant": "2090-01-31T02:00:00.000Z"}


class NodeJobs:
    """JobClient of the Node service SDK."""

    def __init__(self, process: NodeProcess, hub: RunningHub) -> None:
        self._process = process
        self._hub = hub

    def call(self, method: str, *values: Any) -> Any:
        """Call a method. Raises NodeError."""
        return self._process.ask("call", method=method, values=values)

    def pages(self, *, size: int, **asked: str | None) -> list[Any]:
        """Return all pages of `createQuery`."""
        given: dict[str, Any] = {"type": None, "status": None} | asked
        pages: list[Any] = self._process.ask("list", pageSize=size, **given)
        return pages

    def ended(self, job_id: str) -> Any:
        """Return the job once it has ended."""
        ends = ("completed", "failed", "cancelled")
        return self._hub.wait_for(lambda: job if (job := self.call("getJob", job_id))["status"] in ends else None)


@pytest.fixture(scope="module")
def jobs(_node_sdks: None, hub: RunningHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeJobs]:
    """The SDK, as the owner of the shared hub."""
    process = NodeProcess(
        "jobs.js",
        tmp_path_factory.mktemp("node") / "jobs.log",
        NODE_EXTRA_CA_CERTS=str(hub.ca_path),
        SERVICE_CONNECTION_STRING=hub.connection_string(policy="iothubowner"),
    )
    yield NodeJobs(process, hub)
    process.close()


def presses(hub: RunningHub, count: int) -> tuple[list[Any], str]:
    """New devices, and the condition that names them."""
    devices = [hub.create_device(new_id("press")) for _ in range(count)]
    return devices, "deviceId IN [{}]".format(", ".join(f"'{device.device_id}'" for device in devices))


@covers("node:JobClient.scheduleTwinUpdate", "node:JobClient.getJob")
def test_twins_of_many_devices_are_updated_and_those_connected_are_told(hub: RunningHub, jobs: NodeJobs) -> None:
    devices, condition = presses(hub, 3)
    patch = {"etag": "*", "tags": {"hall": "b"}, "properties": {"desired": {"speed": 5}}}
    job_id = new_id("twins")
    with MQTT.device(hub, devices[0].connection_string) as client:
        client.connect()
        patches = client.desired()
        created = jobs.call("scheduleTwinUpdate", job_id, condition, patch)
        assert (created["jobId"], created["type"]) == (job_id, "scheduleUpdateTwin")
        assert patches.get(timeout=PATIENCE) == {"speed": 5, "$version": 2}
        job = jobs.ended(job_id)
    assert job["status"] == "completed"
    assert job["deviceJobStatistics"] == {
        "deviceCount": 3,
        "succeededCount": 3,
        "failedCount": 0,
        "pendingCount": 0,
        "runningCount": 0,
    }
    for device in devices:
        twin = hub.call("GET", f"/twins/{device.device_id}")
        assert (twin["tags"], twin["desired"]["properties"]) == ({"hall": "b"}, {"speed": 5})


@covers("node:JobClient.scheduleDeviceMethod")
def test_methods_of_many_devices_are_called_once_each(hub: RunningHub, jobs: NodeJobs) -> None:
    devices, condition = presses(hub, 4)
    away = devices.pop()
    called: list[str] = []

    def answers(who: str) -> Callable[[str, Any], Answer]:
        def answer(name: str, payload: Any) -> Answer:
            called.append(who)
            return 207, payload

        return answer

    job_id = new_id("methods")
    with ExitStack() as stack:
        for device in devices:
            client = stack.enter_context(MQTT.device(hub, device.connection_string))
            client.connect()
            client.answer_methods(answers(device.device_id))
        hub.wait_for(lambda: all(hub.call("GET", f"/devices/{d.device_id}")["connected"] for d in devices))
        call = {"methodName": "echo", "payload": {"n": 1}, "responseTimeoutInSeconds": 10}
        jobs.call("scheduleDeviceMethod", job_id, condition, call)
        job = jobs.ended(job_id)
    assert job["status"] == "completed"
    assert (job["deviceJobStatistics"]["succeededCount"], job["deviceJobStatistics"]["failedCount"]) == (3, 1)
    assert sorted(called) == sorted(device.device_id for device in devices)
    results = {each["device_id"]: each for each in hub.call("GET", f"/jobs/{job_id}/devices")["devices"]}
    assert [(results[d.device_id]["answer_status"], results[d.device_id]["answer_payload"]) for d in devices] == [
        (207, {"n": 1})
    ] * 3
    assert results[away.device_id]["error_code"] == "method.device_not_online"


@covers("node:JobClient.cancelJob", "node:JobClient.createQuery")
def test_jobs_for_later_are_listed_and_cancelled(hub: RunningHub, jobs: NodeJobs) -> None:
    ids = [new_id("later") for _ in range(3)]
    for job_id in ids:
        created = jobs.call("scheduleTwinUpdate", job_id, "*", {"etag": "*", "tags": {"a": 1}}, LATER, 60)
        assert (created["status"], created["startTime"]) == ("scheduled", "2090-01-31T02:00:00.0000000Z")
    pages = jobs.pages(size=2, type="scheduleUpdateTwin", status="scheduled")
    assert [len(page) for page in pages] == [2, 1]
    assert {job["jobId"] for page in pages for job in page} >= set(ids)
    for job_id in ids:
        assert jobs.call("cancelJob", job_id)["status"] == "cancelled"
    assert jobs.pages(size=2, status="scheduled") == [[]]


def test_what_cannot_be_is_refused(jobs: NodeJobs) -> None:
    job_id = new_id("job")
    patch = {"etag": "*", "tags": {}}
    jobs.call("scheduleTwinUpdate", job_id, "deviceId = 'nobody'", patch)
    with pytest.raises(NodeError) as caught:
        jobs.call("scheduleTwinUpdate", job_id, "deviceId = 'nobody'", patch)
    assert "JobAlreadyExists" in str(caught.value.body)
    with pytest.raises(NodeError) as caught:
        jobs.call("getJob", new_id("nobody"))
    assert "JobNotFound" in str(caught.value.body)
    with pytest.raises(NodeError) as caught:
        jobs.call("scheduleTwinUpdate", new_id("job"), "SELECT * FROM devices", patch)
    assert caught.value.name == "ArgumentError"
    assert "SQL query parse failed" in str(caught.value.body)
    with pytest.raises(NodeError) as caught:
        jobs.call("scheduleTwinUpdate", new_id("job"), "*", {"tags": {}})
    assert "etag" in str(caught.value.body)
