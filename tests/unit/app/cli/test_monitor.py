"""Tests of app/cli/monitor.py with no hub running; test_client.py has one that runs."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.unit.app.cli.conftest import Cli

from ironhub.app.cli.command import Place
from ironhub.app.cli.monitor import line_of, monitor
from ironhub.app.cli.options import Output

EVENT = {
    "device_id": "press-7",
    "module_id": None,
    "enqueued_at": "2026-05-28T20:26:40.000Z",
    "body": "t=1",
    "properties": {"a": "1", "b": None},
}


def test_without_a_hub_it_shows_what_is_stored_and_ends(cli: Cli) -> None:
    cli("device", "create", "a")
    said = cli("monitor", "--from", "earliest")
    assert (said.code, said.out) == (0, "")
    assert "No hub runs" in said.err


class TellingHub:
    """Answers like the admin API of a hub with one message, and remembers what it was asked."""

    running = True

    def __init__(self) -> None:
        self.query: dict[str, Any] = {}

    @asynccontextmanager
    async def lines(self, *path: str, **query: Any) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        self.query = query
        yield self._events()

    async def _events(self) -> AsyncIterator[dict[str, Any]]:
        yield EVENT


async def test_each_message_is_a_line_for_people_or_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    hub = TellingHub()
    await monitor(hub, Place(None, Output.TABLE), device="d", start="60", count=3, timeout=9.0)  # type: ignore[arg-type]
    assert capsys.readouterr().out == f"{line_of(EVENT)}\n"
    assert hub.query == {"from": "60", "device": "d", "count": 3, "timeout": 9.0, "follow": True}
    await monitor(hub, Place(None, Output.JSON))  # type: ignore[arg-type]
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == EVENT


def test_where_to_begin_must_make_sense(cli: Cli) -> None:
    assert cli("monitor", "--from", "soon").err.startswith("error: argument.invalid:")


def test_a_line_tells_when_who_what_and_with_which_properties() -> None:
    assert line_of(EVENT) == "2026-05-28T20:26:40.000Z  press-7  t=1  a=1 b="
    assert line_of({**EVENT, "module_id": "arm", "body": {"t": 1}, "properties": {}}) == (
        '2026-05-28T20:26:40.000Z  press-7/arm  {"t": 1}'
    )


def test_a_device_cannot_write_on_the_watchers_terminal() -> None:
    shown = line_of({**EVENT, "body": "\x1b]0;owned\x07\r\nfake line", "properties": {"\x9b1m": "x"}})
    assert shown.isprintable()
    assert "\\x1b]0;owned\\x07\\r\\nfake line" in shown
