"""Tests of console/routes/events.py."""

import asyncio
import json
from typing import Any

from tests.fakes.streams import stored
from tests.unit.console.conftest import Desk

from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import device_id, identity
from ironhub.messaging.telemetry.facts import entry_of
from ironhub.messaging.telemetry.model import Source


async def lines(desk: Desk, **query: Any) -> list[dict[str, Any]]:
    response = await desk.client.get("/api/v1/events", params=query)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in response.text.splitlines()]


async def test_what_is_stored_is_given_oldest_first_across_partitions(desk: Desk) -> None:
    for number in range(12):
        await desk.tell(f"device-{number}", [b"%d" % number])
        desk.clock.advance(1)
    events = await lines(desk, **{"from": "earliest", "follow": False})
    assert [event["body"] for event in events] == [str(number) for number in range(12)]
    assert len({event["partition"] for event in events}) > 1


async def test_an_event_names_its_device_its_place_and_its_properties(desk: Desk) -> None:
    await desk.tell("press-7", [b'{"t":1}'])
    (event,) = await lines(desk, **{"from": "earliest", "count": 1})
    assert (event["device_id"], event["module_id"], event["sequence_number"]) == ("press-7", None, 0)
    assert event["enqueued_at"] == "2026-05-28T20:26:40.000Z"
    assert (event["body"], event["properties"]) == ('{"t":1}', {"n": "1"})
    assert event["system_properties"]["iothub-connection-device-id"] == "press-7"


async def test_latest_begins_behind_what_is_there_when_the_answer_begins(desk: Desk) -> None:
    await desk.tell("d", [b"old"])
    async with desk.client.stream("GET", "/api/v1/events?from=latest&count=1") as response:
        await desk.tell("d", [b"new"])
        (line,) = [json.loads(line) async for line in response.aiter_lines()]
    assert line["body"] == "new"


async def test_seconds_ago_begins_there(desk: Desk) -> None:
    await desk.tell("d", [b"old"])
    desk.clock.advance(100)
    await desk.tell("d", [b"young"])
    assert [event["body"] for event in await lines(desk, **{"from": "50", "follow": False})] == ["young"]


async def test_only_one_device_is_told_when_asked(desk: Desk) -> None:
    await desk.tell("a", [b"1", b"2"])
    await desk.tell("b", [b"3"])
    events = await lines(desk, **{"from": "earliest", "device": "b", "follow": False})
    assert [event["body"] for event in events] == ["3"]


async def test_facts_are_told_only_when_asked_for(desk: Desk) -> None:
    await desk.tell("d", [b"{}"], source=Source.FACT)
    assert await lines(desk, **{"from": "earliest", "follow": False}) == []
    assert len(await lines(desk, **{"from": "earliest", "follow": False, "facts": True})) == 1


async def test_exactly_the_kinds_that_are_named_are_told(desk: Desk) -> None:
    await desk.tell("d", [b"{}"])
    for kind in (FactKind.CONNECTED, FactKind.TWIN_UPDATED, FactKind.DEVICE_CREATED):
        await stored(desk.log, desk.log.partition_of(device_id("d")), [entry_of(Fact(kind, identity("d"), 1.0, {}))])
    told = await lines(desk, **{"from": "earliest", "follow": False, "kind": ["connection", "telemetry"]})
    assert [event["kind"] for event in told] == ["telemetry", "connected"]
    told = await lines(desk, **{"from": "earliest", "follow": False, "kind": "twin"})
    assert [event["kind"] for event in told] == ["twin_updated"]
    assert await desk.refused("GET", "/events", params={"kind": "weather"}) == (400, "argument.invalid")


async def test_a_reader_that_goes_away_ends_the_reading(desk: Desk) -> None:
    before = len(asyncio.all_tasks())
    async with desk.client.stream("GET", "/api/v1/events") as response:
        assert response.status_code == 200
    assert len(asyncio.all_tasks()) == before


async def test_where_to_begin_must_make_sense(desk: Desk) -> None:
    for start in ("yesterday", "-1", "inf", "nan"):
        assert await desk.refused("GET", "/events", params={"from": start}) == (400, "argument.invalid")
    assert await desk.refused("GET", "/events", params={"device": "a/b"}) == (400, "id.invalid")
