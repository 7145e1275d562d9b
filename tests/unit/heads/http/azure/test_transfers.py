"""The calls of heads/http/azure/transfers.py, as the vendor's SDKs make them."""

import json

import pytest
from tests.fakes.azure_api import AzureApi, refused, shown
from tests.fakes.containers import FakeContainers

from ironhub.heads.http.azure.calls import CallGroup
from ironhub.heads.http.azure.transfers import TransferCalls
from ironhub.provisioning.transfer.service import TransferService

EXPORT = {"type": "export", "outputBlobContainerUri": "https://good/c?sig=secret", "excludeKeysInExport": True}


def groups(api: AzureApi) -> list[CallGroup]:
    hub = api.hub
    return [TransferCalls(TransferService(hub.stores.transfers, FakeContainers(), hub.clock, hub.entropy))]


@pytest.fixture
async def api() -> AzureApi:
    """A hub whose jobs never begin."""
    return AzureApi(groups)


async def test_a_job_is_created_read_listed_and_cancelled(api: AzureApi) -> None:
    job = shown(await api.call("POST", "/jobs/create?api-version=2021-04-12", EXPORT))
    assert (job["status"], job["type"], job["progress"]) == ("enqueued", "export", 0)
    assert "secret" not in json.dumps(job)
    assert shown(await api.call("GET", f"/jobs/{job['jobId']}")) == job
    assert shown(await api.call("GET", "/jobs")) == [job]
    assert refused(await api.call("POST", "/jobs/create", EXPORT)) == (403, "JobQuotaExceeded")
    assert shown(await api.call("DELETE", f"/jobs/{job['jobId']}"))["status"] == "cancelled"
    assert refused(await api.call("GET", "/jobs/unknown")) == (404, "JobNotFound")


async def test_a_container_that_may_not_be_reached_is_refused(api: AzureApi) -> None:
    bad = {**EXPORT, "outputBlobContainerUri": "https://evil/c?sig=s"}
    assert refused(await api.call("POST", "/jobs/create", bad)) == (400, "BlobContainerValidationError")
    assert shown(await api.call("GET", "/jobs")) == []


async def test_who_may_not_write_the_registry_starts_and_sees_no_job(api: AzureApi) -> None:
    for policy in ("reader", "service"):
        for method, path in (("POST", "/jobs/create"), ("GET", "/jobs"), ("GET", "/jobs/x"), ("DELETE", "/jobs/x")):
            assert refused(await api.call(method, path, EXPORT, policy=policy))[0] == 401
