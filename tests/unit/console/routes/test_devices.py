"""Tests of console/routes/devices.py."""

from base64 import b64encode

from tests.unit.console.conftest import Desk

from ironhub.core.ids import identity

THUMBPRINT = "AB:" * 19 + "AB"


async def test_a_new_device_has_keys_which_are_shown_only_where_asked_for(desk: Desk) -> None:
    device = await desk.ok("POST", "/devices", json={"device_id": "press-7"})
    assert device["status"] == "enabled"
    assert device["auth"] == {"kind": "sas", "keys": None, "thumbprints": None}
    shown = await desk.ok("GET", "/devices/press-7?keys=true")
    assert len(shown["auth"]["keys"]["primary"]) == 44
    assert shown["auth"]["keys"]["primary"] != shown["auth"]["keys"]["secondary"]
    assert (await desk.ok("GET", "/devices/press-7"))["auth"]["keys"] is None


async def test_keys_and_thumbprints_are_taken(desk: Desk) -> None:
    keys = {"primary": b64encode(b"p" * 16).decode(), "secondary": b64encode(b"s" * 64).decode()}
    body = {"device_id": "a", "auth": {"kind": "sas", "keys": keys}, "edge_capable": True}
    device = await desk.ok("POST", "/devices?keys=true", json=body)
    assert device["auth"]["keys"] == keys
    assert device["edge_capable"] is True
    auth = {"kind": "x509-thumbprint", "thumbprints": [THUMBPRINT]}
    device = await desk.ok("POST", "/devices", json={"device_id": "b", "auth": auth})
    assert device["auth"]["thumbprints"] == ["ab" * 20]


async def test_a_device_is_created_once(desk: Desk) -> None:
    await desk.ok("POST", "/devices", json={"device_id": "d"})
    assert await desk.refused("POST", "/devices", json={"device_id": "d"}) == (409, "device.exists")
    assert await desk.refused("POST", "/devices", json={"device_id": "a/b"}) == (400, "id.invalid")


async def test_devices_come_in_pages_ordered_by_id(desk: Desk) -> None:
    for name in "cab":
        await desk.ok("POST", "/devices", json={"device_id": name})
    first = await desk.ok("GET", "/devices?limit=2")
    assert [device["device_id"] for device in first["devices"]] == ["a", "b"]
    last = await desk.ok("GET", "/devices", params={"after": first["after"]})
    assert [device["device_id"] for device in last["devices"]] == ["c"]
    assert last["after"] is None
    assert await desk.refused("GET", "/devices?limit=0") == (400, "argument.invalid")


async def test_a_change_keeps_what_it_does_not_name(desk: Desk) -> None:
    before = await desk.ok("POST", "/devices?keys=true", json={"device_id": "d"})
    change = {"status": "disabled", "status_reason": "stolen"}
    after = await desk.ok("PATCH", "/devices/d?keys=true", json=change)
    assert (after["status"], after["status_reason"]) == ("disabled", "stolen")
    assert after["auth"] == before["auth"]
    assert after["etag"] != before["etag"]


async def test_a_change_with_a_stale_etag_changes_nothing(desk: Desk) -> None:
    before = await desk.ok("POST", "/devices", json={"device_id": "d"})
    current = {"If-Match": f'"{before["etag"]}"'}
    await desk.ok("PATCH", "/devices/d", json={"status": "disabled"}, headers=current)
    answer = await desk.refused("PATCH", "/devices/d", json={"status": "enabled"}, headers=current)
    assert answer == (412, "registry.etag_mismatch")
    assert (await desk.ok("GET", "/devices/d"))["status"] == "disabled"
    assert await desk.refused("DELETE", "/devices/d", headers=current) == (412, "registry.etag_mismatch")


async def test_a_deleted_device_is_gone(desk: Desk) -> None:
    await desk.ok("POST", "/devices", json={"device_id": "d"})
    assert await desk.ok("DELETE", "/devices/d") is None
    assert await desk.refused("GET", "/devices/d") == (404, "device.not_found")
    assert await desk.refused("DELETE", "/devices/d") == (404, "device.not_found")


async def test_an_id_may_hold_every_character_that_ids_may_hold(desk: Desk) -> None:
    strange = "a.b-%+_#*?!(),:=@$'"
    await desk.ok("POST", "/devices", json={"device_id": strange})
    escaped = "".join(f"%{ord(letter):02X}" for letter in strange)
    assert (await desk.ok("GET", f"/devices/{escaped}"))["device_id"] == strange
    assert desk.services.sessions.of(identity(strange)) is None


async def test_an_unknown_field_is_an_error(desk: Desk) -> None:
    assert await desk.refused("POST", "/devices", json={"device_id": "d", "colour": 1}) == (400, "argument.invalid")
