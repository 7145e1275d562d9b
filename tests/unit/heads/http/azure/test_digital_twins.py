"""Digital twins, request by request, as the vendor's Python and Node SDKs make them."""

import json
from typing import Any, cast

import pytest
from tests.fakes.azure_api import PRESS, AzureApi, shown
from tests.fakes.identities import HUB

from ironhub.core.facts import Fact, FactKind
from ironhub.heads.http.azure.digital_twins import DigitalTwinCalls
from ironhub.heads.http.messages import Response
from ironhub.messaging.methods.model import DeviceNotOnline, MethodAnswer, MethodCall, MethodTimeout
from ironhub.messaging.methods.service import MethodService

TWIN = "/digitaltwins/press-7"


@pytest.fixture
async def api() -> AzureApi:
    def groups(api: AzureApi) -> list[DigitalTwinCalls]:
        return [DigitalTwinCalls(api.twins, api.registry, cast("MethodService", api.methods))]

    api = AzureApi(groups)
    await api.create()
    return api


def error_of(response: Response) -> tuple[int, str]:
    """The status and the name of the error."""
    return response.status, dict(response.headers)["iothub-errorcode"]


async def patched(api: AzureApi, *operations: dict[str, Any], **headers: str) -> Response:
    """Send a patch."""
    return await api.call("PATCH", TWIN, list(operations), **headers)


async def test_a_twin_is_shown_with_the_model_that_its_device_announced(api: AzureApi) -> None:
    at = api.clock.now()
    await api.stores.devices.record_presence([Fact(FactKind.CONNECTED, PRESS, at, {"model_id": "dtmi:acme:Press;1"})])
    response = await api.call("GET", TWIN)
    assert shown(response) == {"$dtId": "press-7", "$metadata": {"$model": "dtmi:acme:Press;1"}}
    assert dict(response.headers)["ETag"] == '"AAAAAAAAAAE="'
    assert error_of(await api.call("GET", "/digitaltwins/nobody")) == (404, "DeviceNotFound")


async def test_a_patch_is_accepted_with_the_new_etag(api: AzureApi) -> None:
    response = await patched(api, {"op": "add", "path": "/speed", "value": 3}, if_match='"AAAAAAAAAAE="')
    assert (response.status, response.body) == (202, b"")
    headers = dict(response.headers)
    assert (headers["ETag"], headers["Location"]) == ('"AAAAAAAAAAI="', TWIN)
    twin = await api.stores.twins.get_twin(PRESS)
    assert twin is not None
    assert twin.desired.properties == {"speed": 3}
    stale = await patched(api, {"op": "add", "path": "/speed", "value": 4}, if_match="AAAAAAAAAAE=")
    assert error_of(stale) == (412, "PreconditionFailed")
    assert (await patched(api, if_match="*")).status == 202


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        ({"op": "copy", "path": "/a", "from": "/b"}, "InvalidDigitalTwinJsonPatch"),
        ({"op": "add", "path": "/a", "value": None}, "InvalidDigitalTwinPayload"),
        ({"op": "replace", "path": "/a", "value": 1}, "InvalidDigitalTwinPatch"),
        ({"op": "add", "path": "/$dtId", "value": 1}, "InvalidDigitalTwinPatchPath"),
        ({"op": "add", "path": "/a b", "value": 1}, "InvalidPnPDesiredProperties"),
        ({"op": "add", "path": "/a", "value": 2**60}, "InvalidPnPDesiredProperties"),
    ],
)
async def test_a_patch_that_cannot_be_is_refused_by_name(api: AzureApi, operation: dict[str, Any], error: str) -> None:
    assert error_of(await patched(api, operation)) == (400, error)
    assert error_of(await api.call("PATCH", TWIN, {"a": 1})) == (400, "InvalidDigitalTwinJsonPatch")


@pytest.mark.parametrize(
    ("path", "name"), [("/commands/reboot", "reboot"), ("/components/press/commands/reboot", "press*reboot")]
)
@pytest.mark.parametrize("payload", [{"delay": 3}, "text", 0, [1], False])
async def test_a_command_is_a_method_and_its_status_stands_in_a_header(
    api: AzureApi, path: str, name: str, payload: Any
) -> None:
    api.methods.outcome = MethodAnswer(207, b'"done"')
    query = "?api-version=2021-04-12&connectTimeoutInSeconds=5&responseTimeoutInSeconds=7"
    response = await api.call("POST", TWIN + path + query, payload)
    assert shown(response) == "done"
    assert dict(response.headers)["x-ms-command-statuscode"] == "207"
    (who, call) = api.methods.calls[0]
    assert who == PRESS
    assert (call.name, json.loads(call.payload), call.connect_timeout, call.response_timeout) == (name, payload, 5, 7)


async def test_a_command_without_a_body_or_time_outs_has_those_of_a_method(api: AzureApi) -> None:
    await api.call("POST", f"{TWIN}/commands/reboot")
    assert api.methods.calls == [(PRESS, MethodCall(name="reboot"))]


async def test_a_command_that_cannot_be_says_why(api: AzureApi) -> None:
    for query in ("connectTimeoutInSeconds=x", "responseTimeoutInSeconds=-1", "responseTimeoutInSeconds=9999999"):
        assert error_of(await api.call("POST", f"{TWIN}/commands/reboot?{query}")) == (400, "ArgumentInvalid")
    response = await api.send("POST", f"{TWIN}/commands/reboot", b"{", authorization=api.token())
    assert error_of(response) == (400, "DeserializationError")
    for outcome, error in (
        (DeviceNotOnline("Timed out waiting for device to connect."), (404, "DeviceNotOnline")),
        (MethodTimeout("Timed out."), (504, "GatewayTimeout")),
    ):
        api.methods.outcome = outcome
        assert error_of(await api.call("POST", f"{TWIN}/commands/reboot")) == error


@pytest.mark.parametrize("policy", ["reader", "device"])
async def test_only_services_get_to_digital_twins(api: AzureApi, policy: str) -> None:
    for method, path in (("GET", ""), ("PATCH", ""), ("POST", "/commands/a"), ("POST", "/components/c/commands/a")):
        assert (await api.call(method, TWIN + path, [], policy=policy)).status == 401
    assert api.methods.calls == []
    for device, status in (("other", 401), ("press-7", 200)):
        scoped = api.token("service", resource=f"{HUB}/devices/{device}")
        assert (await api.call("GET", TWIN, authorization=scoped)).status == status
