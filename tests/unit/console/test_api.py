"""Tests of console/api.py."""

from tests.unit.console.conftest import TOKEN, Desk

from ironhub.console.api import admin_document, make_admin_app


async def test_the_description_is_the_same_for_every_hub(desk: Desk) -> None:
    assert make_admin_app(desk.services, TOKEN.encode()).openapi() == admin_document()


async def test_an_empty_admin_token_admits_nobody(desk: Desk) -> None:
    app = make_admin_app(desk.services, b"")
    assert app.state.admin_token == b""
    assert app.docs_url is None


async def test_the_app_keeps_its_token_and_services(desk: Desk) -> None:
    app = make_admin_app(desk.services, TOKEN.encode())
    assert app.state.services is desk.services
