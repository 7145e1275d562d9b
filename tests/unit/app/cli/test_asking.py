"""Tests of app/cli/asking.py."""

import io
import sys
from pathlib import Path

import pytest
import typer

from ironhub.app.cli.asking import confirm, json_of, read_file
from ironhub.app.cli.problems import UsageProblem


def test_json_comes_from_the_command_line_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("[1]")
    assert json_of(None, "--x") is None
    assert json_of("{}", "--x") == {}
    assert json_of(f"@{tmp_path / 'f'}", "--x") == [1]
    with pytest.raises(UsageProblem, match="--x is no JSON"):
        json_of("{", "--x")


def test_a_dash_is_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"[2]")))
    assert json_of("@-", "--x") == [2]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"raw")))
    assert read_file(Path("-")) == b"raw"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_people_are_asked_and_scripts_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    confirm("Delete?", yes=False)
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    confirm("Delete?", yes=False)
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    with pytest.raises(typer.Abort):
        confirm("Delete?", yes=False)
    confirm("Delete?", yes=True)
