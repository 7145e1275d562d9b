"""Twins over REST."""

from tests.fakes.azure_api import AzureApi, header, refused, shown


async def test_a_twin_is_read_merged_and_replaced_by_a_service_policy(api: AzureApi) -> None:
    await api.create()
    response = await api.call("GET", "/twins/press-7", policy="service")
    twin = shown(response)
    assert (twin["deviceId"], twin["version"], twin["status"]) == ("press-7", 2, "enabled")
    assert header(response, "ETag") == '"AAAAAAAAAAE="'
    patch = {"tags": {"floor": 1}, "properties": {"desired": {"fan": {"speed": 3}}, "reported": {"x": 1}}}
    response = await api.call("PATCH", "/twins/press-7", patch, policy="service", if_match='"AAAAAAAAAAE="')
    merged = shown(response)
    assert merged["tags"] == {"floor": 1}
    assert merged["properties"]["desired"]["fan"] == {"speed": 3}
    assert "x" not in merged["properties"]["reported"]
    assert header(response, "ETag") == f'"{merged["etag"]}"'
    stale = await api.call("PATCH", "/twins/press-7", patch, if_match='"AAAAAAAAAAE="')
    assert refused(stale) == (412, "PreconditionFailed")
    replaced = shown(await api.call("PUT", "/twins/press-7", {"tags": {"hall": 2}}, if_match='"*"'))
    assert replaced["tags"] == {"hall": 2}
    assert "fan" not in replaced["properties"]["desired"]


async def test_a_module_has_a_twin_of_its_own(api: AzureApi) -> None:
    await api.create()
    await api.create(module="arm")
    path = "/twins/press-7/modules/arm"
    shown(await api.call("PATCH", path, {"tags": {"a": 1}}))
    twin = shown(await api.call("GET", path))
    assert (twin["moduleId"], twin["tags"]) == ("arm", {"a": 1})
    assert shown(await api.call("GET", "/twins/press-7"))["tags"] == {}
    assert refused(await api.call("GET", "/twins/nobody")) == (404, "DeviceNotFound")


async def test_a_twin_keeps_its_rules(api: AzureApi) -> None:
    await api.create()
    response = await api.call("PATCH", "/twins/press-7", {"properties": {"desired": {"a.b": 1}}})
    assert refused(response) == (400, "ArgumentInvalid")
