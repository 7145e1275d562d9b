"""What the load generator sends over HTTPS."""

import json

import pytest
from tools.bench.calls import BULK, Calls
from tools.bench.credentials import SAS_KEY

from ironhub.identity.sas import parse_sas_token, verify_sas_token

KEY = b"a key of a policy, for a test of it"
CALLS = Calls("127.30.0.1", KEY, 2_000_000_000)
IDS = [f"device-{number:07}" for number in range(250)]


def taken_apart(request: bytes) -> tuple[str, dict[str, str], bytes]:
    """The request line, the headers and the body; the length must be the body's."""
    head, _, body = request.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    headers = dict(text.split(": ", 1) for text in lines)
    assert int(headers.get("Content-Length", "0")) == len(body)
    return line, headers, body


@pytest.mark.parametrize(
    ("requests", "line"),
    [
        (CALLS.get_device(IDS), "GET /devices/device-0000000?api-version=2021-04-12 HTTP/1.1"),
        (CALLS.put_device(IDS), "PUT /devices/device-0000000?api-version=2021-04-12 HTTP/1.1"),
        (CALLS.patch_twin(IDS), "PATCH /twins/device-0000000?api-version=2021-04-12 HTTP/1.1"),
        (CALLS.method(IDS), "POST /twins/device-0000000/methods?api-version=2021-04-12 HTTP/1.1"),
    ],
)
def test_a_back_end_asks_for_each_device_with_its_policys_token(requests: list[bytes], line: str) -> None:
    found = [taken_apart(request) for request in requests]
    assert len(found) == len(IDS)
    assert found[0][0] == line
    token = parse_sas_token(found[0][1]["Authorization"])
    assert token.policy == "iothubowner"
    assert verify_sas_token(token, keys=[KEY], now=0.0).resource == "127.30.0.1"


def test_a_device_sends_with_a_token_of_its_own() -> None:
    first, second = list(CALLS.telemetry(IDS))[:2]
    line, headers, body = taken_apart(second)
    assert line.startswith("POST /devices/device-0000001/messages/events?")
    assert len(body) == 100
    assert headers["Authorization"] != taken_apart(first)[1]["Authorization"]
    verified = verify_sas_token(parse_sas_token(headers["Authorization"]), keys=[SAS_KEY], now=0.0)
    assert verified.resource == "127.30.0.1/devices/device-0000001"


def test_a_bulk_call_has_a_hundred_devices_and_none_twice() -> None:
    bodies = [json.loads(taken_apart(request)[2]) for request in CALLS.bulk(IDS)]
    assert [len(body) for body in bodies] == [BULK, BULK, 50]
    assert [row["id"] for body in bodies for row in body] == IDS


def test_a_page_is_asked_for_by_its_size() -> None:
    (request,) = CALLS.query_page(IDS)
    assert taken_apart(request)[1]["x-ms-max-item-count"] == "100"
