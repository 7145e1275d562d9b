"""Command queues and direct methods over REST, for back ends and for modules."""

import json

import pytest
from tests.fakes.azure_api import ARM, PRESS, AzureApi, refused, shown

from ironhub.core.ids import identity
from ironhub.heads.http.messages import Response
from ironhub.messaging.commands.model import CommandDraft
from ironhub.messaging.methods.model import DeviceNotOnline, MethodCall, MethodTimeout


async def test_methods_of_devices_and_modules_are_called(api: AzureApi) -> None:
    body = {"methodName": "reboot", "payload": "", "responseTimeoutInSeconds": 10}
    response = await api.call("POST", "/twins/press-7/methods", body, policy="service")
    assert response.body == b'{"status":200,"payload":{"ok": true}}'
    await api.call("POST", "/twins/press-7/modules/arm/methods", body)
    call = MethodCall(name="reboot", payload=b'""', response_timeout=10.0)
    assert api.methods.calls == [(PRESS, call), (identity("press-7", "arm"), call)]


async def test_a_method_that_fails_is_told_in_the_shape_for_methods(api: AzureApi) -> None:
    api.methods.outcome = DeviceNotOnline("not there", waited=2.0)
    response = await api.call("POST", "/twins/press-7/methods", {"methodName": "m"})
    assert refused(response) == (404, "DeviceNotOnline")
    assert json.loads(json.loads(response.body)["Message"])["info"] == {"timeout": "00:00:02"}
    api.methods.outcome = MethodTimeout("slow")
    assert refused(await api.call("POST", "/twins/press-7/methods", {"methodName": "m"})) == (504, "GatewayTimeout")


async def test_commands_are_purged(api: AzureApi) -> None:
    await api.create()
    for number in range(2):
        await api.stores.commands.add_command(
            PRESS, CommandDraft(body=b""), message_id=str(number), now=0.0, expires_at=1.0, max_pending=9
        )
    assert shown(await api.call("GET", "/devices/press-7"))["cloudToDeviceMessageCount"] == 2
    answer = {"totalMessagesPurged": 2, "deviceId": "press-7", "moduleId": None}
    assert shown(await api.call("DELETE", "/devices/press-7/commands", policy="service")) == answer
    await api.create(module="arm")
    answer = {"totalMessagesPurged": 0, "deviceId": "press-7", "moduleId": "arm"}
    assert shown(await api.call("DELETE", "/devices/press-7/modules/arm/commands")) == answer


CALL = b'{"methodName":"look","payload":{"a":1}}'


async def family(api: AzureApi) -> None:
    """An edge device with a module, a device below it, and others that are not."""
    scope = "ms-azure-iot-edge://edge-{}-63".format
    for number in (1, 2):
        edge = {"capabilities": {"iotEdge": True}, "deviceScope": scope(number)}
        assert (await api.call("PUT", f"/devices/edge-{number}", edge)).status == 200
    assert (await api.call("PUT", "/devices/leaf", {"deviceScope": scope(1)})).status == 200
    for device, module in (("edge-1", "router"), ("leaf", "eye"), ("edge-2", "router")):
        await api.create(device, module)
    await api.create()
    await api.create(module="arm")
    await api.create(module="eye")


async def invoke(api: AzureApi, caller: str, path: str) -> Response:
    """Call a method as the module that `caller` names."""
    who = identity(*caller.split("/"))
    return await api.call_as(who, "POST", f"/twins/{path}/methods", CALL, x_ms_edge_moduleId=caller)


@pytest.mark.parametrize(
    ("caller", "path"),
    [
        ("press-7/arm", "press-7"),
        ("press-7/arm", "press-7/modules/eye"),
        ("press-7/arm", "press-7/modules/arm"),
        ("edge-1/router", "leaf"),
        ("edge-1/router", "leaf/modules/eye"),
    ],
)
async def test_a_module_calls_its_device_its_siblings_and_what_is_below_its_edge_device(
    api: AzureApi, caller: str, path: str
) -> None:
    await family(api)
    response = await invoke(api, caller, path)
    assert response.body == b'{"status":200,"payload":{"ok": true}}'
    target = identity(*path.split("/modules/"))
    assert api.methods.calls == [(target, MethodCall(name="look", payload=b'{"a":1}'))]


@pytest.mark.parametrize(
    ("caller", "path"),
    [
        ("press-7/arm", "leaf"),
        ("press-7/arm", "edge-1"),
        ("press-7/arm", "nobody"),
        ("edge-1/router", "press-7"),
        ("edge-1/router", "edge-2"),
        ("edge-1/router", "edge-2/modules/router"),
        ("edge-2/router", "leaf"),
        ("leaf/eye", "edge-1"),
        ("leaf/eye", "edge-1/modules/router"),
    ],
)
async def test_a_module_calls_nobody_else(api: AzureApi, caller: str, path: str) -> None:
    await family(api)
    assert refused(await invoke(api, caller, path)) == (401, "IotHubUnauthorizedAccess")
    assert api.methods.calls == []


async def test_a_module_that_is_none_calls_nobody(api: AzureApi) -> None:
    await family(api)
    path = "/twins/press-7/methods"
    for caller, status in (("press-7", 400), ("press-7/", 400), ("press-7/none", 401), ("edge-1/router", 401)):
        response = await api.call_as(ARM, "POST", path, CALL, x_ms_edge_moduleId=caller)
        assert response.status == status
    assert refused(await api.call_as(ARM, "POST", path, CALL)) == (401, "IotHubUnauthorized")
    device = await api.call_as(PRESS, "POST", path, CALL, x_ms_edge_moduleId="press-7/arm")
    assert refused(device) == (401, "IotHubUnauthorized")
    assert api.methods.calls == []


async def test_a_back_end_that_says_it_is_a_module_is_held_to_that(api: AzureApi) -> None:
    await family(api)
    named = {"x_ms_edge_moduleId": "press-7/arm"}
    body = {"methodName": "look"}
    assert refused(await api.call("POST", "/twins/press-7/methods", body, policy="service", **named))[0] == 401
    assert (await api.call("POST", "/twins/press-7/methods", body, policy="device", **named)).status == 200
    assert refused(await api.call("POST", "/twins/leaf/methods", body, policy="owner", **named))[0] == 401
    assert (await api.call("POST", "/twins/leaf/methods", body, policy="owner")).status == 200


async def test_a_module_purges_nothing(api: AzureApi) -> None:
    await family(api)
    response = await api.call_as(ARM, "DELETE", "/devices/press-7/commands", x_ms_edge_moduleId="press-7/arm")
    assert refused(response) == (401, "IotHubUnauthorized")
