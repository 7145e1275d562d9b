"""Tests of app/cli/inprocess.py."""

import asyncio

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from ironhub.app.cli.inprocess import InProcessTransport


def client(app: object) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url="http://hub", transport=InProcessTransport(app))  # type: ignore[arg-type]


async def test_the_app_sees_the_request_as_it_was_made() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        shown = [scope["method"], scope["path"], scope["query_string"].decode(), message["body"].decode()]
        await send({"type": "http.response.start", "status": 201, "headers": [(b"x-a", b"b")]})
        await send({"type": "http.response.body", "body": "|".join(shown).encode()})

    async with client(app) as http:
        response = await http.put("/a%20b/c?d=e", content=b"body")
    assert (response.status_code, response.headers["x-a"], response.text) == (201, "b", "PUT|/a b/c|d=e|body")


async def test_an_answer_is_read_while_it_is_made() -> None:
    go_on = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        await go_on.wait()
        await send({"type": "http.response.body", "body": b"second"})

    async with client(app) as http, http.stream("GET", "/") as response:
        pieces = response.aiter_raw()
        assert await anext(pieces) == b"first"
        go_on.set()
        assert await anext(pieces) == b"second"


async def test_a_caller_that_has_read_enough_ends_the_app() -> None:
    ended = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})
        finally:
            ended.set()

    async with client(app) as http, http.stream("GET", "/") as response:
        assert response.status_code == 200
    assert ended.is_set()


async def test_an_app_that_fails_before_it_answers_fails_the_call() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("a bug")

    async with client(app) as http:
        with pytest.raises(ValueError, match="a bug"):
            await http.get("/")


async def test_an_answer_that_stops_half_way_is_no_answer() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})

    async with client(app) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get("/")


async def test_an_app_that_asks_for_more_learns_when_the_caller_is_gone() -> None:
    heard: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        listening = asyncio.create_task(_hear(receive, heard))
        try:
            await asyncio.Event().wait()
        finally:
            await listening

    async with client(app) as http, http.stream("GET", "/"):
        pass
    assert heard == ["http.disconnect"]


async def _hear(receive: Receive, heard: list[str]) -> None:
    heard.append((await receive())["type"])
