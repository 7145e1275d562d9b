"""The REST API without a credential, with a lesser one, and with requests that two readers could read differently."""

import base64
import json
from typing import Final

import pytest
from tests.abuse.test_tokens import ATTACKS as TOKEN_ATTACKS
from tests.abuse.test_tokens import Cast
from tests.abuse.test_tokens import cast as cast
from tests.fakes.bystander import new_device
from tests.fakes.raw_device import (
    MARK,
    HttpAnswer,
    TlsStream,
    ask,
    http_request,
    policy_token,
    read_answer,
    token_for,
)
from tests.fakes.running_hub import Registered, RunningHub

VERSION: Final = "?api-version=2021-04-12"
EVERY_ROUTE: Final = (
    ("GET", "/devices"),
    ("GET", "/devices/d1"),
    ("PUT", "/devices/d1"),
    ("DELETE", "/devices/d1"),
    ("DELETE", "/devices/d1/commands"),
    ("GET", "/devices/d1/modules"),
    ("GET", "/devices/d1/modules/arm"),
    ("PUT", "/devices/d1/modules/arm"),
    ("DELETE", "/devices/d1/modules/arm"),
    ("GET", "/statistics/devices"),
    ("GET", "/statistics/service"),
    ("GET", "/twins/d1"),
    ("PATCH", "/twins/d1"),
    ("PUT", "/twins/d1"),
    ("PATCH", "/twins/d1/modules/arm"),
    ("POST", "/twins/d1/methods"),
    ("POST", "/twins/d1/modules/arm/methods"),
)


def call(hub: RunningHub, method: str, path: str, token: str | None, body: bytes = b"{}", **headers: str) -> HttpAnswer:
    """Send one request on a connection of its own."""
    request = http_request(method, path, host=hub.address, token=token, body=body, **headers)
    answer = ask(hub.address, hub.ready["https"], request)
    assert answer is not None
    return answer


def test_nothing_is_served_without_a_token(hub: RunningHub, cast: Cast) -> None:
    for method, path in EVERY_ROUTE:
        for token in (None, "x", "Bearer x", "Basic YTpi", "SharedAccessSignature "):
            answer = call(hub, method, path + VERSION, token)
            assert answer.status == 401, (method, path, token)
            assert answer.headers["iothub-errorcode"] == "IotHubUnauthorized"
    assert hub.call("GET", "/devices/d1")["status"] == "enabled"


@pytest.mark.parametrize("name", [name for name in TOKEN_ATTACKS if name != "no password"])
def test_a_token_of_a_device_opens_no_back_ends_route(cast: Cast, name: str) -> None:
    _, token = TOKEN_ATTACKS[name](cast)
    for path in ("/devices/d1", "/twins/d10", "/devices"):
        try:
            answer = call(cast.hub, "GET", path + VERSION, token)
        except UnicodeEncodeError:
            return  # no header can carry it
        scoped = name == "a policy that lets no device connect" and path == "/twins/d10"
        assert answer.status in ((200,) if scoped else (400, 401, 403)), path
    assert call(cast.hub, "GET", "/devices/d1" + VERSION, token_for(cast.hub, cast.d1)).status == 401


DEVICE_CALLS: Final = (
    ("POST", "messages/events"),
    ("GET", "messages/devicebound"),
    ("DELETE", "messages/devicebound/some-lock"),
    ("DELETE", "messages/devicebound/some-lock?reject"),
    ("POST", "messages/devicebound/some-lock/abandon"),
)


def path_of(device: Registered) -> str:
    """Where a device or module is served."""
    return f"/devices/{device.device_id}" + (f"/modules/{device.module_id}" if device.module_id else "")


@pytest.mark.parametrize("name", [name for name in TOKEN_ATTACKS if name != "a space behind it"])  # no part of a header
def test_what_opens_no_session_opens_no_call_of_a_device(hub: RunningHub, cast: Cast, name: str) -> None:
    claimed, token = TOKEN_ATTACKS[name](cast)
    for method, path in DEVICE_CALLS:
        try:
            answer = call(hub, method, f"{path_of(claimed)}/{path}", token, MARK)
        except UnicodeEncodeError:
            return  # no header can carry it
        assert answer.status in (400, 401), path


def test_a_good_token_opens_the_calls_of_its_own_device_only(hub: RunningHub, cast: Cast) -> None:
    everybody = (cast.d1, cast.d10, cast.module, cast.disabled, cast.by_certificate)
    for mine in (cast.d1, cast.d10, cast.module):
        token = token_for(hub, mine)
        for whose in everybody:
            for method, path in DEVICE_CALLS:
                status = call(hub, method, f"{path_of(whose)}/{path}", token, MARK).status
                assert status == 401 if whose is not mine else status in (204, 412), (mine, whose, path)


def test_a_token_and_a_name_that_do_not_belong_together_call_no_method(hub: RunningHub, cast: Cast) -> None:
    body = b'{"methodName": "look", "responseTimeoutInSeconds": 5}'
    names = ("d1", "d1/", "/arm", "d1/arm/x", "d10/arm", "d1/none", "D1/arm", "d1/arm\t", "d1%2Farm", "", "d1\\arm")
    for signer in (cast.d1, cast.module, cast.d10):
        for name in names:
            token = token_for(hub, signer)
            answer = call(hub, "POST", "/twins/d1/methods", token, body, **{"x-ms-edge-moduleId": name})
            good = signer is cast.module and name.strip() == "d1/arm"  # it may ask; the device is not there
            assert answer.status == 404 if good else answer.status in (400, 401), (signer, name)
    answer = call(
        hub, "POST", "/twins/d10/methods", token_for(hub, cast.module), body, **{"x-ms-edge-moduleId": "d1/arm"}
    )
    assert answer.status == 401


LESSER: Final[dict[str, tuple[str, str, set[tuple[str, str]]]]] = {
    "registryRead": (
        "registryRead",
        "",
        {route for route in EVERY_ROUTE if route[0] == "GET" and "twins" not in route[1]},
    ),
    "service": ("service", "", {route for route in EVERY_ROUTE if "twins" in route[1] or "commands" in route[1]}),
    "device": ("device", "", set()),
    "the owner for d10": ("iothubowner", "/devices/d10", set()),
    "the owner for the module": (
        "iothubowner",
        "/devices/d1/modules/arm",
        {route for route in EVERY_ROUTE if route[1].endswith("/arm") or "/arm/" in route[1]},
    ),
    "the owner for a beginning of the name": ("iothubowner", "/devices/d", set()),
    "the owner for the twins' path": ("iothubowner", "/twins/d1", set()),
    "the owner for the events": ("iothubowner", "/messages/events", set()),
    "the owner for all devices": (
        "iothubowner",
        "/devices",
        {route for route in EVERY_ROUTE if route[1] != "/devices" and "statistics" not in route[1]},
    ),
}


@pytest.mark.parametrize("name", LESSER)
def test_a_lesser_token_reaches_what_it_was_signed_for_and_no_more(hub: RunningHub, cast: Cast, name: str) -> None:
    policy, scope, allowed = LESSER[name]
    token = policy_token(hub, policy, path=scope)
    for method, path in EVERY_ROUTE:
        if (method, path) in allowed and method == "DELETE":
            continue  # it would work
        status = call(hub, method, path + VERSION, token, body=b"[]").status
        if (method, path) in allowed:
            assert status not in (401, 403), (method, path)
        else:
            assert status in (401, 403), (method, path)
    assert hub.call("GET", "/devices/d1/modules/arm")["module_id"] == "arm"


def test_what_may_not_be_done_is_the_same_for_what_there_is_and_what_there_is_not(hub: RunningHub, cast: Cast) -> None:
    """Who may not read the registry does not learn from the answers which ids exist."""
    token = policy_token(hub, "service")
    answers = [call(hub, "GET", f"/devices/{name}{VERSION}", token) for name in ("d1", "there-is-none")]
    assert [answer.status for answer in answers] == [401, 401]
    texts = [json.loads(answer.body)["Message"] for answer in answers]
    assert texts[0] == texts[1]


IF_MATCH: Final = (
    "",
    '""',
    '"',
    "x",
    "W/",
    'W/""',
    '"a", "b"',
    "*, *",
    "**",
    '"*',
    "\u00ff",
    "AAAAAAAAAAE= ",
    "x" * 5000,
)


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_confused_if_match_changes_nothing(hub: RunningHub, method: str) -> None:
    device = new_device(hub)
    token = policy_token(hub, "iothubowner")
    call(hub, "PATCH", f"/twins/{device.device_id}{VERSION}", token, b'{"tags":{"a":1}}')
    for etag in IF_MATCH:
        body = b'{"tags":{"a":2}}'
        answer = call(hub, method, f"/twins/{device.device_id}{VERSION}", token, body, If_Match=etag)
        assert answer.status in (400, 412), etag
        answer = call(hub, "DELETE", f"/devices/{device.device_id}{VERSION}", token, If_Match=etag)
        assert answer.status in (400, 412), etag
    assert hub.call("GET", f"/twins/{device.device_id}")["tags"] == {"a": 1}


PATHS: Final = (
    "/devices/a%2Fb",
    "/devices/d1%2Fmodules%2Farm",
    "//devices/d1",
    "/devices//d1",
    "/./devices/d1",
    "/devices/../devices/d1",
    "/devices/d1/..",
    "/devices/d1/../d10",
    "/devices/%2e%2e/d1",
    "/devices/d1%00",
    "/devices/%00",
    "/devices/%",
    "/devices/%zz",
    "/devices/%ff",
    "/devices/%c0%af",
    "/devices/d1;x=y",
    "/devices/d1%0d%0aX:y",
    "/devices/" + "x" * 129,
    "/devices/" + "x" * 15_000,
    "/devices/" + "a/" * 5000,
    "/devices/d1#x",
    "\\devices\\d1",
    "http://other.example/devices/d1",
    "other.example:443",
    "*",
    "/etc/passwd",
    "/admin",
    "/api/v1/devices",
    "/metrics",
    "/$iothub/websocket/../devices/d1",
)


def test_tricks_with_paths_lead_nowhere(hub: RunningHub, cast: Cast) -> None:
    token = policy_token(hub, "iothubowner")
    for path in PATHS:
        for method in ("GET", "PUT", "DELETE"):
            request = http_request(method, path + VERSION, host=hub.address, token=token)
            answer = ask(hub.address, hub.ready["https"], request)
            assert answer is None or 400 <= answer.status < 500, (method, path)
    assert hub.call("GET", "/devices/d1")["device_id"] == "d1"
    assert hub.call("GET", "/devices/d1/modules/arm")["module_id"] == "arm"


def test_a_token_scoped_to_one_device_is_not_widened_by_its_path(hub: RunningHub, cast: Cast) -> None:
    token = policy_token(hub, "iothubowner", path="/devices/d1")
    for path in (
        "/devices/d1/../d10",
        "/devices/d1%2F..%2Fd10",
        "/devices/d1/%2e%2e/d10",
        "/devices/d10",
        "/devices/D1",
    ):
        assert call(hub, "GET", path + VERSION, token).status in (400, 401, 404), path
    assert call(hub, "GET", f"/devices/d1{VERSION}", token).status == 200


def raw(hub: RunningHub, data: bytes, timeout: float = 6.0) -> HttpAnswer | None:
    """Send these bytes."""
    return ask(hub.address, hub.ready["https"], data, timeout)


HEAD: Final = b"GET /devices/d1 HTTP/1.1\r\nHost: h\r\n"
SMUGGLED: Final[dict[str, bytes]] = {
    "a header of a megabyte": HEAD + b"X: " + b"x" * 1_000_000 + b"\r\n\r\n",
    "ten thousand headers": HEAD + b"X: y\r\n" * 10_000 + b"\r\n",
    "a hundred and one headers": HEAD + b"".join(b"X%d: y\r\n" % n for n in range(101)) + b"\r\n",
    "two lengths": HEAD + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello",
    "two equal lengths": HEAD + b"Content-Length: 5, 5\r\n\r\nhello",
    "a length and chunks": HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a length below nothing": HEAD + b"Content-Length: -1\r\n\r\n",
    "a length in hex": HEAD + b"Content-Length: 0x10\r\n\r\n",
    "a length of twenty digits": HEAD + b"Content-Length: 99999999999999999999\r\n\r\n",
    "a length of 256 MB": HEAD + b"Content-Length: 268435455\r\n\r\n",
    "chunks twice": HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "another encoding": HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
    "a chunk that lies": HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx",
    "bare line feeds": HEAD.replace(b"\r\n", b"\n") + b"\n",
    "a folded header": HEAD + b"X: y\r\n z\r\n\r\n",
    "a space before the colon": HEAD + b"X : y\r\n\r\n",
    "no name": HEAD + b": y\r\n\r\n",
    "a NUL in a header": HEAD + b"X: a\0b\r\n\r\n",
    "two hosts": HEAD + b"Host: other\r\n\r\n",
    "no host": b"GET /devices/d1 HTTP/1.1\r\n\r\n",
    "two tokens": HEAD + b"Authorization: a\r\nAuthorization: b\r\n\r\n",
    "another version": HEAD.replace(b"1.1", b"3.0") + b"\r\n",
    "version 0.9": b"GET /\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a method that there is not": HEAD.replace(b"GET", b"STEAL") + b"\r\n",
    "a method of ten thousand letters": HEAD.replace(b"GET", b"G" * 10_000) + b"\r\n",
    "CONNECT": b"CONNECT other.example:443 HTTP/1.1\r\nHost: h\r\n\r\n",
    "TRACE": HEAD.replace(b"GET", b"TRACE") + b"\r\n",
    "MQTT": bytes([0x10, 12]) + b"\0\4MQTT\4\2\0\0\0\0\r\n\r\n",
    "noise": bytes(range(256)) * 8 + b"\r\n\r\n",
}


@pytest.mark.parametrize("name", SMUGGLED)
def test_what_two_readers_could_read_differently_is_refused_and_the_connection_ends(
    hub: RunningHub, cast: Cast, name: str
) -> None:
    answer = raw(hub, SMUGGLED[name] + HEAD + b"\r\n")
    assert answer is None or 400 <= answer.status < 600
    assert answer is None or answer.status != 500


def test_a_large_body_of_a_stranger_is_not_even_read(hub: RunningHub, cast: Cast) -> None:
    for head in (b"Content-Length: 1000000\r\n", b"Transfer-Encoding: chunked\r\n"):
        answer = raw(hub, b"PUT /devices/d1 HTTP/1.1\r\nHost: h\r\n" + head + b"\r\n")
        assert answer is not None
        assert answer.status == 401


def test_a_body_of_tiny_chunks_is_refused(hub: RunningHub, cast: Cast) -> None:
    token = policy_token(hub, "iothubowner").encode()
    head = b"PUT /devices/d1 HTTP/1.1\r\nHost: h\r\nAuthorization: " + token + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = raw(hub, head + b"1\r\nx\r\n" * 20_000 + b"0\r\n\r\n")
    assert answer is not None
    assert answer.status == 413


def test_requests_sent_ahead_are_answered_in_order_and_bounded(hub: RunningHub, cast: Cast) -> None:
    good = http_request("GET", f"/devices/d1{VERSION}", host="h", token=policy_token(hub, "registryRead"))
    bad = http_request("GET", f"/devices/d10{VERSION}", host="h", token="x" + MARK.decode())
    stream = TlsStream(hub.address, hub.ready["https"])
    stream.send(good + bad)
    first = read_answer(stream)
    assert first is not None
    assert first.json["deviceId"] == "d1"
    second = read_answer(stream)
    assert second is not None
    assert second.status == 401
    stream.close()


def test_a_device_is_not_made_another_by_what_the_body_says(hub: RunningHub, cast: Cast) -> None:
    token = policy_token(hub, "iothubowner")
    key = base64.b64encode(b"k" * 32).decode()
    auth = {"type": "sas", "symmetricKey": {"primaryKey": key, "secondaryKey": key}}
    for body in ({"deviceId": "d10"}, {"deviceId": "d1/modules/arm"}, {"deviceId": None}, {"deviceId": 1}):
        whole = json.dumps({**body, "authentication": auth}).encode()
        answer = call(hub, "PUT", f"/devices/fresh{VERSION}", token, whole)
        assert answer.status in (200, 400), body
        if answer.status == 200:
            assert answer.json["deviceId"] == "fresh"
            hub.call("DELETE", "/devices/fresh")
    assert hub.registered("d10").primary_key == cast.d10.primary_key
    existing = json.dumps({"deviceId": "d1", "authentication": auth}).encode()
    assert call(hub, "PUT", f"/devices/d1{VERSION}", token, existing).status in (409, 412)
    assert hub.registered("d1").primary_key == cast.d1.primary_key
