"""Tests of app/cli/events.py with no hub running; tests/e2e/test_command_line.py has one that runs."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.unit.app.cli.conftest import Cli

from ironhub.app.cli.command import Place
from ironhub.app.cli.events import Kind, events, line_of
from ironhub.app.cli.options import Output

EVENT = {
    "device_id": "press-7",
    "module_id": "arm",
    "kind": "twin_updated",
    "enqueued_at": "2026-05-28T20:26:40.000Z",
    "body": {"version": 3, "properties": {"desired": {"n": 1, "$metadata": {"n": {}}, "$version": 2}}},
}


class TellingHub:
    """Answers like the admin API of a hub with one event, and remembers what it was asked."""

    running = True

    def __init__(self) -> None:
        self.query: dict[str, Any] = {}

    @asynccontextmanager
    async def lines(self, *path: str, **query: Any) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        self.query = query
        yield self._events()

    async def _events(self) -> AsyncIterator[dict[str, Any]]:
        yield EVENT


def test_what_happened_is_told_after_the_fact_too(cli: Cli) -> None:
    cli("device", "create", "a")
    cli("twin", "update", "a", "--tags", '{"hall": "B2"}')
    cli("device", "create", "b")
    cli("device", "delete", "b", "--yes")
    told = cli("events", "--from", "earliest")
    assert told.code == 0, told.err
    assert "No hub runs" in told.err
    assert [line.split("  ")[1:3] for line in told.out.splitlines()] == [
        ["a", "device created"],
        ["a", "twin updated"],
        ["b", "device created"],
        ["b", "device deleted"],
    ]
    assert '"hall": "B2"' in told.out
    only = cli("events", "--from", "earliest", "--kind", "twin", "-o", "json")
    (event,) = [json.loads(line) for line in only.out.splitlines()]
    assert (event["kind"], event["device_id"]) == ("twin_updated", "a")
    assert len(cli("events", "--from", "earliest", "--device", "b").out.splitlines()) == 2
    assert len(cli("events", "--from", "earliest", "--count", "1").out.splitlines()) == 1


async def test_each_event_is_a_line_for_people_or_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    hub = TellingHub()
    await events(hub, Place(None, Output.TABLE), kind=[Kind.TWIN], device="d", start="60", count=3, timeout=9.0)  # type: ignore[arg-type]
    assert capsys.readouterr().out == f"{line_of(EVENT)}\n"
    query = {"from": "60", "kind": ["twin"], "device": "d", "count": 3, "timeout": 9.0, "follow": True}
    assert hub.query == query
    await events(hub, Place(None, Output.JSON))  # type: ignore[arg-type]
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == EVENT
    assert hub.query["kind"] == ["lifecycle", "twin", "connection"]


def test_a_line_tells_when_who_what_and_what_changed() -> None:
    assert line_of(EVENT) == (
        "2026-05-28T20:26:40.000Z  press-7/arm  twin updated  "
        '{"version": 3, "properties": {"desired": {"n": 1, "$version": 2}}}'
    )
    gone = {**EVENT, "module_id": None, "kind": "disconnected", "body": {"sequenceNumber": "0"}}
    assert line_of(gone) == "2026-05-28T20:26:40.000Z  press-7  disconnected"


def test_a_device_cannot_write_on_the_watchers_terminal() -> None:
    shown = line_of({**EVENT, "body": {"\x1b]0;owned\x07": "\r\nfake line"}})
    assert shown.isprintable()
    assert "\\n" in shown


def test_a_kind_that_is_none_is_a_usage_error(cli: Cli) -> None:
    assert cli("events", "--kind", "weather").code == 2
