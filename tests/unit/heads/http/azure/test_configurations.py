"""Configurations, request by request, as the vendor's Python and Node SDKs make them."""

import json
from typing import Any

import pytest
from tests.fakes.azure_api import PRESS, AzureApi, shown
from tests.fakes.identities import HUB

from ironhub.dialects.azure.configuration_queries import AzureConditions
from ironhub.heads.http.azure.configurations import ConfigurationCalls
from ironhub.heads.http.messages import Response
from ironhub.twins.configurations.applying import Applier
from ironhub.twins.configurations.service import ConfigurationService

SPEED: dict[str, Any] = {
    "id": "speed",
    "schemaVersion": "1.0",
    "content": {"deviceContent": {"properties.desired.settings": {"speed": 3}}},
    "targetCondition": "tags.hall='b'",
    "priority": 10,
}


@pytest.fixture
async def api() -> AzureApi:
    def groups(api: AzureApi) -> list[ConfigurationCalls]:
        service = ConfigurationService(
            api.stores.configurations,
            AzureConditions(),
            Applier(api.twins, api.registry),
            lambda: None,
            api.clock,
            api.entropy,
        )
        return [ConfigurationCalls(service)]

    return AzureApi(groups)


def error_of(response: Response) -> tuple[int, str]:
    """The status and the name of the error."""
    assert "Message" in json.loads(response.body)
    return response.status, dict(response.headers)["iothub-errorcode"]


async def test_a_configuration_is_put_read_and_deleted(api: AzureApi) -> None:
    made = await api.call("PUT", "/configurations/speed", SPEED)
    etag = shown(made)["etag"]
    assert dict(made.headers)["ETag"] == f'"{etag}"'
    assert shown(await api.call("GET", "/configurations/speed")) == shown(made)
    assert shown(await api.call("GET", "/configurations")) == [shown(made)]
    assert error_of(await api.call("PUT", "/configurations/speed", SPEED)) == (409, "ConfigurationAlreadyExists")
    response = await api.call("DELETE", "/configurations/speed")
    assert (response.status, response.body) == (204, b"")
    assert error_of(await api.call("GET", "/configurations/speed")) == (404, "ConfigurationNotFound")


@pytest.mark.parametrize("form", ["{}", '"{}"'])
async def test_an_etag_may_be_raw_or_in_quotes(api: AzureApi, form: str) -> None:
    etag = shown(await api.call("PUT", "/configurations/speed", SPEED))["etag"]
    for wanted in (etag, "*"):
        changed = await api.call("PUT", "/configurations/speed", SPEED, if_match=form.format(wanted))
        assert shown(changed)["etag"] != etag
    stale = await api.call("PUT", "/configurations/speed", SPEED, if_match=form.format(etag))
    assert error_of(stale) == (412, "PreconditionFailed")
    stale = await api.call("DELETE", "/configurations/speed", if_match=form.format(etag))
    assert error_of(stale) == (412, "PreconditionFailed")
    assert (await api.call("DELETE", "/configurations/speed", if_match=form.format("*"))).status == 204


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"id": "other"}, "IotHubFormatError"),
        ({"schemaVersion": "9.9"}, "InvalidSchemaVersion"),
        ({"content": {}}, "InvalidConfigurationContent"),
        ({"content": {"deviceContent": {"tags.x": 1}}}, "InvalidConfigurationContent"),
        ({"targetCondition": "tags."}, "InvalidConfigurationTargetCondition"),
        ({"targetCondition": "FROM devices.modules WHERE tags.a = 1"}, "InvalidConfigurationTargetCondition"),
        ({"metrics": {"queries": {"a": "SELECT"}}}, "InvalidConfigurationCustomMetricsQuery"),
        ({"priority": -1}, "ArgumentInvalid"),
    ],
)
async def test_what_cannot_be_is_refused_by_name(api: AzureApi, change: dict[str, Any], error: str) -> None:
    assert error_of(await api.call("PUT", "/configurations/speed", SPEED | change)) == (400, error)


async def test_no_more_than_a_hundred_fit_and_as_many_as_are_asked_for_are_listed(api: AzureApi) -> None:
    for number in range(100):
        assert (await api.call("PUT", f"/configurations/c{number:02}", {**SPEED, "id": None})).status == 200
    assert error_of(await api.call("PUT", "/configurations/more", {**SPEED, "id": "more"})) == (
        413,
        "ConfigurationCountLimitExceeded",
    )
    for top, count in (("?top=7", 7), ("?top=0", 100), ("?top=x", 100), ("", 100)):
        assert len(shown(await api.call("GET", f"/configurations{top}"))) == count


async def test_content_never_changes(api: AzureApi) -> None:
    await api.call("PUT", "/configurations/speed", SPEED)
    other = SPEED | {"content": {"deviceContent": {"properties.desired.settings": {"speed": 4}}}}
    response = await api.call("PUT", "/configurations/speed", other, if_match="*")
    assert error_of(response) == (400, "CannotModifyImmutableConfigurationContent")


async def test_conditions_are_tried(api: AzureApi) -> None:
    asked = {"targetCondition": "tags.", "customMetricQueries": {"a": "SELECT deviceId FROM devices", "b": "x"}}
    told = shown(await api.call("POST", "/configurations/testQueries", asked))
    assert told["targetConditionError"].startswith("SQL query parse failed")
    assert list(told["customMetricQueryErrors"]) == ["b"]


async def test_content_is_applied_to_one_device(api: AzureApi) -> None:
    await api.create()
    content = SPEED["content"] | {"modulesContent": {"eye": {"properties.desired": {"lens": 1}}}}
    response = await api.call("POST", "/devices/press-7/applyConfigurationContent", content)
    assert (response.status, response.body) == (204, b"")
    twin = await api.stores.twins.get_twin(PRESS)
    assert twin is not None
    assert twin.desired.properties == {"settings": {"speed": 3}}
    eye = shown(await api.call("GET", "/twins/press-7/modules/eye"))
    assert eye["properties"]["desired"]["lens"] == 1
    response = await api.call("POST", "/devices/nobody/applyConfigurationContent", content)
    assert error_of(response) == (404, "DeviceNotFound")


@pytest.mark.parametrize("policy", ["service", "device", "reader"])
async def test_who_may_not_write_the_registry_writes_no_configuration(api: AzureApi, policy: str) -> None:
    calls = [
        ("PUT", "/configurations/speed", SPEED),
        ("DELETE", "/configurations/speed", None),
        ("POST", "/devices/press-7/applyConfigurationContent", SPEED["content"]),
    ]
    if policy != "reader":
        calls += [
            ("GET", "/configurations", None),
            ("GET", "/configurations/speed", None),
            ("POST", "/configurations/testQueries", {}),
        ]
    for method, path, body in calls:
        assert (await api.call(method, path, body, policy=policy)).status == 401
    assert (await api.call("GET", "/configurations", policy=None)).status == 401


async def test_a_token_for_one_device_reaches_no_configuration_and_no_other_device(api: AzureApi) -> None:
    await api.create()
    await api.create("other")
    scoped = api.token(resource=f"{HUB}/devices/press-7")
    for method, path, body in (
        ("GET", "/configurations", None),
        ("PUT", "/configurations/speed", SPEED),
        ("POST", "/devices/other/applyConfigurationContent", SPEED["content"]),
    ):
        assert (await api.call(method, path, body, authorization=scoped)).status == 401
    own = "/devices/press-7/applyConfigurationContent"
    assert (await api.call("POST", own, SPEED["content"], authorization=scoped)).status == 204
