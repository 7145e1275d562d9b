"""Tests of console/routes/configurations.py."""

from typing import Any

from tests.unit.console.conftest import Desk

SPEED: dict[str, Any] = {
    "id": "speed",
    "content": {"device": {"settings.speed": 3, "": {"n": 1}}},
    "target": "tags.hall = 'b'",
    "priority": 4,
    "labels": {"by": "plant"},
    "metrics": {"all": "SELECT deviceId FROM devices"},
}


async def test_a_configuration_from_its_beginning_to_its_end(desk: Desk) -> None:
    made = await desk.ok("POST", "/configurations", json=SPEED)
    assert {name: made[name] for name in SPEED} == SPEED
    assert (made["kind"], made["results"]) == ("device", None)
    assert await desk.ok("GET", "/configurations/speed") == made
    assert (await desk.ok("GET", "/configurations"))["configurations"] == [made]
    stale = {"If-Match": '"stale"'}
    answer = await desk.refused("PATCH", "/configurations/speed", json={"priority": 5}, headers=stale)
    assert answer == (412, "configuration.etag_mismatch")
    changed = await desk.ok("PATCH", "/configurations/speed", json={"priority": 5})
    assert (changed["priority"], changed["target"]) == (5, SPEED["target"])
    answer = await desk.refused("DELETE", "/configurations/speed", headers=stale)
    assert answer == (412, "configuration.etag_mismatch")
    await desk.ok("DELETE", "/configurations/speed")
    assert await desk.refused("GET", "/configurations/speed") == (404, "configuration.not_found")


async def test_what_cannot_be_is_refused(desk: Desk) -> None:
    for change, code in (
        ({"id": "Speed"}, "configuration.invalid"),
        ({"target": "tags."}, "configuration.target_invalid"),
        ({"metrics": {"a": "SELECT"}}, "configuration.metric_invalid"),
        ({"content": None}, "configuration.content_invalid"),
        ({"content": {}}, "argument.invalid"),
        ({"content": {"device": {}, "module": {}}}, "argument.invalid"),
        ({"content": {"device": {}}}, "configuration.content_invalid"),
        ({"content": {"other": {}}}, "argument.invalid"),
    ):
        assert await desk.refused("POST", "/configurations", json=SPEED | change) == (400, code)


async def test_conditions_are_tried(desk: Desk) -> None:
    good = {"target": "*", "metrics": SPEED["metrics"]}
    assert await desk.ok("POST", "/configuration-test", json=good) == {"target": None, "metrics": {}}
    told = await desk.ok("POST", "/configuration-test", json={"target": "tags.", "metrics": {"a": "SELECT"}})
    assert told["target"]
    assert told["metrics"]["a"]


async def test_content_is_written_to_one_device_and_its_modules(desk: Desk) -> None:
    await desk.ok("POST", "/devices", json={"device_id": "press-7"})
    content = {"device": {"a": 1}, "modules": {"eye": {"lens.f": 2}}}
    await desk.ok("POST", "/devices/press-7/content", json=content)
    assert (await desk.ok("GET", "/twins/press-7"))["desired"]["properties"] == {"a": 1}
    assert (await desk.ok("GET", "/twins/press-7?module=eye"))["desired"]["properties"] == {"lens": {"f": 2}}
    assert await desk.refused("POST", "/devices/nobody/content", json=content) == (404, "twin.not_found")
