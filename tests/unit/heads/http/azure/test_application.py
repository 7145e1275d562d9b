"""Who is let in for which call, and how errors are told."""

import asyncio
import json
import logging

import pytest
from tests.fakes.azure_api import HUB, NODE_CREATE, AzureApi, header, refused

from ironhub.heads.http.conversation import HttpConversation
from ironhub.heads.http.errors import RequestMalformed
from ironhub.heads.http.messages import Head, Response


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
