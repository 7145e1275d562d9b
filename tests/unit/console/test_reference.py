"""Tests of console/reference.py."""

import re

from tests.unit.console.conftest import Desk

from ironhub.console.api import admin_document
from ironhub.console.reference import page_of


async def test_the_page_explains_the_calls_and_loads_nothing_from_outside(desk: Desk) -> None:
    response = await desk.client.get("/api/docs", headers={"Authorization": ""})
    assert response.status_code == 200
    assert "POST /api/v1/devices/{device_id}/commands" in response.text
    assert "<script" not in response.text
    assert not re.search(r"(src|href)=['\"](?!openapi\.json)", response.text)
    assert response.headers["content-security-policy"].startswith("default-src 'none'")
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_the_description_for_programs_stands_beside_it(desk: Desk) -> None:
    response = await desk.client.get("/api/openapi.json", headers={"Authorization": ""})
    assert response.json() == admin_document()


def test_a_call_shows_its_parameters_its_body_an_example_and_how_it_can_fail() -> None:
    page = page_of(admin_document())
    call = page[page.index("id='create_device'") :]
    call = call[: call.index("</details>")]
    for part in ("keys (query)", "device_id *", "&quot;press-7&quot;", "device.exists", "413"):
        assert part in call


def test_what_a_description_says_is_no_markup() -> None:
    document = admin_document()
    document["paths"]["/api/v1/ca"]["get"]["description"] = "<script>alert(1)</script>"
    page = page_of(document)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
