"""The identity registry over REST, as the vendor's Python and Node SDKs use it."""

import json
from urllib.parse import quote

import pytest
from tests.fakes.azure_api import NODE_CREATE, AzureApi, header, refused, shown

from ironhub.heads.http.messages import Head, Request


async def test_a_device_is_created_as_node_does_it_and_gets_keys(api: AzureApi) -> None:
    response = await api.call("PUT", "/devices/press-7?api-version=2021-04-12", NODE_CREATE)
    device = shown(response)
    assert device["deviceId"] == "press-7"
    assert len(device["authentication"]["symmetricKey"]["primaryKey"]) == 44
    assert header(response, "ETag") == f'"{device["etag"]}"'
    assert header(response, "x-ms-request-id")
    assert header(response, "iothub-errorcode") is None
    assert shown(await api.call("GET", "/devices/press-7")) == device


async def test_an_update_of_node_keeps_the_keys(api: AzureApi) -> None:
    device = await api.create()
    changed = shown(await api.call("PUT", "/devices/press-7", {**NODE_CREATE, "status": "disabled"}, if_match='"*"'))
    assert changed["status"] == "disabled"
    assert changed["authentication"] == device["authentication"]
    assert changed["etag"] != device["etag"]


async def test_an_update_of_the_python_sdk_sends_the_etag_in_quotes(api: AzureApi) -> None:
    device = await api.create()
    good = await api.call("PUT", "/devices/press-7", device, if_match=f'"{device["etag"]}"')
    assert good.status == 200
    stale = await api.call("PUT", "/devices/press-7", device, if_match=f'"{device["etag"]}"')
    assert refused(stale) == (412, "PreconditionFailed")


async def test_a_device_is_created_once(api: AzureApi) -> None:
    await api.create()
    assert refused(await api.call("PUT", "/devices/press-7", NODE_CREATE)) == (409, "DeviceAlreadyExists")


async def test_a_device_is_deleted_with_any_form_of_if_match(api: AzureApi) -> None:
    for headers in ({"if_match": '"*"'}, {"if_match": "*"}, {}, None):
        device = await api.create()
        headers = {"if_match": f'"{device["etag"]}"'} if headers is None else headers
        response = await api.call("DELETE", "/devices/press-7", **headers)
        assert (response.status, response.body) == (204, b"")
        assert header(response, "x-ms-request-id")
    await api.create()
    assert refused(await api.call("DELETE", "/devices/press-7", if_match='"x"')) == (412, "PreconditionFailed")


async def test_an_unknown_device_is_told_so_that_node_understands(api: AzureApi) -> None:
    response = await api.call("GET", "/devices/nobody")
    assert refused(response) == (404, "DeviceNotFound")
    assert json.loads(response.body)["Message"].startswith("ErrorCode:DeviceNotFound;")


async def test_devices_are_listed_bounded_by_top(api: AzureApi) -> None:
    for number in range(3):
        await api.create(f"d{number}")
    ids = [device["deviceId"] for device in shown(await api.call("GET", "/devices/?top=2&api-version=1"))]
    assert ids == ["d0", "d1"]
    for top in ("0", "1001", "-1", "x", "99999", "²"):
        assert len(shown(await api.call("GET", f"/devices?top={quote(top)}"))) == 3
    assert len(shown(await api.call("GET", "/devices"))) == 3


@pytest.mark.parametrize("device", ["a b/c", "ä", "x" * 129, ""])
async def test_an_id_that_cannot_be_is_refused(api: AzureApi, device: str) -> None:
    response = await api.call("PUT", f"/devices/{quote(device, safe='')}", {})
    assert refused(response)[0] in {400, 404, 405}


async def test_ids_are_decoded_once(api: AzureApi) -> None:
    await api.create("a#b?c%2Fd")
    assert shown(await api.call("GET", "/DEVICES/a%23b%3Fc%252Fd/"))["deviceId"] == "a#b?c%2Fd"


async def test_the_id_in_the_body_must_be_the_one_in_the_address(api: AzureApi) -> None:
    assert refused(await api.call("PUT", "/devices/leg-1", NODE_CREATE)) == (400, "IotHubFormatError")


async def test_modules_are_created_read_listed_changed_and_deleted(api: AzureApi) -> None:
    path = "/devices/press-7/modules/arm"
    assert refused(await api.call("PUT", path, {})) == (404, "DeviceNotFound")
    await api.create()
    assert refused(await api.call("GET", path)) == (404, "ModuleNotFound")
    body = {"deviceId": "press-7", "moduleId": "arm", "managedBy": "me", "authentication": {"type": "none"}}
    response = await api.call("PUT", path, body)
    module = shown(response)
    assert (module["moduleId"], module["managedBy"]) == ("arm", "me")
    assert header(response, "ETag") == f'"{module["etag"]}"'
    assert refused(await api.call("PUT", path, body)) == (409, "ModuleAlreadyExistsOnDevice")
    assert shown(await api.call("GET", path)) == module
    assert shown(await api.call("GET", "/devices/press-7/modules")) == [module]
    changed = shown(await api.call("PUT", path, {**body, "managedBy": "you"}, if_match=f'"{module["etag"]}"'))
    assert changed["managedBy"] == "you"
    assert (await api.call("DELETE", path, if_match="*")).status == 204
    assert refused(await api.call("DELETE", path)) == (404, "ModuleNotFound")


async def test_statistics_are_numbers(api: AzureApi) -> None:
    await api.create("a")
    await api.create("b")
    await api.call("PUT", "/devices/b", {"status": "disabled"}, if_match="*")
    counts = {"totalDeviceCount": 2, "enabledDeviceCount": 1, "disabledDeviceCount": 1}
    assert shown(await api.call("GET", "/statistics/devices", policy="reader")) == counts
    assert shown(await api.call("GET", "/statistics/service", policy="reader")) == {"connectedDeviceCount": 3}
    assert refused(await api.call("GET", "/statistics/service", policy="service"))[0] == 401


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"deviceId":1}', b'{"a":NaN}'])
async def test_a_body_that_is_no_good_json_is_refused(api: AzureApi, body: bytes) -> None:
    head = Head("PUT", "/devices/press-7", "", {"authorization": api.token()})
    response = await api.service.answer(Request(head, body, api.channel))
    assert response.status == 400


async def test_the_models_of_the_python_sdk_take_what_is_shown(api: AzureApi) -> None:
    from azure.iot.hub.protocol import models
    from msrest import Deserializer

    device = await api.create()
    module = await api.create(module="arm")
    shown(await api.call("PATCH", "/twins/press-7", {"properties": {"desired": {"a": 1}}}))
    twin = shown(await api.call("GET", "/twins/press-7"))
    kinds = {name: kind for name, kind in models.__dict__.items() if isinstance(kind, type)}
    read = Deserializer(kinds)  # type: ignore[no-untyped-call]  # msrest has no types
    for name, given in (("Device", device), ("Module", module), ("Twin", twin)):
        model = read(name, given)
        assert (model.device_id, model.etag) == ("press-7", given["etag"])
        assert model.additional_properties.keys() <= {"deviceEtag", "modelId", "parentScopes", "deviceScope"}
