"""Tests of console/reference.py."""

from tests.unit.console.conftest import Desk


async def test_the_page_lists_the_operations_and_loads_nothing_from_outside(desk: Desk) -> None:
    response = await desk.client.get("/api/v1/", headers={"Authorization": ""})
    assert response.status_code == 200
    assert "POST /api/v1/devices/{device_id}/commands" in response.text
    assert "<script" not in response.text
    assert "http" not in response.text
    assert response.headers["content-security-policy"].startswith("default-src 'none'")
