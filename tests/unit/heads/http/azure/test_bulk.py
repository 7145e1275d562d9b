"""The calls of heads/http/azure/bulk.py, as the vendor's SDKs make them."""

import json
from typing import Any

import pytest
from tests.fakes.azure_api import AzureApi, refused, shown

from ironhub.heads.http.azure.bulk import BulkCalls
from ironhub.heads.http.azure.calls import CallGroup
from ironhub.provisioning.bulk.service import BulkService


def groups(api: AzureApi) -> list[CallGroup]:
    hub = api.hub
    return [BulkCalls(BulkService(hub.stores.bulk, hub.bus, hub.clock, hub.entropy))]


@pytest.fixture
async def api() -> AzureApi:
    """A hub with bulk calls."""
    return AzureApi(groups)


def rows(*ids: str, mode: str = "create") -> list[dict[str, Any]]:
    return [{"id": each, "importMode": mode} for each in ids]


async def test_success_and_failure_have_the_same_body(api: AzureApi) -> None:
    made = await api.call("POST", "/devices?api-version=2021-04-12", rows("a", "b"))
    assert (made.status, json.loads(made.body)) == (200, {"isSuccessful": True, "errors": [], "warnings": []})
    again = await api.call("POST", "/devices", rows("b", "c"))
    body = json.loads(again.body)
    assert (again.status, body["isSuccessful"]) == (400, False)
    assert [(each["deviceId"], each["errorCode"]) for each in body["errors"]] == [("b", "DeviceAlreadyExists")]


async def test_a_call_that_cannot_be_meant_changes_nothing(api: AzureApi) -> None:
    assert refused(await api.call("POST", "/devices", rows("a", "a"))) == (400, "DeviceDefinedMultipleTimes")
    many = rows(*(f"d{number}" for number in range(101)))
    assert refused(await api.call("POST", "/devices", many)) == (400, "ArgumentInvalid")
    assert refused(await api.call("POST", "/devices", {"id": "a"})) == (400, "ArgumentInvalid")
    assert await api.hub.stores.devices.count_devices() == (0, 0)


async def test_who_may_only_read_or_only_one_device_changes_none(api: AzureApi) -> None:
    for path, body in (("/devices", rows("a")), ("/devices/keys/regenerate", {"policyKey": "primary", "devices": []})):
        for policy in ("reader", "service"):
            assert refused(await api.call("POST", path, body, policy=policy))[0] == 401
    assert await api.hub.stores.devices.count_devices() == (0, 0)


async def test_keys_are_made_anew(api: AzureApi) -> None:
    await api.call("POST", "/devices", rows("a"))
    wanted = {"policyKey": "primaryKey", "devices": [{"id": "a"}, {"id": "nobody"}]}
    some = await api.call("POST", "/devices/keys/regenerate", wanted)
    body = json.loads(some.body)
    assert (some.status, len(body["rotatedKeys"]), len(body["errors"])) == (207, 1, 1)
    all_good = await api.call("POST", "/devices/keys/regenerate", {**wanted, "devices": [{"id": "a"}]})
    key = shown(all_good)["rotatedKeys"][0]["primaryKey"]
    assert key != body["rotatedKeys"][0]["primaryKey"]
    none = await api.call("POST", "/devices/keys/regenerate", {**wanted, "devices": [{"id": "nobody"}]})
    assert none.status == 400
