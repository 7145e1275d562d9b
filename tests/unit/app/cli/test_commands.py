"""Tests of app/cli/commands.py."""

from pathlib import Path

import pytest
from tests.unit.app.cli.conftest import Cli


def test_a_command_waits_until_it_is_purged(cli: Cli, tmp_path: Path) -> None:
    cli("device", "create", "a")
    sent = cli("c2d", "send", "a", "open", "--message-id", "m-1", "--ttl", "60", "--property", "k=v=w", "-o", "json")
    assert sent.json["message_id"] == "m-1"
    assert "waits for a until" in cli("c2d", "send", "a", "--body", "again").out
    blob = tmp_path / "blob"
    blob.write_bytes(b"\xff\x00")
    assert cli("c2d", "send", "a", "--file", str(blob), "--ack", "full").code == 0
    assert cli("device", "show", "a", "-o", "json").json["pending_commands"] == 3
    assert cli("c2d", "purge", "a", "--yes").out == "3 removed.\n"


def test_feedback_is_shown_and_forgotten(cli: Cli) -> None:
    cli("device", "create", "b")
    cli("c2d", "send", "b", "x", "--ack", "full", "--message-id", "m-2")
    cli("c2d", "purge", "b")
    assert "m-2" in cli("c2d", "feedback").out
    records = cli("c2d", "feedback", "--drop", "-o", "json").json
    assert {record["outcome"] for record in records} == {"purged"}
    assert cli("c2d", "feedback", "-o", "json").json == []


@pytest.mark.parametrize(
    "arguments", [(), ("x", "--body", "y"), ("x", "--property", "novalue"), ("x", "--property", "=v")]
)
def test_what_to_send_must_be_clear(cli: Cli, arguments: tuple[str, ...]) -> None:
    assert cli("c2d", "send", "a", *arguments).code == 2


def test_a_file_that_is_not_there_is_named(cli: Cli) -> None:
    said = cli("c2d", "send", "a", "--file", "/nowhere")
    assert (said.code, said.err) == (
        1,
        "error: file.unusable: /nowhere: No such file or directory (Check the path and its rights.)\n",
    )
