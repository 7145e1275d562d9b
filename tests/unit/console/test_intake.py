"""Tests of console/intake.py: JSON that means one thing, bodies that end."""

import pytest
from starlette.types import Message
from tests.unit.console.conftest import Desk

from ironhub.console.intake import MAX_BODY, BoundedBodies

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"device_id": "a", "device_id": "b"}',
        b'{"device_id": NaN}',
        b'{"device_id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"device_id": "\xff"}',
        b"{",
    ],
)
async def test_json_that_could_mean_two_things_is_refused(desk: Desk, body: bytes) -> None:
    assert await desk.refused("POST", "/devices", content=body, headers=JSON) == (400, "json.invalid")


async def test_a_body_over_the_bound_is_refused(desk: Desk) -> None:
    body = b'{"device_id": "' + b"x" * MAX_BODY + b'"}'
    assert await desk.refused("POST", "/devices", content=body, headers=JSON) == (413, "request.too_large")


async def test_what_is_no_request_passes_untouched() -> None:
    seen: list[str] = []

    async def app(scope: Message, receive: object, send: object) -> None:
        seen.append(scope["type"])

    await BoundedBodies(app)({"type": "lifespan"}, _nothing, _swallow)
    assert seen == ["lifespan"]


async def _nothing() -> Message:
    return {}


async def _swallow(message: Message) -> None:
    return
