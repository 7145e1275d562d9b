"""Tests of app/cli/program.py: the whole command line as a shell sees it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from tests.unit.app.cli.conftest import Cli

from ironhub import __version__
from ironhub.app.cli import program
from ironhub.app.cli.command import Quiet

COMMAND = typer.main.get_command(program.app)


def leaves(command: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    below = getattr(command, "commands", None)
    if below is None:
        return [path]
    return [leaf for name, child in below.items() for leaf in leaves(child, (*path, name))]


LEAVES = leaves(COMMAND)


def test_the_commands_are_those_of_the_design() -> None:
    groups = {path[0] for path in LEAVES}
    assert groups == {
        *("serve", "quickstart", "connection-string", "device", "module", "twin", "method", "c2d", "monitor", "ca"),
        *(
            "policy",
            "consumer-group",
            "doctor",
            "backup",
            "restore",
            "simulate",
            "events",
            "files",
            "apply",
            "config",
            "job",
            "query",
        ),
    }


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_has_examples_and_takes_the_common_options(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.run([*path, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"ironhub {' '.join(path)}" in text.split("Examples:")[1]
    assert "--data" in text
    assert "--output" in text


@pytest.mark.parametrize("command", [("device", "list"), ("ca", "show"), ("backup", "b"), ("serve",)])
def test_a_file_in_place_of_the_data_directory_is_named_as_one(
    cli: Cli, tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "file").write_text("in the way")
    said = cli(*command, at=tmp_path / "file")
    assert said.err.startswith(f"error: data.unusable: {tmp_path / 'file'} is a file, not a directory (")


def test_nothing_said_is_answered_with_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.run([]) == 0
    assert "quickstart" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("device",), ("device", "list", "--nonsense"), ("device", "show"), ("monitor", "x")]
)
def test_a_wrong_command_line_is_one_line_and_exit_code_2(cli: Cli, arguments: tuple[str, ...]) -> None:
    said = cli(*arguments, at=None)
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert said.err.startswith("error: usage: ")


def test_the_data_directory_is_named_before_or_after_the_command_or_in_the_environment(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        cli("device", "create", name, at=tmp_path / name)
    place = str(tmp_path / "one")
    assert cli("--data", place, "-o", "json", "device", "list", at=None).json[0]["device_id"] == "one"
    monkeypatch.setenv("IRONHUB_DATA", str(tmp_path / "two"))
    assert cli("device", "list", "-o", "json", at=None).json[0]["device_id"] == "two"
    assert cli("--data", place, "device", "list", "-o", "json", at=None).json[0]["device_id"] == "one"
    assert cli("device", "list", "-o", "json", at=tmp_path / "one").json[0]["device_id"] == "one"


def test_a_directory_that_is_none_is_not_made_one_by_a_look(cli: Cli, tmp_path: Path) -> None:
    said = cli("device", "list", at=tmp_path / "typo")
    assert (said.code, said.err.split(":")[1]) == (1, " data.missing")
    assert not (tmp_path / "typo").exists()


@pytest.mark.parametrize(("raised", "code"), [(KeyboardInterrupt(), 130), (Quiet(5), 5)])
def test_an_end_that_needs_no_words(monkeypatch: pytest.MonkeyPatch, raised: BaseException, code: int) -> None:
    def command(**_: object) -> None:
        raise raised

    monkeypatch.setattr(typer.main, "get_command", lambda app: command)
    assert program.run(["x"]) == code


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    script = "import sys; from ironhub.app.cli.program import run; sys.stdin.read(); code = run(); sys.exit(code)"
    process = subprocess.Popen(
        [sys.executable, "-c", script, "device", "create", "--help"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": ":".join(sys.path), "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    assert process.communicate(timeout=30)[1] == b""


def test_output_that_nobody_reads_any_more_goes_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def command(**_: object) -> None:
        raise BrokenPipeError

    replaced: list[int] = []
    monkeypatch.setattr(typer.main, "get_command", lambda app: command)
    monkeypatch.setattr(sys, "stdout", sys.__stdout__)
    monkeypatch.setattr(os, "dup2", lambda source, target: replaced.append(target))
    assert program.run(["x"]) == 1
    assert replaced == [1]


def test_main_ends_the_process_with_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["ironhub", "nonsense"])
    with pytest.raises(SystemExit) as ended:
        program.main()
    assert ended.value.code == 2


def test_shells_can_complete_commands() -> None:
    environment = {"_IRONHUB_COMPLETE": "complete_bash", "COMP_WORDS": "ironhub dev", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", "from ironhub.app.cli import main; main()"],
        env={**environment, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "device" in done.stdout.split()


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.run(["--version"]) == 0
    assert capsys.readouterr().out == f"ironhub {__version__}\n"
