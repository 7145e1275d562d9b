"""The upload handshake, request by request, as the Python, Node and C SDKs make them."""

import json
from typing import Any

import pytest
from tests.fakes.channel import FakeChannel
from tests.fakes.files import SmallFiles
from tests.fakes.identities import HUB, KEYS, PRESS, KnownToTheHub, make_gate, token_for

from ironhub.heads.http.azure.application import AzureHttp
from ironhub.heads.http.azure.files import FileCalls
from ironhub.heads.http.messages import Head, Request, Response
from ironhub.identity.model import CredentialKind, Credentials


class Api:
    """The API of one hub with one device."""

    def __init__(self) -> None:
        self.files = SmallFiles()
        known = KnownToTheHub()
        known.put(PRESS, Credentials(CredentialKind.SAS, keys=KEYS))
        self.http = AzureHttp(
            [FileCalls(self.files.uploads)],
            gate=make_gate(known, self.files.clock),
            clock=self.files.clock,
            entropy=self.files.entropy,
        )

    async def ask(self, path: str, body: Any, *, host: str = f"{HUB}:8443", signed: bool = True) -> Response:
        token = token_for(f"{HUB}/devices/press-7", clock=self.files.clock, key=KEYS.primary)
        headers = {"host": host, **({"authorization": token} if signed else {})}
        head = Head("POST", path, "api-version=2021-04-12", headers)
        return await self.http.answer(Request(head, json.dumps(body).encode(), FakeChannel()))

    async def begin(self) -> dict[str, Any]:
        answer = await self.ask("/devices/press-7/files", {"blobName": "a.txt"})
        assert answer.status == 200
        told: dict[str, Any] = json.loads(answer.body)
        return told


@pytest.fixture
async def api() -> Api:
    made = Api()
    await made.files.register(PRESS)
    return made


def refused(answer: Response) -> tuple[int, str | None]:
    return answer.status, dict(answer.headers).get("iothub-errorcode")


async def test_a_device_is_told_where_to_write_at_the_port_it_came_to(api: Api) -> None:
    told = await api.begin()
    assert set(told) == {"correlationId", "hostName", "containerName", "blobName", "sasToken"}
    assert (told["hostName"], told["containerName"], told["blobName"]) == (f"{HUB}:8443", "uploads", "press-7/a.txt")
    assert told["sasToken"].startswith("?")
    assert (await api.ask("/devices/press-7/files/", {"blobName": "b.txt"})).status == 200


@pytest.mark.parametrize("in_path", [True, False])
async def test_the_end_is_told_with_the_id_in_the_path_or_in_the_body(api: Api, in_path: bool) -> None:
    correlation_id = (await api.begin())["correlationId"]
    await api.files.put("press-7/a.txt", b"x")
    path = "/devices/press-7/files/notifications" + (f"/{correlation_id}" if in_path else "/")
    outcome = {"isSuccess": True, "statusCode": 200, "statusDescription": "ok"}
    answer = await api.ask(path, outcome if in_path else {**outcome, "correlationId": correlation_id})
    assert (answer.status, answer.body) == (204, b"")


async def test_what_goes_wrong_is_told_with_the_vendors_codes(api: Api) -> None:
    ended = {"correlationId": "none", "isSuccess": True, "statusCode": 200}
    answer = await api.ask("/devices/press-7/files/notifications", ended)
    assert refused(answer) == (400, "InvalidFileUploadCorrelationId")
    ended["correlationId"] = (await api.begin())["correlationId"]
    answer = await api.ask("/devices/press-7/files/notifications", ended)
    assert refused(answer) == (400, "InvalidStorageEndpointOrBlob")
    assert refused(await api.ask("/devices/press-7/files", {"blobName": "../a"})) == (400, "ArgumentInvalid")
    for _ in range(9):
        await api.begin()
    answer = await api.ask("/devices/press-7/files", {"blobName": "a"})
    assert refused(answer) == (403, "DeviceMaximumActiveFileUploadLimitExceeded")


async def test_nobody_uploads_as_another(api: Api) -> None:
    for path in ("/devices/press-8/files", "/devices/press-8/files/notifications"):
        assert (await api.ask(path, {"blobName": "a"})).status == 401
    assert (await api.ask("/devices/press-7/files", {"blobName": "a"}, signed=False)).status == 401
    assert (await api.ask("/devices/press-7/files", {"blobName": "a"}, host="evil.example")).status == 401
