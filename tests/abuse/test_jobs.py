"""Jobs in the hands of those who may not, may no more, or ask for too much."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import pytest
from tests.abuse.test_http import call
from tests.fakes.bystander import new_device
from tests.fakes.raw_device import HttpAnswer, policy_token, token_for
from tests.fakes.running_hub import HubFailed, RunningHub

TWIN_JOB: Final = {"type": "scheduleUpdateTwin", "updateTwin": {"etag": "*", "tags": {"taken": True}}}
METHOD_JOB: Final = {
    "type": "scheduleDeviceMethod",
    "cloudToDeviceMethod": {"methodName": "x", "connectTimeoutInSeconds": 300},
}
ACTIVE: Final = 10
"""Jobs that a hub runs at the same time unless told otherwise."""


def put(hub: RunningHub, token: str | None, job_id: str, body: dict[str, Any], condition: str = "*") -> HttpAnswer:
    """Ask for a job."""
    data = json.dumps({**body, "queryCondition": condition}).encode()
    return call(hub, "PUT", f"/jobs/v2/{job_id}?api-version=2021-04-12", token, data)


def names(hub: RunningHub) -> list[str]:
    return [job["job_id"] for job in hub.call("GET", "/jobs", params={"limit": 1000})["jobs"]]


@pytest.fixture
def victim(hub: RunningHub) -> str:
    return new_device(hub, "victim").device_id


@pytest.fixture(autouse=True)
def _no_job_left(hub: RunningHub) -> Iterator[None]:
    """Jobs that still run are ended, so that what they hold is not taken for what is left behind."""
    yield
    for job in hub.call("GET", "/jobs", params={"limit": 1000})["jobs"]:
        if job["ended_at"] is None:
            with suppress(HubFailed):  # it has ended meanwhile
                hub.call("POST", f"/jobs/{job['job_id']}/cancel")


def test_whoever_is_no_service_of_the_whole_hub_gets_no_job(hub: RunningHub, victim: str) -> None:
    """Not a device, not a reader of the registry, not a token that was signed for one device."""
    before = names(hub)
    tokens = [
        None,
        token_for(hub, new_device(hub)),
        policy_token(hub, "registryRead"),
        policy_token(hub, "registryReadWrite"),
        policy_token(hub, "device"),
        policy_token(hub, "service", path=f"/devices/{victim}"),
        policy_token(hub, "service", path="/jobs/v2/j1"),
    ]
    for token in tokens:
        assert put(hub, token, "j1", TWIN_JOB).status == 401
        for method, path in (("GET", "/jobs/v2/j1"), ("GET", "/jobs/v2/query"), ("POST", "/jobs/v2/j1/cancel")):
            assert call(hub, method, path, token, b"").status == 401
    assert names(hub) == before
    assert hub.call("GET", f"/twins/{victim}")["tags"] == {}


def test_a_job_ends_when_the_key_that_it_was_created_with_is_rolled(hub: RunningHub, victim: str) -> None:
    """While it waits for a device that is away: the device gets nothing when it comes."""
    token = policy_token(hub, "service")
    assert put(hub, token, "outlives", METHOD_JOB, f"deviceId = '{victim}'").status == 200
    hub.wait_for(lambda: hub.call("GET", "/jobs/outlives")["devices"]["running"] == 1)
    hub.call("POST", "/policies/service/roll", params={"key": "primary"})
    rolled_at = time.monotonic()
    hub.wait_for(lambda: hub.call("GET", "/jobs/outlives")["ended_at"])
    assert time.monotonic() - rolled_at < 5
    job = hub.call("GET", "/jobs/outlives")
    assert (job["status"], job["error_code"]) == ("failed", "job.right_lost")
    assert put(hub, token, "another", TWIN_JOB).status == 401


def test_a_job_for_later_does_nothing_when_its_creators_key_is_gone_by_then(hub: RunningHub, victim: str) -> None:
    later = {**TWIN_JOB, "startTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))}
    assert put(hub, policy_token(hub, "service"), "later", later, f"deviceId = '{victim}'").status == 200
    hub.call("POST", "/policies/service/roll", params={"key": "primary"})
    hub.wait_for(lambda: hub.call("GET", "/jobs/later")["ended_at"])
    assert hub.call("GET", "/jobs/later")["error_code"] == "job.right_lost"
    assert hub.call("GET", f"/twins/{victim}")["tags"] == {}


def test_a_flood_of_jobs_is_refused_and_leaves_nothing(hub: RunningHub, victim: str) -> None:
    token = policy_token(hub, "service")
    condition = f"deviceId = '{victim}'"
    answers = [put(hub, token, f"flood-{number}", METHOD_JOB, condition) for number in range(ACTIVE + 20)]
    assert [answer.status for answer in answers].count(200) == ACTIVE
    assert {answer.headers.get("iothub-errorcode") for answer in answers[ACTIVE:]} == {
        "ThrottlingMaxActiveJobCountExceeded"
    }
    for number in range(ACTIVE):
        assert call(hub, "POST", f"/jobs/v2/flood-{number}/cancel", token, b"").status == 200


@pytest.mark.parametrize(
    "job_id",
    ["..%2f..%2fdevices", "%2e%2e", "a%00b", "a%0d%0aX:%20y", "%F0%9F%92%A3", "a" * 200, "query", "%ff", "a%2fb"],
)
def test_an_id_that_is_no_id_reaches_nothing(hub: RunningHub, job_id: str) -> None:
    before = names(hub)
    assert put(hub, policy_token(hub, "service"), job_id, TWIN_JOB, "deviceId = 'nobody'").status in (400, 404)
    assert names(hub) == before
    assert call(hub, "GET", f"/jobs/v2/{job_id}", policy_token(hub, "service"), b"").status in (200, 400, 404), job_id


@pytest.mark.parametrize(
    "condition",
    [
        "SELECT * FROM devices",
        "* ; DROP TABLE jobs",
        "' OR 1=1 --",
        "deviceId = '" + "a" * 9000 + "'",
        "(" * 4000 + "1" + ")" * 4000,
        "NOT " * 2000 + "true",
        "deviceId IN [" + ",".join(["'a'"] * 1500) + "]",
    ],
    ids=range(7),
)
def test_a_condition_that_is_a_bomb_is_refused_before_anything_is_stored(hub: RunningHub, condition: str) -> None:
    before = names(hub)
    answer = put(hub, policy_token(hub, "service"), "bomb", TWIN_JOB, condition)
    assert answer.status == 400
    assert names(hub) == before


def test_work_that_no_device_could_get_is_refused_before_anything_is_stored(hub: RunningHub) -> None:
    token = policy_token(hub, "service")
    deep: dict[str, Any] = {}
    for _ in range(20):
        deep = {"a": deep}
    bodies: list[dict[str, Any]] = [
        {**TWIN_JOB, "updateTwin": {"etag": "*", "tags": deep}},
        {**TWIN_JOB, "updateTwin": {"etag": "*", "tags": {"a.b": 1}}},
        {**TWIN_JOB, "updateTwin": {"etag": "*", "tags": {"a": "x" * 5000}}},
        {**METHOD_JOB, "cloudToDeviceMethod": {"methodName": "$iothub/methods"}},
        {**METHOD_JOB, "cloudToDeviceMethod": {"methodName": "x", "payload": "y" * 140_000}},
        {**TWIN_JOB, "maxExecutionTimeInSeconds": 1e300},
        {**TWIN_JOB, "startTime": "9999-99-99T00:00:00Z"},
    ]
    for body in bodies:
        assert put(hub, token, "work", body).status == 400, str(body)[:200]
    assert "work" not in names(hub)
