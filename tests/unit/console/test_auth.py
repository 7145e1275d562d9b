"""Tests of console/auth.py: nobody without the token, nothing without a grant."""

import pytest
from fastapi import FastAPI
from tests.unit.console.conftest import TOKEN, Desk

from ironhub.access.model import Permission, PermissionDenied
from ironhub.console.api import make_admin_app
from ironhub.console.auth import Caller
from ironhub.core.ids import identity
from ironhub.identity.gate import trust_local_operator

SHOWN = ["", "Bearer", "Bearer ", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer é"]


@pytest.mark.parametrize("shown", SHOWN)
async def test_nobody_gets_in_without_the_token(desk: Desk, shown: str) -> None:
    headers = {"Authorization": shown.encode()}
    assert await desk.refused("GET", "/devices", headers=headers) == (401, "identity.unauthorized")


async def test_every_operation_of_the_api_asks_for_the_token(desk: Desk) -> None:
    app: FastAPI = make_admin_app(desk.services, TOKEN.encode())
    for path, methods in app.openapi()["paths"].items():
        for method in methods:
            response = await desk.client.request(method, path, headers={"Authorization": "Bearer no"}, json={})
            assert response.status_code == 401, (method, path)
            assert response.headers["www-authenticate"] == "Bearer"


def test_a_caller_gets_grants_of_operators_only(desk: Desk) -> None:
    caller = Caller(desk.services, trust_local_operator())
    assert caller.may(Permission.TWIN_READ, identity("d")).identity == identity("d")
    with pytest.raises(PermissionDenied):
        caller.may(Permission.TELEMETRY_SEND, identity("d"))
