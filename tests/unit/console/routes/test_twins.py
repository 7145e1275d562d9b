"""Tests of console/routes/twins.py."""

from tests.unit.console.conftest import Desk


async def test_a_twin_is_merged_and_replaced(desk: Desk) -> None:
    await desk.ok("POST", "/devices", json={"device_id": "d"})
    await desk.ok("PATCH", "/twins/d", json={"desired": {"a": 1, "b": {"c": 2}}, "tags": {"hall": "B2"}})
    twin = await desk.ok("PATCH", "/twins/d", json={"desired": {"a": None}})
    assert twin["desired"] == {"version": 3, "properties": {"b": {"c": 2}}}
    assert twin["tags"] == {"hall": "B2"}
    replaced = await desk.ok("PUT", "/twins/d", json={"desired": {"x": 1}})
    assert (replaced["desired"]["properties"], replaced["tags"]) == ({"x": 1}, {})
    assert await desk.ok("GET", "/twins/d") == replaced


async def test_a_stale_etag_changes_nothing(desk: Desk) -> None:
    await desk.ok("POST", "/devices", json={"device_id": "d"})
    stale = {"If-Match": f'"{(await desk.ok("GET", "/twins/d"))["etag"]}"'}
    await desk.ok("PATCH", "/twins/d", json={"tags": {"a": 1}}, headers=stale)
    for method in ("PATCH", "PUT"):
        answer = await desk.refused(method, "/twins/d", json={"tags": {"a": 2}}, headers=stale)
        assert answer == (412, "twin.version_conflict")


async def test_a_module_has_a_twin_of_its_own(desk: Desk) -> None:
    await desk.ok("POST", "/devices", json={"device_id": "d"})
    await desk.ok("POST", "/devices/d/modules", json={"module_id": "m"})
    twin = await desk.ok("PATCH", "/twins/d?module=m", json={"tags": {"a": 1}})
    assert (twin["device_id"], twin["module_id"], twin["tags"]) == ("d", "m", {"a": 1})
    assert (await desk.ok("GET", "/twins/d"))["tags"] == {}
    assert await desk.refused("GET", "/twins/d?module=n") == (404, "twin.module_not_found")


async def test_what_a_twin_may_not_hold_is_refused(desk: Desk) -> None:
    await desk.ok("POST", "/devices", json={"device_id": "d"})
    assert await desk.refused("PATCH", "/twins/d", json={"tags": {"a b": 1}}) == (400, "twin.invalid")
    assert await desk.refused("PATCH", "/twins/d", json={"tags": []}) == (400, "argument.invalid")
