"""Tests of console/routes/files.py."""

from tests.fakes.files import by_link, incoming
from tests.fakes.grants import by_device
from tests.unit.console.conftest import Desk

from ironhub.access.model import Permission
from ironhub.core.ids import identity
from ironhub.messaging.files.blobs import BlobHead
from ironhub.messaging.files.model import Outcome


async def put(desk: Desk, name: str, data: bytes = b"12345") -> None:
    await desk.services.blobs.put(by_link(Permission.BLOB_WRITE, name), incoming(data), BlobHead())


async def upload(desk: Desk, name: str) -> None:
    grant = by_device(Permission.FILE_UPLOAD, identity("d"))
    offer = await desk.services.uploads.begin(grant, name, host="hub.example")
    await put(desk, f"d/{name}")
    await desk.services.uploads.end(grant, offer.upload.correlation_id, Outcome(True, 200, ""))


async def test_notifications_are_listed_taken_and_dropped(desk: Desk) -> None:
    await desk.ok("POST", "/devices", json={"device_id": "d"})
    for name in ("a", "b", "c"):
        await upload(desk, name)
    listed = (await desk.ok("GET", "/files/notifications"))["notifications"]
    assert [(each["blob"], each["size"], each["delivery_count"]) for each in listed] == [
        ("d/a", 5, 0),
        ("d/b", 5, 0),
        ("d/c", 5, 0),
    ]
    assert listed[0]["uri"] == "https://hub.example/uploads/d/a"
    held = (await desk.ok("POST", "/files/notifications/receive", params={"limit": 2}))["deliveries"]
    first, second = (f"/files/notifications/locks/{each['lock_token']}" for each in held)
    assert await desk.ok("POST", f"{first}/complete") is None
    assert await desk.ok("POST", f"{second}/abandon") is None
    assert await desk.refused("POST", f"{first}/complete") == (412, "file.lock_lost")
    (again,) = (await desk.ok("POST", "/files/notifications/receive"))["deliveries"]
    assert again["notification"]["delivery_count"] == 1
    await desk.ok("DELETE", "/files/notifications", params={"up_to": 99})
    assert await desk.ok("GET", "/files/notifications") == {"notifications": []}


async def test_blobs_are_listed_and_deleted(desk: Desk) -> None:
    for name in ("a", "b"):
        await put(desk, name)
    page = await desk.ok("GET", "/files/containers/uploads/blobs", params={"limit": 1})
    assert ([each["name"] for each in page["blobs"]], page["after"]) == (["a"], "a")
    await desk.ok("DELETE", "/files/containers/uploads/blobs", params={"name": "a"})
    page = await desk.ok("GET", "/files/containers/uploads/blobs")
    assert [(each["name"], each["size"]) for each in page["blobs"]] == [("b", 5)]
    gone = await desk.refused("DELETE", "/files/containers/uploads/blobs", params={"name": "a"})
    assert gone == (404, "blob.not_found")


async def test_a_link_is_made_for_a_container(desk: Desk) -> None:
    made = await desk.ok("POST", "/files/containers/imports/link", json={"permissions": "rw", "host": "hub:8443"})
    assert made["url"].startswith("https://hub:8443/imports?sv=")
    assert "sp=rw" in made["url"]
    assert made["expires_at"] == "2026-05-28T21:26:40.000Z"
    assert (await desk.ok("POST", "/files/containers/imports/link", json={}))["url"].startswith("https://hub.example/")
    for container, body in (("devices", {}), ("imports", {"permissions": "rx"}), ("imports", {"hours": 0})):
        assert (await desk.refused("POST", f"/files/containers/{container}/link", json=body))[0] == 400
