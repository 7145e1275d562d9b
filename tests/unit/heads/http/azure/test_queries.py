"""The calls of heads/http/azure/queries.py, as the vendor's SDKs make them."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from tests.fakes.azure_api import AzureApi, header, refused, shown
from tests.fakes.clock import FakeEntropy

from ironhub.core.sealing import KEY_SIZE, Sealer
from ironhub.heads.http.azure.calls import CallGroup
from ironhub.heads.http.azure.queries import QueryCalls
from ironhub.heads.http.messages import Response
from ironhub.twins.queries.service import QueryService


def calls(api: AzureApi) -> Sequence[CallGroup]:
    sealer = Sealer({1: b"k" * KEY_SIZE}, FakeEntropy())
    return [QueryCalls(QueryService(api.stores.queries, sealer, api.clock))]


@pytest.fixture
async def api() -> AzureApi:
    api = AzureApi(calls)
    for name in ("a", "b", "c"):
        await api.create(name)
    return api


async def ask(api: AzureApi, query: Any, **headers: str) -> Response:
    return await api.call("POST", "/devices/query?api-version=2021-04-12", {"query": query}, **headers)


async def test_a_query_gives_twins_and_says_so(api: AzureApi) -> None:
    answer = await ask(api, "SELECT * FROM devices")
    assert [twin["deviceId"] for twin in shown(answer)] == ["a", "b", "c"]
    assert header(answer, "x-ms-item-type") == "Twin"
    assert header(answer, "x-ms-continuation") is None
    assert shown(answer)[0] == shown(await api.call("GET", "/twins/a"))


async def test_columns_are_raw(api: AzureApi) -> None:
    answer = await ask(api, "SELECT deviceId, status FROM devices WHERE deviceId = 'b'")
    assert shown(answer) == [{"deviceId": "b", "status": "enabled"}]
    assert header(answer, "x-ms-item-type") == "raw"


async def test_pages_are_as_large_as_asked_and_follow_by_their_token(api: AzureApi) -> None:
    first = await ask(api, "SELECT deviceId FROM devices", x_ms_max_item_count="2")
    assert len(shown(first)) == 2
    token = header(first, "x-ms-continuation")
    assert token
    second = await ask(api, "SELECT deviceId FROM devices", x_ms_max_item_count="2", x_ms_continuation=token)
    assert shown(second) == [{"deviceId": "c"}]
    assert header(second, "x-ms-continuation") is None
    moved = await ask(api, "SELECT deviceId FROM devices WHERE true", x_ms_continuation=token)
    assert moved.status == 200  # the same query in other words
    forged = await ask(api, "SELECT * FROM devices", x_ms_continuation=token)
    assert refused(forged) == (400, "ArgumentInvalid")


async def test_a_page_size_that_is_none_is_refused(api: AzureApi) -> None:
    for size in ("0", "-1", "x", "٣", "1" * 10):
        assert refused(await ask(api, "SELECT * FROM devices", x_ms_max_item_count=size)) == (400, "ArgumentInvalid")
    assert len(shown(await ask(api, "SELECT * FROM devices", x_ms_max_item_count="5000"))) == 3


async def test_what_cannot_be_read_says_where(api: AzureApi) -> None:
    answer = await ask(api, "SELECT * FROM devices WHERE deviceId LIKE 'a'")
    assert refused(answer) == (400, "ArgumentInvalid")
    message = json.loads(answer.body)["Message"]
    assert message.startswith("ErrorCode:ArgumentInvalid;SQL query parse failed: line 1, column 38: expected ")
    others: tuple[Any, ...] = (None, 1, ["SELECT"], {})
    for query in others:
        assert refused(await ask(api, query)) == (400, "ArgumentInvalid")


async def test_only_a_service_may_ask(api: AzureApi) -> None:
    text = "SELECT * FROM devices"
    assert refused(await ask(api, text, authorization=api.token("reader")))[0] in {401, 403}
    assert refused(await ask(api, text, authorization=api.token("device")))[0] in {401, 403}
    one = api.token("service", "hub.example/devices/a")
    assert refused(await ask(api, text, authorization=one))[0] in {401, 403}
    assert len(shown(await ask(api, text, authorization=api.token("service")))) == 3
