"""The operator's ports: the admin API wants its token whoever calls, and the metrics tell no secret."""

import base64
import re
import socket
import ssl
import time
from contextlib import ExitStack, suppress
from typing import Final

import httpx
import pytest
from tests.fakes.bystander import PROMPT, STRANGER_TIMEOUT, Watch, new_device
from tests.fakes.raw_device import HttpAnswer, TlsStream, http_request, policy_token, read_answer, token_for
from tests.fakes.running_hub import RunningHub

from ironhub.app.datadir import DataDirectory

ROUTES: Final = (
    ("GET", "/status"),
    ("GET", "/devices"),
    ("POST", "/devices"),
    ("GET", "/devices/bystander?keys=true"),
    ("DELETE", "/devices/bystander"),
    ("GET", "/twins/bystander"),
    ("PATCH", "/twins/bystander"),
    ("GET", "/policies"),
    ("PUT", "/policies/x"),
    ("DELETE", "/policies/x"),
    ("POST", "/policies/service/roll"),
    ("GET", "/events?kind=lifecycle"),
    ("GET", "/connection-string?policy=iothubowner"),
    ("GET", "/events?from=earliest&count=1"),
    ("POST", "/backup"),
    ("GET", "/authorities"),
    ("DELETE", "/authorities/x"),
    ("POST", "/devices/bystander/methods"),
    ("GET", "/ca"),
    ("GET", "/nothing"),
)


def admin(hub: RunningHub, request: bytes) -> HttpAnswer | None:
    """Send these bytes to the admin port."""
    stream = TlsStream("127.0.0.1", hub.ready["admin"])
    try:
        stream.send(request)
        return read_answer(stream)
    finally:
        stream.close()


def test_nothing_is_told_or_done_without_the_token(hub: RunningHub) -> None:
    token = DataDirectory(hub.data).admin_token()
    device = new_device(hub)
    wrong = (
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        f"Bearer {token[:-1]}",
        f"Bearer {token}x",
        f"Bearer {token.swapcase()}",
        f"Bearer {token}, {token}",
        f"Basic {base64.b64encode(f'admin:{token}'.encode()).decode()}",
        token,
        token_for(hub, device),
        policy_token(hub, "iothubowner"),
        f"Bearer {policy_token(hub, 'iothubowner')}",
        "Bearer " + "x" * 8000,
    )
    for method, path in ROUTES:
        for shown in wrong:
            answer = admin(hub, http_request(method, f"/api/v1{path}", host="localhost", token=shown, body=b"{}"))
            assert answer is not None
            assert answer.status in ((401, 404) if path == "/nothing" else (401,)), (method, path, shown)
    assert hub.call("GET", "/devices/bystander")["device_id"] == "bystander"


def test_the_token_counts_in_its_header_only(hub: RunningHub) -> None:
    token = DataDirectory(hub.data).admin_token()
    for path in (f"/api/v1/devices?token={token}", f"/api/v1/devices?access_token={token}"):
        answer = admin(hub, http_request("GET", path, host="localhost"))
        assert answer is not None
        assert answer.status == 401
    answer = admin(hub, http_request("GET", "/api/v1/devices", host="localhost", Cookie=f"token={token}"))
    assert answer is not None
    assert answer.status == 401


def test_a_web_page_gets_no_leave_to_call_it(hub: RunningHub) -> None:
    """A browser asks first, and reads no answer that does not name its origin."""
    for origin in ("https://other.example", "null", "https://localhost:9443"):
        asked = http_request(
            "OPTIONS",
            "/api/v1/devices",
            host="localhost",
            Origin=origin,
            Access_Control_Request_Method="POST",
            Access_Control_Request_Headers="authorization",
        )
        for request in (asked, http_request("GET", "/api/v1/devices", host="localhost", Origin=origin)):
            answer = admin(hub, request)
            assert answer is not None
            assert answer.status >= 400
            assert not [name for name in answer.headers if name.startswith("access-control-allow")]


def test_the_description_of_the_api_and_its_errors_hold_no_secret(hub: RunningHub) -> None:
    token = DataDirectory(hub.data).admin_token()
    device = new_device(hub)
    for path in ("/api/openapi.json", "/api/docs", "/api/v1/", "/docs", "/redoc", "/"):
        answer = admin(hub, http_request("GET", path, host="localhost"))
        assert answer is not None
        assert token.encode() not in answer.body
        assert device.primary_key.encode() not in answer.body
    with hub.admin() as client:
        key = base64.b64encode(b"secret" * 3).decode()
        auth = {"kind": "sas", "keys": {"primary": key, "secondary": key + "!"}}
        refused = client.post("/devices", json={"device_id": "x", "auth": auth})
        assert refused.status_code == 400
        assert key not in refused.text
        for path in ("/devices", f"/devices/{device.device_id}"):
            assert device.primary_key not in client.get(path).text


def test_the_metrics_and_the_health_page_tell_no_secret_and_no_name(hub: RunningHub) -> None:
    device = new_device(hub, "a-telling-name")
    for path in ("/metrics", "/healthz", "/readyz", "/", "/metrics?x=y", "/api/v1/devices"):
        text = httpx.get(f"http://127.0.0.1:{hub.ready['metrics']}{path}").text
        assert device.device_id not in text
        assert "bystander" not in text
        assert device.primary_key not in text
        assert DataDirectory(hub.data).admin_token() not in text
        assert not re.search(r"/(tmp|home|root|var|usr)/", text)


def test_a_body_of_a_stranger_or_over_the_bound_is_not_taken(hub: RunningHub, watch: Watch) -> None:
    token = DataDirectory(hub.data).admin_token()
    before = watch.memory()
    watch.forget_peak()
    for shown in (None, f"Bearer {token}"):
        answer = None
        with suppress(ConnectionError, ssl.SSLError):
            body = b'{"device_id":"' + b"x" * 8_000_000 + b'"}'
            answer = admin(hub, http_request("POST", "/api/v1/devices", host="localhost", token=shown, body=body))
        assert answer is None or answer.status in (401, 413)
    assert watch.peak_memory() - before < 64 << 20


def test_a_scratch_of_bytes_is_no_request(hub: RunningHub) -> None:
    for data in (b"\r\n\r\n", b"GET\r\n\r\n", bytes(range(256)), b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 200_000):
        stream = TlsStream("127.0.0.1", hub.ready["admin"])
        with suppress(ConnectionError, ssl.SSLError, TimeoutError):
            stream.send(data)
            answer = read_answer(stream, 1)
            assert answer is None or answer.status in (400, 401, 404, 431)
        stream.close()


HALF: Final = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n"


@pytest.mark.parametrize("beginning", [b"", HALF[:20], HALF], ids=["nothing", "half a head", "no body"])
@pytest.mark.parametrize("port", ["admin", "metrics"])
def test_silent_connections_keep_the_operator_out_for_their_time_only(
    hub: RunningHub, port: str, beginning: bytes
) -> None:
    """More of them than the port serves at once, and none of them ever asks for anything."""
    address = ("127.0.0.1", hub.ready[port])
    with ExitStack() as stack:
        for _ in range(300):
            if port == "admin":
                stream = TlsStream(*address)
                stack.callback(stream.close)
                stream.send(beginning)
            else:
                stack.enter_context(socket.create_connection(address, 8)).sendall(beginning)
        deadline = time.monotonic() + 3 * STRANGER_TIMEOUT + PROMPT
        while not served(hub, port):
            assert time.monotonic() < deadline, "the operator was kept out"


def served(hub: RunningHub, port: str) -> bool:
    """Whether the port answers a good request."""
    with suppress(httpx.HTTPError):
        if port == "admin":
            with hub.admin() as client:
                return client.get("/status").status_code == 200
        return httpx.get(f"http://127.0.0.1:{hub.ready[port]}/healthz").status_code == 200
    return False
