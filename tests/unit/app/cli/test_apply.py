"""Tests of app/cli/apply.py; tests/unit/app/apply/ has what it does."""

from pathlib import Path

from tests.unit.app.cli.conftest import Cli

from ironhub.app.apply.plan import Change, Kind
from ironhub.app.cli.apply import MAX_SHOWN, _plan_lines


def test_it_wants_a_file_or_where_to_write_one(cli: Cli, tmp_path: Path) -> None:
    assert cli("apply").code == 2
    assert cli("apply", "-f", "a", "--export", "b").code == 2
    assert cli("apply", "-f", str(tmp_path / "none.yaml")).err.startswith("error: file.unusable: ")


def test_a_mistake_in_the_file_is_told_with_its_line(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "hub.yaml"
    file.write_text("version: 1\ndevices:\n- id: a\n  colour: red\n")
    said = cli("apply", "-f", str(file))
    assert said.code == 1
    assert said.err.startswith("error: apply.file_invalid: line 4: devices.0.colour: ")


def test_a_plan_ends_where_nobody_reads_on() -> None:
    changes = [Change(Kind.CREATE, f"device {number}", ("+ auth: sas",)) for number in range(MAX_SHOWN + 7)]
    lines = _plan_lines(changes)
    assert lines[:2] == ["+ device 0", "    + auth: sas"]
    assert lines[-1] == "… and 7 more"
    assert len(lines) == 2 * MAX_SHOWN + 1


def test_what_a_device_wrote_does_nothing_to_the_terminal(cli: Cli, tmp_path: Path) -> None:
    cli("device", "create", "a")
    cli("twin", "update", "a", "--tags", '{"x": "\\u009b2J"}')
    file = tmp_path / "hub.yaml"
    file.write_text("version: 1\ndevices: [{id: a, tags: {x: null}}]\n")
    said = cli("apply", "-f", str(file), "--plan")
    assert "- tags.x: " in said.err
    assert "\x9b" not in said.err


def test_it_shows_makes_and_writes_what_the_hub_holds(cli: Cli, tmp_path: Path) -> None:
    file, copy = tmp_path / "hub.yaml", tmp_path / "copy.yaml"
    file.write_text("version: 1\ndevices: [{id: shown}]\n")
    planned = cli("apply", "-f", str(file), "--plan")
    assert (planned.out, "+ device shown" in planned.err) == ("Plan: 1 to create, 0 to change, 0 to delete.\n", True)
    assert cli("apply", "-f", str(file), "-o", "json").json["applied"] is True
    assert cli("apply", "-f", str(file)).out == "No changes: the hub holds what the file says.\n"
    assert "It holds no keys." in cli("apply", "--export", str(copy)).out
    assert copy.read_text() == cli("apply", "--export", "-").out
    assert cli("apply", "--export", str(copy)).err.startswith("error: file.unusable: ")
