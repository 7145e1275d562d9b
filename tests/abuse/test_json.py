"""Bodies that are no JSON, or JSON at its edges, at every place of both REST APIs that takes one."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
import pytest
from tests.conformance.json_vectors import VECTORS, Verdict
from tests.fakes.raw_device import policy_token, token_for
from tests.fakes.running_hub import RunningHub

from ironhub.app.datadir import DataDirectory

DOCUMENTS: Final = Path(__file__).parents[2] / "docs" / "reference"
NOT_JSON: Final = frozenset({"sendTelemetry", "sendModuleTelemetry", "import_devices"})
"""Calls whose body may be anything: telemetry is what the device says it is, and lines are no one JSON text."""
NAMES: Final = {"device": "bystander", "device_id": "bystander", "module": "arm", "module_id": "arm"}
ABSENT: Final = "bystander-newcomer"
"""Who is not connected: a command with a good body would wait for the bystander's answer."""
SLOW: Final = 15.0
"""Seconds in which each of these requests must be answered."""


class Entry(NamedTuple):
    """One call that takes JSON."""

    name: str
    method: str
    path: str
    door: str

    def __str__(self) -> str:
        return self.name


def entries(document: str) -> list[Entry]:
    """Read from the committed description what takes JSON."""
    described: dict[str, Any] = json.loads((DOCUMENTS / document).read_text("utf-8"))
    return [
        Entry(operation["operationId"], method.upper(), path, operation["tags"][0])
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
        and operation["operationId"] not in NOT_JSON
    ]


ADMIN: Final = entries("admin-api.json")
AZURE: Final = entries("azure-rest.json")


@contextmanager
def calling(hub: RunningHub, door: str) -> Iterator[httpx.Client]:
    """A client with a good credential for this door; it leaves no connection behind."""
    vendor, admin = f"https://{hub.address}:{hub.ready['https']}", f"https://127.0.0.1:{hub.ready['admin']}"
    if door == "admin":
        url, shown = admin, f"Bearer {DataDirectory(hub.data).admin_token()}"
    elif door == "device":
        url, shown = vendor, token_for(hub, hub.registered("bystander"))
    else:
        url, shown = vendor, policy_token(hub, "iothubowner")
    trusted = ssl.create_default_context(cafile=str(hub.ca_path))
    with httpx.Client(base_url=url, headers={"Authorization": shown}, verify=trusted, timeout=SLOW) as client:
        yield client


def answer(client: httpx.Client, entry: Entry, body: bytes) -> httpx.Response:
    """Send the body to the entry, about the bystander."""
    names = {part[1:-1] for part in entry.path.split("/") if part.startswith("{")}
    known = {**NAMES, "device": ABSENT} if "command" in names else NAMES
    path = entry.path.format(**{name: known.get(name, "x") for name in names})
    headers = {"Content-Type": "application/json", "If-Match": '"no-such-etag"'}
    return client.request(entry.method, path, content=body, headers=headers)


@pytest.mark.parametrize("entry", ADMIN, ids=str)
def test_the_admin_api_refuses_what_is_no_json(hub: RunningHub, entry: Entry) -> None:
    with calling(hub, "admin") as client:
        answers = [(vector, answer(client, entry, vector.text)) for vector in VECTORS]
    for vector, given in answers:
        assert given.status_code < 500, (vector.name, given.text)
        if vector.verdict is Verdict.REFUSED:
            assert given.status_code in (400, 413), (vector.name, given.status_code)
            assert given.json()["error"]["code"] in ("json.invalid", "request.too_large"), (vector.name, given.text)
        elif vector.verdict is Verdict.TAKEN and given.is_error:
            assert given.json()["error"]["code"] != "json.invalid", (vector.name, given.text)


@pytest.mark.parametrize("entry", AZURE, ids=str)
def test_the_vendors_calls_refuse_what_is_no_json(hub: RunningHub, entry: Entry) -> None:
    with calling(hub, entry.door) as client:
        answers = [(vector, answer(client, entry, vector.text)) for vector in VECTORS]
    for vector, given in answers:
        assert given.status_code < 500, (vector.name, given.text)
        if vector.verdict is Verdict.REFUSED:
            assert given.status_code in (400, 413), (vector.name, given.status_code, given.text)
            assert given.headers["iothub-errorcode"], vector.name
        elif vector.verdict is Verdict.TAKEN and given.is_error:
            assert "text is not JSON" not in given.text, (vector.name, given.text)


def test_every_place_that_takes_json_is_here() -> None:
    assert {"create_device", "update_twin", "invoke_method", "send_command"} <= {entry.name for entry in ADMIN}
    assert {"putDevice", "patchTwin", "invokeMethod"} <= {entry.name for entry in AZURE}
