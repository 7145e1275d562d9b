"""Tests of app/cli/monitor.py with no hub running; test_client.py has one that runs."""

from tests.unit.app.cli.conftest import Cli

from ironhub.app.cli.monitor import line_of

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
