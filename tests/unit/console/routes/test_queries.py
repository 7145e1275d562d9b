"""Tests of console/routes/queries.py."""

from tests.unit.console.conftest import Desk


async def test_a_query_is_answered_page_by_page(desk: Desk) -> None:
    for name in ("a", "b", "c"):
        await desk.ok("POST", "/devices", json={"device_id": name})
    asked = {"query": "SELECT deviceId FROM devices", "limit": 2}
    first = await desk.ok("POST", "/query", json=asked)
    assert (first["item_type"], first["rows"]) == ("raw", [{"deviceId": "a"}, {"deviceId": "b"}])
    second = await desk.ok("POST", "/query", json={**asked, "continuation": first["continuation"]})
    assert (second["rows"], second["continuation"]) == ([{"deviceId": "c"}], None)


async def test_whole_twins_are_as_back_ends_see_them(desk: Desk) -> None:
    await desk.ok("POST", "/devices", json={"device_id": "a"})
    answer = await desk.ok("POST", "/query", json={"query": "SELECT * FROM devices"})
    assert answer["item_type"] == "Twin"
    assert answer["rows"][0]["deviceId"] == "a"
    assert "primary" not in str(answer).replace("primaryThumbprint", "")


async def test_what_is_no_query_or_no_token_is_refused(desk: Desk) -> None:
    assert await desk.refused("POST", "/query", json={"query": "SELECT"}) == (400, "query.invalid")
    text = "SELECT * FROM devices"
    forged = {"query": text, "continuation": "AAAA"}
    assert await desk.refused("POST", "/query", json=forged) == (400, "query.continuation_invalid")
    for size in (0, 1001):
        answer = await desk.refused("POST", "/query", json={"query": text, "limit": size})
        assert answer == (400, "argument.invalid")
