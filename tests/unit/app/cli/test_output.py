"""Tests of app/cli/output.py."""

import pytest

from ironhub.app.cli.options import Output
from ironhub.app.cli.output import Answer, detailed, listed, note, print_json, shown


def test_a_table_has_a_line_per_thing_and_no_trailing_blanks(capsys: pytest.CaptureFixture[str]) -> None:
    listed(("A", "B"), [("[red]x[/]", None), ("y" * 120, True)], []).print(Output.TABLE)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert "[red]x[/]" in lines[2]
    assert "y" * 120 in lines[3]
    assert all(line == line.rstrip() for line in lines)


def test_details_leave_out_what_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    detailed({"id": "a", "reason": None}, {}).print(Output.TABLE)
    out = capsys.readouterr().out
    assert "id" in out
    assert "reason" not in out


def test_text_is_printed_as_it_is_and_json_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    Answer({"a": "ü"}, "just this").print(Output.TABLE)
    Answer({"a": "ü"}, "just this").print(Output.JSON)
    print_json([1], indent=None)
    assert capsys.readouterr().out == 'just this\n{\n  "a": "ü"\n}\n[1]\n'


def test_notes_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    note("by the \x07way")
    assert capsys.readouterr() == ("", "by the \\x07way\n")


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (True, "yes"), (False, "no"), (3, "3"), ("\x1b", "\\x1b"), ({"a": [1]}, '{"a": [1]}')],
)
def test_values_as_people_read_them(value: object, text: str) -> None:
    assert shown(value) == text
