"""The calls of heads/http/azure/jobs.py, as the vendor's SDKs make them."""

import json
from typing import Any

import pytest
from tests.fakes.azure_api import AzureApi, header, refused, shown
from tests.fakes.conditions import WordyConditions

from ironhub.heads.http.azure.calls import CallGroup
from ironhub.heads.http.azure.jobs import JobCalls
from ironhub.messaging.jobs.model import JobSettings
from ironhub.messaging.jobs.service import JobService

TWIN_JOB = {
    "jobId": "j1",
    "type": "scheduleUpdateTwin",
    "updateTwin": {"etag": "*", "tags": {"hall": "b"}, "properties": {"desired": {"speed": 3}}},
    "queryCondition": "*",
    "startTime": None,
    "maxExecutionTimeInSeconds": 60,
}
METHOD_JOB = {
    "type": "scheduleDeviceMethod",
    "cloudToDeviceMethod": {"methodName": "reboot", "payload": {"in": 3}, "responseTimeoutInSeconds": 9},
    "queryCondition": "press-7",
    "startTime": "2030-01-01T00:00:00.000000Z",
}


def with_jobs(api: AzureApi) -> list[CallGroup]:
    hub = api.hub
    settings = JobSettings(max_active=2, max_scheduled=3)
    return [JobCalls(JobService(hub.stores.jobs, WordyConditions(hub.devices), hub.bus, hub.clock, settings))]


@pytest.fixture
async def api() -> AzureApi:
    """A hub with jobs, none of which ever begins."""
    return AzureApi(with_jobs)


async def put(api: AzureApi, job_id: str = "j1", **changed: Any) -> Any:
    body = {**TWIN_JOB, "jobId": job_id, **changed}
    return await api.call("PUT", f"/jobs/v2/{job_id}?api-version=2021-04-12", body)


async def test_a_twin_update_is_scheduled_read_and_cancelled(api: AzureApi) -> None:
    created = shown(await put(api))
    assert created["status"] == "queued"
    assert created["updateTwin"] == TWIN_JOB["updateTwin"]
    assert created["deviceJobStatistics"]["deviceCount"] == 0
    assert shown(await api.call("GET", "/jobs/v2/j1")) == created
    cancelled = shown(await api.call("POST", "/jobs/v2/j1/cancel"))
    assert cancelled == {**created, "status": "cancelled", "endTime": "2026-05-28T20:26:40.0000000Z"}


async def test_a_method_is_scheduled_for_later(api: AzureApi) -> None:
    job = shown(await api.call("PUT", "/jobs/v2/a%2Bb", METHOD_JOB, policy="service"))
    assert (job["jobId"], job["status"], job["startTime"]) == ("a+b", "scheduled", "2030-01-01T00:00:00.0000000Z")
    assert job["cloudToDeviceMethod"]["payload"] == {"in": 3}
    assert job["maxExecutionTimeInSeconds"] == 3600


async def test_what_cannot_be_is_refused_with_the_vendors_name_for_it(api: AzureApi) -> None:
    shown(await put(api))
    assert refused(await put(api)) == (409, "JobAlreadyExists")
    assert refused(await api.call("GET", "/jobs/v2/nobody")) == (404, "JobNotFound")
    assert refused(await api.call("POST", "/jobs/v2/nobody/cancel")) == (404, "JobNotFound")
    assert refused(await put(api, "j2", updateTwin={"tags": {}})) == (400, "ArgumentInvalid")
    assert refused(await put(api, "j2", queryCondition="SELECT * FROM devices")) == (400, "ArgumentInvalid")
    assert refused(await put(api, "a b".replace(" ", "%20"), jobId=None)) == (400, "ArgumentInvalid")
    assert refused(await put(api, "query"))[0] == 400
    assert refused(await api.send("PUT", "/jobs/v2/j2", b"{", authorization=api.token())) == (
        400,
        "DeserializationError",
    )
    shown(await put(api, "j2"))
    assert refused(await put(api, "j3")) == (429, "ThrottlingMaxActiveJobCountExceeded")
    shown(await api.call("POST", "/jobs/v2/j2/cancel"))
    assert refused(await api.call("POST", "/jobs/v2/j2/cancel")) == (412, "JobRunPreconditionFailed")


async def test_so_many_jobs_wait_for_their_time(api: AzureApi) -> None:
    for number in range(3):
        shown(await api.call("PUT", f"/jobs/v2/j{number}", METHOD_JOB))
    assert refused(await api.call("PUT", "/jobs/v2/j3", METHOD_JOB)) == (403, "JobQuotaExceeded")


async def listed(api: AzureApi, query: str = "", **headers: str) -> tuple[list[str], str | None]:
    response = await api.call("GET", f"/jobs/v2/query?api-version=2021-04-12{query}", **headers)
    assert header(response, "x-ms-item-type") == "jobResponse"
    return [job["jobId"] for job in json.loads(response.body)], header(response, "x-ms-continuation")


async def test_jobs_are_listed_page_by_page(api: AzureApi) -> None:
    assert await listed(api) == ([], None)
    for number in range(3):
        shown(await api.call("PUT", f"/jobs/v2/j{number}", METHOD_JOB))
    shown(await put(api, "t"))
    first, token = await listed(api, x_ms_max_item_count="3")
    assert first == ["t", "j2", "j1"]
    assert token is not None
    assert await listed(api, x_ms_max_item_count="3", x_ms_continuation=token) == (["j0"], None)


async def test_jobs_are_listed_by_kind_and_status(api: AzureApi) -> None:
    shown(await api.call("PUT", "/jobs/v2/m", METHOD_JOB))
    shown(await put(api, "t"))
    assert (await listed(api, "&jobType=scheduleDeviceMethod"))[0] == ["m"]
    assert (await listed(api, "&jobType=scheduleUpdateTwin&jobStatus=queued"))[0] == ["t"]
    assert (await listed(api, "&jobStatus=enqueued"))[0] == ["t"]
    assert (await listed(api, "&jobStatus=scheduled"))[0] == ["m"]
    assert (await listed(api, "&jobType=export"))[0] == []
    assert (await listed(api, "&jobStatus=unknown"))[0] == []


@pytest.mark.parametrize(
    "headers",
    [
        {"x_ms_max_item_count": "0"},
        {"x_ms_max_item_count": "1001"},
        {"x_ms_max_item_count": "²"},
        {"x_ms_continuation": "forged"},
    ],
)
async def test_a_page_that_cannot_be_is_refused(api: AzureApi, headers: dict[str, str]) -> None:
    assert refused(await api.call("GET", "/jobs/v2/query", **headers)) == (400, "ArgumentInvalid")


@pytest.mark.parametrize("policy", ["reader", "device"])
async def test_jobs_need_the_right_to_connect_as_a_service(api: AzureApi, policy: str) -> None:
    shown(await put(api))
    for method, path in (("GET", "/jobs/v2/j1"), ("GET", "/jobs/v2/query"), ("POST", "/jobs/v2/j1/cancel")):
        assert refused(await api.call(method, path, policy=policy)) == (401, "IotHubUnauthorizedAccess")
    assert refused(await api.call("PUT", "/jobs/v2/j2", TWIN_JOB | {"jobId": "j2"}, policy=policy))[0] == 401


async def test_a_token_for_one_device_reaches_no_job(api: AzureApi) -> None:
    shown(await put(api))
    token = api.token("service", "hub.example/devices/press-7")
    answer = await api.call("PUT", "/jobs/v2/j2", TWIN_JOB | {"jobId": "j2"}, authorization=token)
    assert refused(answer)[0] == 401
    assert refused(await api.call("GET", "/jobs/v2/j1", authorization=token))[0] == 401
