"""Tests of console/api.py and of the page that describes it."""

from tests.unit.console.conftest import TOKEN, Desk

from ironhub.console.api import make_admin_app


async def test_the_description_names_every_operation_with_words(desk: Desk) -> None:
    document = await desk.ok("GET", "/openapi.json")
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    assert len(operations) > 25
    assert all(operation.get("description") for operation in operations)


async def test_an_empty_admin_token_admits_nobody(desk: Desk) -> None:
    app = make_admin_app(desk.services, b"")
    assert app.state.admin_token == b""
    assert app.docs_url is None


async def test_the_app_keeps_its_token_and_services(desk: Desk) -> None:
    app = make_admin_app(desk.services, TOKEN.encode())
    assert app.state.services is desk.services
