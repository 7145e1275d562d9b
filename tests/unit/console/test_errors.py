"""Tests of console/errors.py: one shape for every refusal, and nothing of the request in it."""

from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from tests.unit.console.conftest import Desk

from ironhub.app.cli.inprocess import InProcessTransport
from ironhub.console import errors
from ironhub.core.errors import HubError, Unavailable


async def call(raises: Exception) -> httpx.Response:
    app = FastAPI()
    errors.install(app)

    @app.get("/")
    async def fail() -> None:
        raise raises

    async with httpx.AsyncClient(base_url="http://hub", transport=InProcessTransport(app)) as client:
        return await client.get("/")


async def test_a_hub_error_shows_its_code_message_and_next_step_but_no_detail() -> None:
    response = await call(Unavailable("the disk is full", detail="errno 28 at /secret/place"))
    assert response.status_code == 503
    body = {"code": "hub.unavailable", "message": "the disk is full", "next_step": Unavailable.next_step}
    assert response.json() == {"error": body}


async def test_a_bug_is_told_without_its_words_and_logged_with_them(caplog: pytest.LogCaptureFixture) -> None:
    response = await call(RuntimeError("inner words"))
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "hub.error"
    assert "inner" not in response.text
    assert "inner words" in caplog.text


async def test_an_unknown_path_points_to_the_description(desk: Desk) -> None:
    assert await desk.refused("GET", "/nowhere") == (404, "request.no_such_route")


async def test_another_method_is_named_where_there_is_one(desk: Desk) -> None:
    assert await desk.refused("PUT", "/devices") == (405, "request.no_such_method")
    answer = await desk.client.delete("/api/v1/ca")
    assert answer.headers["allow"] == "GET"


async def test_the_frameworks_other_refusals_have_the_same_shape() -> None:
    response = await call(HTTPException(400, "words"))
    assert (response.status_code, response.json()["error"]["code"]) == (400, "argument.invalid")


async def test_an_invalid_field_is_named_and_its_value_is_not_repeated(desk: Desk) -> None:
    secret = "c2VjcmV0"
    body = {"device_id": "d", "auth": {"kind": "sas", "keys": {"primary": secret, "secondary": 7}}}
    response = await desk.client.post("/api/v1/devices", json=body)
    assert response.status_code == 400
    message = response.json()["error"]["message"]
    assert "auth.keys.secondary" in message
    assert secret not in response.text


async def test_a_stranger_to_our_errors_is_answered_as_a_plain_one() -> None:
    handler: Callable[..., object] = errors._on_hub_error  # the framework's types allow any exception here
    answered = await handler(None, ValueError("x"))  # type: ignore[misc]  # a coroutine function
    assert answered.status_code == HubError.status
