"""The service REST API, request by request, as the vendor's Python and Node SDKs make them."""

import asyncio
import json
import logging
from typing import Any, cast
from urllib.parse import quote

import pytest
from tests.fakes.channel import FakeChannel
from tests.fakes.clock import FakeClock, FakeEntropy
from tests.fakes.identities import HUB, OWNER_KEYS, KnownToTheHub, make_gate, token_for

from ironhub.core.bus import Notice
from ironhub.core.ids import Identity, identity
from ironhub.heads.http.azure.application import AzureHttp
from ironhub.heads.http.azure.commands import CommandCalls
from ironhub.heads.http.azure.identities import IdentityCalls
from ironhub.heads.http.azure.twins import TwinCalls
from ironhub.heads.http.conversation import HttpConversation
from ironhub.heads.http.errors import RequestMalformed
from ironhub.heads.http.messages import Head, Request, Response
from ironhub.identity.model import Right
from ironhub.messaging.commands.model import CommandDraft
from ironhub.messaging.commands.service import CommandService
from ironhub.messaging.methods.model import DeviceNotOnline, MethodAnswer, MethodCall, MethodTimeout
from ironhub.messaging.methods.service import MethodService
from ironhub.messaging.sessions.service import LiveSessions
from ironhub.registry.service import RegistryService
from ironhub.storage.memory.stores import memory_stores
from ironhub.twins.service import TwinService

PRESS = identity("press-7")
NODE_CREATE = {
    "deviceId": "press-7",
    "status": "enabled",
    "authentication": {"type": "sas", "symmetricKey": {"primaryKey": "", "secondaryKey": ""}},
}


class Silence:
    """A bus that nobody listens to."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    def publish(self, notice: Notice) -> None:
        self.notices.append(notice)

    def subscribe(self, handler: Any) -> Any:
        return lambda: None


class FakeMethods:
    """Answers as the test says."""

    def __init__(self) -> None:
        self.calls: list[tuple[Identity, MethodCall]] = []
        self.outcome: MethodAnswer | Exception = MethodAnswer(200, b'{"ok": true}')

    async def invoke(self, grant: Any, call: MethodCall) -> MethodAnswer:
        self.calls.append((grant.identity, call))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


class Api:
    """The API of one hub with policies of each kind."""

    def __init__(self) -> None:
        self.clock, self.methods = FakeClock(), FakeMethods()
        bus, entropy = Silence(), FakeEntropy()
        self.stores = memory_stores(entropy)
        known = KnownToTheHub()
        known.put_policy("owner", *Right)
        known.put_policy("service", Right.SERVICE_CONNECT)
        known.put_policy("reader", Right.REGISTRY_READ)
        self.channel = FakeChannel()
        self.sessions: list[None] = [None] * 3
        registry = RegistryService(self.stores.devices, bus, self.clock, entropy)
        twins = TwinService(self.stores.twins, bus, self.clock)
        commands = CommandService(self.stores.commands, bus, self.clock, entropy)
        self.service = AzureHttp(
            [
                IdentityCalls(registry, cast("LiveSessions", self.sessions)),
                TwinCalls(twins, registry),
                CommandCalls(commands, cast("MethodService", self.methods)),
            ],
            gate=make_gate(known, self.clock),
            clock=self.clock,
            entropy=entropy,
        )

    def token(self, policy: str = "owner", resource: str = HUB) -> str:
        return token_for(resource, clock=self.clock, key=OWNER_KEYS.primary, policy=policy)

    async def call(
        self, method: str, path: str, body: Any = None, *, policy: str | None = "owner", **headers: str
    ) -> Response:
        """Make a request; header names as keyword with "_" for "-"."""
        path, _, query = path.partition("?")
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        if policy is not None:
            sent.setdefault("authorization", self.token(policy))
        data = b"" if body is None else json.dumps(body).encode()
        return await self.service.answer(Request(Head(method, path, query, sent), data, self.channel))

    async def create(self, device: str = "press-7", module: str | None = None) -> Any:
        path = f"/devices/{quote(device, safe='')}" + ("" if module is None else f"/modules/{module}")
        return shown(await self.call("PUT", path, {}))


def shown(response: Response) -> Any:
    assert response.status == 200, response.body
    assert response.content_type == "application/json; charset=utf-8"
    return json.loads(response.body)


def header(response: Response, name: str) -> str | None:
    return next((value for key, value in response.headers if key == name), None)


def refused(response: Response) -> tuple[int, str | None]:
    assert response.content_type == "application/json; charset=utf-8"
    assert json.loads(response.body)["Message"]
    assert header(response, "x-ms-request-id")
    return response.status, header(response, "iothub-errorcode")


@pytest.fixture
def api() -> Api:
    return Api()


async def test_a_device_is_created_as_node_does_it_and_gets_keys(api: Api) -> None:
    response = await api.call("PUT", "/devices/press-7?api-version=2021-04-12", NODE_CREATE)
    device = shown(response)
    assert device["deviceId"] == "press-7"
    assert len(device["authentication"]["symmetricKey"]["primaryKey"]) == 44
    assert header(response, "ETag") == f'"{device["etag"]}"'
    assert header(response, "x-ms-request-id")
    assert header(response, "iothub-errorcode") is None
    assert shown(await api.call("GET", "/devices/press-7")) == device


async def test_an_update_of_node_keeps_the_keys(api: Api) -> None:
    device = await api.create()
    changed = shown(await api.call("PUT", "/devices/press-7", {**NODE_CREATE, "status": "disabled"}, if_match='"*"'))
    assert changed["status"] == "disabled"
    assert changed["authentication"] == device["authentication"]
    assert changed["etag"] != device["etag"]


async def test_an_update_of_the_python_sdk_sends_the_etag_in_quotes(api: Api) -> None:
    device = await api.create()
    good = await api.call("PUT", "/devices/press-7", device, if_match=f'"{device["etag"]}"')
    assert good.status == 200
    stale = await api.call("PUT", "/devices/press-7", device, if_match=f'"{device["etag"]}"')
    assert refused(stale) == (412, "PreconditionFailed")


async def test_a_device_is_created_once(api: Api) -> None:
    await api.create()
    assert refused(await api.call("PUT", "/devices/press-7", NODE_CREATE)) == (409, "DeviceAlreadyExists")


async def test_a_device_is_deleted_with_any_form_of_if_match(api: Api) -> None:
    for headers in ({"if_match": '"*"'}, {"if_match": "*"}, {}, None):
        device = await api.create()
        headers = {"if_match": f'"{device["etag"]}"'} if headers is None else headers
        response = await api.call("DELETE", "/devices/press-7", **headers)
        assert (response.status, response.body) == (204, b"")
        assert header(response, "x-ms-request-id")
    await api.create()
    assert refused(await api.call("DELETE", "/devices/press-7", if_match='"x"')) == (412, "PreconditionFailed")


async def test_an_unknown_device_is_told_so_that_node_understands(api: Api) -> None:
    response = await api.call("GET", "/devices/nobody")
    assert refused(response) == (404, "DeviceNotFound")
    assert json.loads(response.body)["Message"].startswith("ErrorCode:DeviceNotFound;")


async def test_devices_are_listed_bounded_by_top(api: Api) -> None:
    for number in range(3):
        await api.create(f"d{number}")
    ids = [device["deviceId"] for device in shown(await api.call("GET", "/devices/?top=2&api-version=1"))]
    assert ids == ["d0", "d1"]
    for top in ("0", "1001", "-1", "x", "99999", "²"):
        assert len(shown(await api.call("GET", f"/devices?top={quote(top)}"))) == 3
    assert len(shown(await api.call("GET", "/devices"))) == 3


@pytest.mark.parametrize("device", ["a b/c", "ä", "x" * 129, ""])
async def test_an_id_that_cannot_be_is_refused(api: Api, device: str) -> None:
    response = await api.call("PUT", f"/devices/{quote(device, safe='')}", {})
    assert refused(response)[0] in {400, 404, 405}


async def test_ids_are_decoded_once(api: Api) -> None:
    await api.create("a#b?c%2Fd")
    assert shown(await api.call("GET", "/DEVICES/a%23b%3Fc%252Fd/"))["deviceId"] == "a#b?c%2Fd"


async def test_the_id_in_the_body_must_be_the_one_in_the_address(api: Api) -> None:
    assert refused(await api.call("PUT", "/devices/leg-1", NODE_CREATE)) == (400, "IotHubFormatError")


async def test_modules_are_created_read_listed_changed_and_deleted(api: Api) -> None:
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


async def test_statistics_are_numbers(api: Api) -> None:
    await api.create("a")
    await api.create("b")
    await api.call("PUT", "/devices/b", {"status": "disabled"}, if_match="*")
    counts = {"totalDeviceCount": 2, "enabledDeviceCount": 1, "disabledDeviceCount": 1}
    assert shown(await api.call("GET", "/statistics/devices", policy="reader")) == counts
    assert shown(await api.call("GET", "/statistics/service", policy="reader")) == {"connectedDeviceCount": 3}
    assert refused(await api.call("GET", "/statistics/service", policy="service"))[0] == 401


async def test_a_twin_is_read_merged_and_replaced_by_a_service_policy(api: Api) -> None:
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


async def test_a_module_has_a_twin_of_its_own(api: Api) -> None:
    await api.create()
    await api.create(module="arm")
    path = "/twins/press-7/modules/arm"
    shown(await api.call("PATCH", path, {"tags": {"a": 1}}))
    twin = shown(await api.call("GET", path))
    assert (twin["moduleId"], twin["tags"]) == ("arm", {"a": 1})
    assert shown(await api.call("GET", "/twins/press-7"))["tags"] == {}
    assert refused(await api.call("GET", "/twins/nobody")) == (404, "DeviceNotFound")


async def test_a_twin_keeps_its_rules(api: Api) -> None:
    await api.create()
    response = await api.call("PATCH", "/twins/press-7", {"properties": {"desired": {"a.b": 1}}})
    assert refused(response) == (400, "ArgumentInvalid")


async def test_methods_of_devices_and_modules_are_called(api: Api) -> None:
    body = {"methodName": "reboot", "payload": "", "responseTimeoutInSeconds": 10}
    response = await api.call("POST", "/twins/press-7/methods", body, policy="service")
    assert response.body == b'{"status":200,"payload":{"ok": true}}'
    await api.call("POST", "/twins/press-7/modules/arm/methods", body)
    call = MethodCall(name="reboot", payload=b'""', response_timeout=10.0)
    assert api.methods.calls == [(PRESS, call), (identity("press-7", "arm"), call)]


async def test_a_method_that_fails_is_told_in_the_shape_for_methods(api: Api) -> None:
    api.methods.outcome = DeviceNotOnline("not there", waited=2.0)
    response = await api.call("POST", "/twins/press-7/methods", {"methodName": "m"})
    assert refused(response) == (404, "DeviceNotOnline")
    assert json.loads(json.loads(response.body)["Message"])["info"] == {"timeout": "00:00:02"}
    api.methods.outcome = MethodTimeout("slow")
    assert refused(await api.call("POST", "/twins/press-7/methods", {"methodName": "m"})) == (504, "GatewayTimeout")


async def test_commands_are_purged(api: Api) -> None:
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


@pytest.mark.parametrize(
    ("method", "path", "policy"),
    [
        ("GET", "/devices", "service"),
        ("GET", "/devices/press-7", "service"),
        ("PUT", "/devices/press-7", "reader"),
        ("DELETE", "/devices/press-7", "reader"),
        ("PUT", "/devices/press-7/modules/arm", "reader"),
        ("DELETE", "/devices/press-7/modules/arm", "service"),
        ("DELETE", "/devices/press-7/commands", "reader"),
        ("GET", "/twins/press-7", "reader"),
        ("PATCH", "/twins/press-7", "reader"),
        ("PUT", "/twins/press-7", "reader"),
        ("POST", "/twins/press-7/methods", "reader"),
    ],
)
async def test_a_policy_without_the_right_may_not(api: Api, method: str, path: str, policy: str) -> None:
    await api.create()
    assert refused(await api.call(method, path, {}, policy=policy)) == (401, "IotHubUnauthorizedAccess")


async def test_a_token_for_one_device_reaches_no_other_and_no_list(api: Api) -> None:
    await api.create("a")
    await api.create("b")
    token = api.token(resource=f"{HUB}/devices/a")
    assert (await api.call("GET", "/devices/a", authorization=token)).status == 200
    for path in ("/devices/b", "/devices", "/twins/b", "/statistics/devices"):
        assert (await api.call("GET", path, authorization=token)).status == 401


@pytest.mark.parametrize("token", [None, "", "Bearer x.y.z", "SharedAccessSignature sr=x&sig=x&se=1&skn=owner"])
async def test_without_a_good_token_nothing_is_answered_and_the_peer_stays_a_stranger(
    api: Api, token: str | None
) -> None:
    headers = {} if token is None else {"authorization": token}
    assert refused(await api.call("GET", "/devices", policy=None, **headers)) == (401, "IotHubUnauthorized")
    assert not api.channel.is_identified


async def test_a_request_is_admitted_by_its_head_alone(api: Api) -> None:
    async def admit(path: str, token: str) -> Response | None:
        return await api.service.admit(Head("PUT", path, "", {"authorization": token}), api.channel)

    refusal = await admit("/devices/d", "SharedAccessSignature x")
    assert refusal is not None
    assert refused(refusal) == (401, "IotHubUnauthorized")
    refusal = await admit("/nowhere", api.token())
    assert refusal is not None
    assert refused(refusal) == (404, "GenericNotFound")
    assert await admit("/devices/d", api.token()) is None


async def test_who_was_admitted_once_is_no_stranger(api: Api) -> None:
    await api.call("GET", "/devices/nobody")
    assert api.channel.is_identified


async def test_a_wrong_method_is_told_the_right_ones(api: Api) -> None:
    response = await api.call("PATCH", "/devices/press-7")
    assert refused(response) == (405, "GenericMethodNotAllowed")
    assert header(response, "Allow") == "DELETE, GET, PUT"
    assert (await api.call("HEAD", "/devices")).status == 405


@pytest.mark.parametrize("path", ["/", "//devices", "/devices//x", "/jobs/v2/query", "/configurations", "/a/b/c/d/e"])
async def test_other_addresses_are_not_found(api: Api, path: str) -> None:
    assert refused(await api.call("GET", path)) == (404, "GenericNotFound")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"deviceId":1}', b'{"a":NaN}'])
async def test_a_body_that_is_no_good_json_is_refused(api: Api, body: bytes) -> None:
    head = Head("PUT", "/devices/press-7", "", {"authorization": api.token()})
    response = await api.service.answer(Request(head, body, api.channel))
    assert response.status == 400


async def test_a_bug_costs_its_own_request_and_is_found_by_its_tracking_id(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    api.methods.outcome = ZeroDivisionError("secret detail")
    response = await api.call("POST", "/twins/press-7/methods", {"methodName": "m"})
    assert refused(response) == (500, "ServerError")
    assert b"secret detail" not in response.body
    record = next(record for record in caplog.records if record.levelno == logging.ERROR)
    assert record.__dict__["tracking_id"].encode() in response.body


async def test_no_token_is_ever_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await api.call("GET", "/devices/nobody?sig=s3cret", authorization=api.token().replace("sig=", "sig=AAAA"))
    assert len(caplog.records) == 1
    told = str(caplog.records[0].__dict__)
    assert "SharedAccessSignature" not in told
    assert "s3cret" not in told


async def test_what_cannot_be_read_is_refused_in_the_vendors_shape(api: Api) -> None:
    assert refused(api.service.refuse(RequestMalformed("no HTTP"))) == (400, "GenericBadRequest")


async def test_the_bytes_of_the_python_sdk_get_the_bytes_it_understands(api: Api) -> None:
    conversation = HttpConversation(api.channel, api.service, lambda channel: conversation)
    body = json.dumps(NODE_CREATE).encode()
    conversation.receive(
        b"PUT /devices/press-7?api-version=2021-04-12 HTTP/1.1\r\nHost: hub.example\r\n"
        b"User-Agent: python/3.11 msrest/0.7.1\r\nAccept-Encoding: gzip, deflate\r\nAccept: application/json\r\n"
        b"Connection: keep-alive\r\nContent-Type: application/json; charset=utf-8\r\n"
        b"Authorization: %s\r\nContent-Length: %d\r\n\r\n" % (api.token().encode(), len(body)) + body
    )
    async with asyncio.timeout(5):
        while not api.channel.sent.endswith(b"}"):
            await asyncio.sleep(0)
    head, _, answer = api.channel.take().partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    names = [line.partition(":")[0] for line in lines[1:]]
    assert lines[0] == "HTTP/1.1 200 OK"
    assert names == ["Date", "ETag", "x-ms-request-id", "Content-Type", "Content-Length"]
    assert json.loads(answer)["deviceId"] == "press-7"
    conversation.lost()
    await api.service.background.drain(5)


async def test_the_models_of_the_python_sdk_take_what_is_shown(api: Api) -> None:
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
