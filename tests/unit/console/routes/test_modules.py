"""Tests of console/routes/modules.py."""

from tests.unit.console.conftest import Desk


async def test_a_module_lives_with_its_device(desk: Desk) -> None:
    assert await desk.refused("POST", "/devices/d/modules", json={"module_id": "m"}) == (404, "device.not_found")
    await desk.ok("POST", "/devices", json={"device_id": "d"})
    made = await desk.ok("POST", "/devices/d/modules?keys=true", json={"module_id": "m", "managed_by": "x"})
    assert (made["device_id"], made["module_id"], made["managed_by"]) == ("d", "m", "x")
    assert made["auth"]["keys"]["primary"]
    assert await desk.ok("GET", "/devices/d/modules/m?keys=true") == made
    listed = (await desk.ok("GET", "/devices/d/modules"))["modules"]
    assert [(module["module_id"], module["auth"]["keys"]) for module in listed] == [("m", None)]
    await desk.ok("DELETE", "/devices/d")
    assert await desk.refused("GET", "/devices/d/modules/m") == (404, "device.not_found")


async def test_a_module_changes_and_goes(desk: Desk) -> None:
    await desk.ok("POST", "/devices", json={"device_id": "d"})
    made = await desk.ok("POST", "/devices/d/modules", json={"module_id": "m"})
    changed = await desk.ok("PATCH", "/devices/d/modules/m", json={"auth": {"kind": "x509-ca"}})
    assert changed["auth"]["kind"] == "x509-ca"
    stale = {"If-Match": made["etag"]}
    refused = await desk.refused("PATCH", "/devices/d/modules/m", json={"managed_by": "y"}, headers=stale)
    assert refused == (412, "registry.etag_mismatch")
    await desk.ok("DELETE", "/devices/d/modules/m", headers={"If-Match": changed["etag"]})
    assert await desk.refused("GET", "/devices/d/modules/m") == (404, "module.not_found")
