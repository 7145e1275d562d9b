"""Tests of console/routes/messaging.py."""

import asyncio
from base64 import b64encode

from tests.fakes.grants import by_device
from tests.unit.console.conftest import Desk

from ironhub.access.model import Permission
from ironhub.core.ids import identity
from ironhub.messaging.methods.model import MethodAnswer


async def test_a_method_call_returns_what_the_device_says(desk: Desk) -> None:
    await desk.ok("POST", "/devices", json={"device_id": "d"})
    session = desk.connect("d")
    call = asyncio.create_task(desk.ok("POST", "/devices/d/methods", json={"name": "reboot", "payload": {"in": 3}}))
    while not session.calls:
        await asyncio.sleep(0)
    request_id, name, payload = session.calls[0]
    assert (name, payload) == ("reboot", b'{"in":3}')
    grant = by_device(Permission.METHOD_ANSWER, identity("d"))
    desk.services.methods.answer(grant, request_id, MethodAnswer(207, b'{"ok":true}'))
    assert await call == {"status": 207, "payload": {"ok": True}}


async def test_a_method_of_a_device_that_is_away_fails(desk: Desk) -> None:
    await desk.ok("POST", "/devices", json={"device_id": "d"})
    refused = await desk.refused("POST", "/devices/d/methods", json={"name": "reboot"})
    assert refused == (404, "method.device_not_online")


async def test_a_command_waits_until_it_is_purged(desk: Desk) -> None:
    await desk.ok("POST", "/devices", json={"device_id": "d"})
    sent = await desk.ok("POST", "/devices/d/commands", json={"body": "open", "message_id": "m-1", "ttl": 60})
    assert (sent["message_id"], sent["device_id"], sent["sequence_number"]) == ("m-1", "d", 1)
    assert sent["enqueued_at"] == "2026-05-28T20:26:40.000Z"
    assert sent["expires_at"] == "2026-05-28T20:27:40.000Z"
    assert await desk.ok("GET", "/devices/d/commands") == {"pending": 1}
    assert await desk.ok("DELETE", "/devices/d/commands") == {"purged": 1}
    assert await desk.ok("GET", "/devices/d/commands") == {"pending": 0}


async def test_a_command_carries_bytes_and_properties_to_the_device(desk: Desk) -> None:
    await desk.ok("POST", "/devices", json={"device_id": "d"})
    body = {"body_base64": b64encode(b"\xff\x00").decode(), "properties": {"a": "b"}, "content_type": "x/y"}
    await desk.ok("POST", "/devices/d/commands", json=body)
    (held,) = await desk.services.commands.receive(by_device(Permission.COMMAND_RECEIVE, identity("d")))
    assert held.command.body == b"\xff\x00"
    assert (held.command.properties, held.command.content_type) == ({"a": "b"}, "x/y")


async def test_feedback_is_read_and_forgotten(desk: Desk) -> None:
    await desk.ok("POST", "/devices", json={"device_id": "d"})
    await desk.ok("POST", "/devices/d/commands", json={"body": "x", "message_id": "m", "ack": "full"})
    grant = by_device(Permission.COMMAND_RECEIVE, identity("d"))
    (held,) = await desk.services.commands.receive(grant)
    await desk.services.commands.complete(grant, held.lock_token)
    (record,) = (await desk.ok("GET", "/feedback"))["feedback"]
    assert (record["device_id"], record["message_id"], record["outcome"]) == ("d", "m", "success")
    assert (await desk.ok("GET", "/feedback", params={"after": record["record_id"]}))["feedback"] == []
    await desk.ok("DELETE", "/feedback", params={"up_to": record["record_id"]})
    assert (await desk.ok("GET", "/feedback"))["feedback"] == []
