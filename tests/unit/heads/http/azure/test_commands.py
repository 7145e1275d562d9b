"""Command queues and direct methods over REST, for back ends and for modules."""

import json

from tests.fakes.azure_api import PRESS, AzureApi, refused, shown

from ironhub.core.ids import identity
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
