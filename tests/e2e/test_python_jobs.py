"""Microsoft's unmodified Python service SDK: its IoTHubJobManager, with devices that answer over MQTT."""

import queue
import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.iot.hub import IoTHubJobManager
from azure.iot.hub.models import CloudToDeviceMethod, JobRequest, Twin, TwinProperties
from msrest.exceptions import DeserializationError, HttpOperationError  # type: ignore[attr-defined]  # it is there
from tests.covers import covers
from tests.e2e.conftest import StartHub
from tests.e2e.python_client import EVERY_KIND, MQTT, PATIENCE, Answer, Kind, new_id
from tests.fakes.running_hub import Registered, RunningHub


@pytest.fixture
def jobs(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The SDK's job manager, as a service of the shared hub."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(hub.ca_path))
    return IoTHubJobManager.from_connection_string(hub.connection_string(policy="service"))


def ended(hub: RunningHub, jobs: Any, job_id: str) -> Any:
    """The job once it has ended."""
    ends = ("completed", "failed", "cancelled")
    return hub.wait_for(lambda: job if (job := jobs.get_scheduled_job(job_id)).status in ends else None)


def twin_job(condition: str, **more: Any) -> Any:
    """A request as the SDK's sample makes it."""
    twin = Twin(etag="*", tags={"hall": "b"}, properties=TwinProperties(desired={"speed": 5}))
    job_id = new_id("job")
    return JobRequest(
        job_id=job_id,
        type="scheduleUpdateTwin",
        update_twin=twin,
        query_condition=condition,
        max_execution_time_in_seconds=60,
        **more,
    )


def only(*devices: Registered) -> str:
    """The condition that names these."""
    return "deviceId IN [{}]".format(", ".join(f"'{device.device_id}'" for device in devices))


@covers("py:IoTHubJobManager.create_scheduled_job", "py:IoTHubJobManager.get_scheduled_job")
def test_twins_are_updated(hub: RunningHub, jobs: Any) -> None:
    device, other = hub.create_device(new_id("press")), hub.create_device(new_id("press"))
    request = twin_job(only(device), start_time=datetime.now(UTC))
    created = jobs.create_scheduled_job(request.job_id, request)
    assert (created.job_id, created.type) == (request.job_id, "scheduleUpdateTwin")
    job = ended(hub, jobs, request.job_id)
    assert (job.status, job.device_job_statistics.device_count, job.device_job_statistics.succeeded_count) == (
        "completed",
        1,
        1,
    )
    assert isinstance(job.end_time, datetime)
    assert hub.call("GET", f"/twins/{device.device_id}")["tags"] == {"hall": "b"}
    assert hub.call("GET", f"/twins/{other.device_id}")["tags"] == {}
    asked = f"SELECT * FROM devices.jobs WHERE devices.jobs.jobId = '{request.job_id}'"
    (row,) = hub.call("POST", "/query", json={"query": asked})["rows"]
    assert (row["deviceId"], row["jobType"], row["status"]) == (device.device_id, "scheduleUpdateTwin", "completed")


@EVERY_KIND
def test_methods_are_called(hub: RunningHub, jobs: Any, kind: Kind) -> None:
    device = hub.create_device(new_id("press"))
    method = CloudToDeviceMethod(method_name="reboot", payload={"in": 3}, response_timeout_in_seconds=10)
    request = JobRequest(
        job_id=new_id("job"),
        type="scheduleDeviceMethod",
        cloud_to_device_method=method,
        query_condition=only(device),
        max_execution_time_in_seconds=60,
    )
    with kind.device(hub, device.connection_string) as client:
        client.connect()
        client.answer_methods(lambda name, payload: (200, {name: payload}))
        hub.call("POST", f"/devices/{device.device_id}/methods", json={"name": "x", "connect_timeout": 10})
        jobs.create_scheduled_job(request.job_id, request)
        assert ended(hub, jobs, request.job_id).status == "completed"
    (result,) = hub.call("GET", f"/jobs/{request.job_id}/devices")["devices"]
    assert (result["status"], result["answer_payload"]) == ("succeeded", {"reboot": {"in": 3}})


@covers("py:IoTHubJobManager.cancel_scheduled_job")
def test_a_job_for_later_is_cancelled(hub: RunningHub, jobs: Any) -> None:
    device = hub.create_device(new_id("press"))
    request = twin_job(only(device), start_time=datetime(2090, 1, 31, 2, tzinfo=UTC))
    created = jobs.create_scheduled_job(request.job_id, request)
    assert (created.status, created.start_time) == ("scheduled", datetime(2090, 1, 31, 2, tzinfo=UTC))
    assert jobs.cancel_scheduled_job(request.job_id).status == "cancelled"
    assert jobs.get_scheduled_job(request.job_id).status == "cancelled"
    with pytest.raises(HttpOperationError) as caught:
        jobs.cancel_scheduled_job(request.job_id)
    assert caught.value.response.status_code == 412


def test_a_refusal_names_the_error(hub: RunningHub, jobs: Any) -> None:
    request = twin_job("SELECT * FROM devices")
    with pytest.raises(HttpOperationError) as caught:
        jobs.create_scheduled_job(request.job_id, request)
    assert caught.value.response.headers["iothub-errorcode"] == "ArgumentInvalid"
    with pytest.raises(HttpOperationError) as caught:
        jobs.get_scheduled_job(request.job_id)
    assert caught.value.response.headers["iothub-errorcode"] == "JobNotFound"


def test_the_list_is_an_array_which_this_sdk_cannot_read(jobs: Any) -> None:
    """A fault of the SDK, which expects an object; Node's SDK and the vendor's command line agree on an array."""
    with pytest.raises(DeserializationError):
        jobs.query_scheduled_jobs("scheduleUpdateTwin", "queued")


@pytest.mark.parametrize("end", [RunningHub.stop, RunningHub.kill], ids=["SIGTERM", "SIGKILL"])
def test_a_job_goes_on_when_the_hub_is_back_and_calls_no_device_twice(
    start_hub: StartHub, end: Callable[[RunningHub], int]
) -> None:
    """Devices that are on their way back are waited for; the one that had the call is not called again."""
    hub = start_hub(IRONHUB_JOB_CONCURRENCY="1")
    devices = [hub.create_device(f"press-{number}") for number in range(5)]
    called: queue.Queue[str] = queue.Queue()
    gone = threading.Event()

    def answers(who: str) -> Callable[[str, Any], Answer]:
        def answer(name: str, payload: Any) -> Answer:
            called.put(who)
            if who == "press-1":
                gone.wait(PATIENCE)
            return 200, who

        return answer

    with ExitStack() as stack:
        for device in devices:
            client = stack.enter_context(MQTT.device(hub, device.connection_string, connection_retry_interval=1))
            client.connect()
            client.answer_methods(answers(device.device_id))
        hub.wait_for(lambda: all(hub.call("GET", f"/devices/{d.device_id}")["connected"] for d in devices))
        method = {"name": "reboot", "response_timeout": 60}
        hub.call("POST", "/jobs", json={"job_id": "j1", "condition": "*", "method": method})
        assert [called.get(timeout=PATIENCE) for _ in range(2)] == ["press-0", "press-1"]
        end(hub)
        gone.set()
        hub.start()
        hub.wait_for(lambda: hub.call("GET", "/jobs/j1")["ended_at"], timeout=60)
    job = hub.call("GET", "/jobs/j1")
    assert (job["devices"]["succeeded"], job["devices"]["failed"]) == (4, 1)
    assert sorted(called.queue) == ["press-2", "press-3", "press-4"]
    results = {each["device_id"]: each for each in hub.call("GET", "/jobs/j1/devices")["devices"]}
    assert results["press-1"]["error_code"] in ("job.outcome_unknown", "method.connection_lost")
    assert [results[f"press-{number}"]["answer_payload"] for number in (0, 2, 3, 4)] == [
        f"press-{number}" for number in (0, 2, 3, 4)
    ]
