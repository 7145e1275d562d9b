"""Who is let in for which call, and how errors are told."""

import asyncio
import json
import logging

import pytest
from tests.fakes.azure_api import ARM, HUB, NODE_CREATE, PRESS, AzureApi, header, refused
from tests.fakes.pki import self_signed

from ironhub.core.errors import HubError
from ironhub.core.ids import identity
from ironhub.heads.http.azure.calls import Call, Door, Route
from ironhub.heads.http.conversation import HttpConversation
from ironhub.heads.http.errors import RequestMalformed
from ironhub.heads.http.messages import Head, Response
from ironhub.identity.model import AuthenticationFailed, LinkPrincipal, LinkRight


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
async def test_a_policy_without_the_right_may_not(api: AzureApi, method: str, path: str, policy: str) -> None:
    await api.create()
    assert refused(await api.call(method, path, {}, policy=policy)) == (401, "IotHubUnauthorizedAccess")


async def test_a_token_for_one_device_reaches_no_other_and_no_list(api: AzureApi) -> None:
    await api.create("a")
    await api.create("b")
    token = api.token(resource=f"{HUB}/devices/a")
    assert (await api.call("GET", "/devices/a", authorization=token)).status == 200
    for path in ("/devices/b", "/devices", "/twins/b", "/statistics/devices"):
        assert (await api.call("GET", path, authorization=token)).status == 401


@pytest.mark.parametrize("token", [None, "", "Bearer x.y.z", "SharedAccessSignature sr=x&sig=x&se=1&skn=owner"])
async def test_without_a_good_token_nothing_is_answered_and_the_peer_stays_a_stranger(
    api: AzureApi, token: str | None
) -> None:
    headers = {} if token is None else {"authorization": token}
    assert refused(await api.call("GET", "/devices", policy=None, **headers)) == (401, "IotHubUnauthorized")
    assert not api.channel.is_identified


async def test_a_request_is_admitted_by_its_head_alone(api: AzureApi) -> None:
    async def admit(path: str, token: str) -> Response | None:
        return await api.service.admit(Head("PUT", path, "", {"authorization": token}), api.channel)

    refusal = await admit("/devices/d", "SharedAccessSignature x")
    assert refusal is not None
    assert refused(refusal) == (401, "IotHubUnauthorized")
    refusal = await admit("/nowhere", api.token())
    assert refusal is not None
    assert refused(refusal) == (404, "GenericNotFound")
    assert await admit("/devices/d", api.token()) is None


async def test_who_was_admitted_once_is_no_stranger(api: AzureApi) -> None:
    await api.call("GET", "/devices/nobody")
    assert api.channel.is_identified


async def test_a_wrong_method_is_told_the_right_ones(api: AzureApi) -> None:
    response = await api.call("PATCH", "/devices/press-7")
    assert refused(response) == (405, "GenericMethodNotAllowed")
    assert header(response, "Allow") == "DELETE, GET, PUT"
    assert (await api.call("HEAD", "/devices")).status == 405


@pytest.mark.parametrize("path", ["/", "//devices", "/devices//x", "/jobs/v2/query", "/configurations", "/a/b/c/d/e"])
async def test_other_addresses_are_not_found(api: AzureApi, path: str) -> None:
    assert refused(await api.call("GET", path)) == (404, "GenericNotFound")


async def test_a_bug_costs_its_own_request_and_is_found_by_its_tracking_id(
    api: AzureApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.methods.outcome = ZeroDivisionError("secret detail")
    response = await api.call("POST", "/twins/press-7/methods", {"methodName": "m"})
    assert refused(response) == (500, "ServerError")
    assert b"secret detail" not in response.body
    record = next(record for record in caplog.records if record.levelno == logging.ERROR)
    assert record.__dict__["tracking_id"].encode() in response.body


async def test_no_token_is_ever_logged(api: AzureApi, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await api.call("GET", "/devices/nobody?sig=s3cret", authorization=api.token().replace("sig=", "sig=AAAA"))
    assert len(caplog.records) == 1
    told = str(caplog.records[0].__dict__)
    assert "SharedAccessSignature" not in told
    assert "s3cret" not in told


async def test_what_cannot_be_read_is_refused_in_the_vendors_shape(api: AzureApi) -> None:
    assert refused(api.service.refuse(RequestMalformed("no HTTP"))) == (400, "GenericBadRequest")


async def test_the_bytes_of_the_python_sdk_get_the_bytes_it_understands(api: AzureApi) -> None:
    conversation = HttpConversation(api.channel, api.service, {})
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


EVENTS = "/devices/press-7/messages/events"
ARM_EVENTS = "/devices/press-7/modules/arm/messages/events"


async def with_module(api: AzureApi) -> None:
    await api.create()
    await api.create(module="arm")
    await api.create("other")
    api.channel.is_identified = False


async def test_a_device_comes_in_by_its_own_token_under_each_name_of_the_hub(api: AzureApi) -> None:
    await with_module(api)
    for host in (HUB, f"{HUB}:443", HUB.upper(), "localhost:8443"):
        assert (await api.call_as(PRESS, "POST", EVENTS, host=host)).status == 204
    assert api.channel.is_identified


@pytest.mark.parametrize("host", ["", "elsewhere.example", f"x.{HUB}", f"{HUB}.example", "10.0.0.1"])
async def test_who_asks_for_another_host_is_not_let_in(api: AzureApi, host: str) -> None:
    await with_module(api)
    assert refused(await api.call_as(PRESS, "POST", EVENTS, host=host)) == (401, "IotHubUnauthorized")
    assert not api.channel.is_identified


@pytest.mark.parametrize(
    ("signer", "path"),
    [
        ("other", EVENTS),
        ("other", ARM_EVENTS),
        ("press-7", ARM_EVENTS),
        ("press-7/arm", EVENTS),
        ("press-7/arm", "/devices/other/messages/events"),
        ("press-7", "/devices/PRESS-7/messages/events"),
        ("press-7", "/devices/nobody/messages/events"),
        ("press-7", "/devices/press-7/modules/none/messages/events"),
    ],
)
async def test_a_token_lets_nobody_in_but_its_own_device_or_module(api: AzureApi, signer: str, path: str) -> None:
    await with_module(api)
    who = identity(*signer.split("/"))
    assert refused(await api.call_as(who, "POST", path)) == (401, "IotHubUnauthorized")
    for victim in (PRESS, ARM):  # signed by the wrong key for the right name
        token = await api.device_token(who, signed_for=victim)
        if victim != who:
            response = await api.send("POST", path, authorization=token)
            assert refused(response) == (401, "IotHubUnauthorized")
    assert await api.stored() == []


async def test_a_policy_that_lets_devices_connect_may_stand_for_them_and_no_other_policy_may(api: AzureApi) -> None:
    await with_module(api)
    assert (await api.call("POST", EVENTS, policy="device")).status == 204
    scoped = api.token("device", f"{HUB}/devices/press-7")
    assert (await api.call("POST", ARM_EVENTS, authorization=scoped)).status == 204
    assert refused(await api.call("POST", "/devices/other/messages/events", authorization=scoped))[0] == 401
    for policy in ("service", "reader"):
        assert refused(await api.call("POST", EVENTS, policy=policy)) == (401, "IotHubUnauthorized")


async def test_a_devices_token_opens_no_back_ends_door(api: AzureApi) -> None:
    await with_module(api)
    for method, path in (("GET", "/devices/press-7"), ("GET", "/twins/press-7"), ("POST", "/twins/press-7/methods")):
        response = await api.call_as(PRESS, method, path, b'{"methodName":"m"}')
        assert refused(response) == (401, "IotHubUnauthorized")


async def test_a_device_shows_its_certificate_instead_of_a_token(api: AzureApi) -> None:
    certificate, stranger = self_signed("press-7"), self_signed("press-7")
    x509 = {"primaryThumbprint": certificate.sha256_thumbprint, "secondaryThumbprint": None}
    body = {"authentication": {"type": "selfSigned", "x509Thumbprint": x509}}
    assert (await api.call("PUT", "/devices/press-7", body)).status == 200
    assert refused(await api.send("POST", EVENTS)) == (401, "IotHubUnauthorized")
    api.channel.peer_chain = (stranger.der,)
    assert refused(await api.send("POST", EVENTS)) == (401, "IotHubUnauthorized")
    api.channel.peer_chain = (certificate.der,)
    assert (await api.send("POST", EVENTS)).status == 204
    assert refused(await api.send("POST", ARM_EVENTS)) == (401, "IotHubUnauthorized")
    (event,) = await api.stored()
    assert '"type":"x509"' in event.annotations["iothub-connection-auth-method"]


async def test_a_certificate_does_not_help_a_token_that_is_no_good(api: AzureApi) -> None:
    certificate = self_signed("press-7")
    x509 = {"primaryThumbprint": certificate.sha256_thumbprint, "secondaryThumbprint": None}
    await api.call("PUT", "/devices/press-7", {"authentication": {"type": "selfSigned", "x509Thumbprint": x509}})
    api.channel.peer_chain = (certificate.der,)
    for token in ("", "x", api.token("service")):
        assert refused(await api.send("POST", EVENTS, authorization=token)) == (401, "IotHubUnauthorized")


async def test_each_request_on_a_connection_is_admitted_anew(api: AzureApi) -> None:
    await with_module(api)
    token = await api.device_token(PRESS)
    assert (await api.send("POST", EVENTS, authorization=token)).status == 204
    await api.call("PUT", "/devices/press-7", {"status": "disabled"}, if_match="*")
    assert refused(await api.send("POST", EVENTS, authorization=token)) == (401, "IotHubUnauthorized")
    assert refused(await api.call_as(ARM, "POST", ARM_EVENTS)) == (401, "IotHubUnauthorized")
    await api.call("PUT", "/devices/press-7", {"status": "enabled"}, if_match="*")
    assert (await api.send("POST", EVENTS, authorization=token)).status == 204
    api.clock.advance(3600 + 301)
    assert refused(await api.send("POST", EVENTS, authorization=token)) == (401, "IotHubUnauthorized")


async def test_a_device_is_admitted_by_its_head_alone(api: AzureApi) -> None:
    await with_module(api)
    token = await api.device_token(PRESS)
    good = Head("POST", EVENTS, "", {"authorization": token, "host": HUB})
    assert await api.service.admit(good, api.channel) is None
    refusal = await api.service.admit(Head("POST", EVENTS, "", {"host": HUB}), api.channel)
    assert refusal is not None
    assert refusal.status == 401


class Files:
    """Calls behind a link, and the door in front of them."""

    def __init__(self) -> None:
        self.callers: list[object] = []

    def routes(self) -> list[Route]:
        return [Route("PUT", "/{container}/{blob*}", self.put, Door.LINK, stream_limit=99)]

    async def put(self, call: Call) -> Response:
        self.callers.append(call.principal)
        return Response(201)

    def admit(self, head: Head, values: dict[str, str]) -> LinkPrincipal:
        if head.query != "sig=good":
            raise AuthenticationFailed("no good link")
        return LinkPrincipal(values["container"], values["blob"], frozenset(LinkRight), 1e12)

    def refuse(self, error: HubError, head: Head, request_id: str) -> Response:
        return Response(403, f"<Error>{error.code}</Error>".encode(), content_type="application/xml")


async def test_who_shows_a_link_comes_in_by_its_own_door_and_is_refused_in_its_own_words() -> None:
    files = Files()
    api = AzureApi(lambda _: [files], links=files)
    assert (await api.send("PUT", "/box/a/b?sig=good")).status == 201
    assert files.callers == [LinkPrincipal("box", "a/b", frozenset(LinkRight), 1e12)]
    for token in ("", api.token()):
        refusal = await api.send("PUT", "/box/a/b?sig=bad", authorization=token)
        assert (refusal.status, refusal.body) == (403, b"<Error>identity.unauthorized</Error>")
        assert header(refusal, "x-ms-request-id")
    assert len(files.callers) == 1


async def test_a_body_is_taken_as_it_comes_where_the_route_says_so() -> None:
    files = Files()
    api = AzureApi(lambda _: [files], links=files)
    assert api.service.stream_limit(Head("PUT", "/box/a", "", {})) == 99
    for method, path in (("PUT", "/devices/d"), ("POST", "/box/a"), ("PUT", "/"), ("PUT", "//x")):
        assert api.service.stream_limit(Head(method, path, "", {})) is None
