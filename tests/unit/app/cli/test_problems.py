"""Tests of app/cli/problems.py."""

import pytest
import typer

from ironhub.app.cli.problems import EXPECTED, Problem, UsageProblem, report
from ironhub.core.errors import InvalidArgument, Unavailable


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (Problem("a.b", "it\nbroke", "mend it", status=409), 1, "error: a.b: it broke (mend it)"),
        (Problem("a.b", "no", "ask", status=403), 3, "error: a.b: no (ask)"),
        (Problem("a.b", "no", "ask", status=401), 3, "error: a.b: no (ask)"),
        (UsageProblem("say more"), 2, "error: usage: say more (See the command's --help.)"),
        (Unavailable("full"), 1, f"error: hub.unavailable: full ({Unavailable.next_step})"),
        (InvalidArgument("\x1b[31m"), 1, f"error: argument.invalid: \\x1b[31m ({InvalidArgument.next_step})"),
        (typer.BadParameter("bad"), 2, "error: usage: Invalid value: bad (See the command's --help.)"),
        (typer.Abort(), 1, "error: aborted: nothing was changed (Answer the question with y to go on.)"),
        (PermissionError(13, "Denied", "/x"), 1, "error: file.unusable: /x: Denied (Check the path and its rights.)"),
        (OSError("odd"), 1, "error: file.unusable: odd (Check the path and its rights.)"),
    ],
)
def test_a_problem_is_one_line_and_an_exit_code(
    error: Exception, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert isinstance(error, EXPECTED)
    assert report(error) == code
    assert capsys.readouterr() == ("", f"{line}\n")


def test_a_problem_carries_what_the_caller_can_do() -> None:
    problem = UsageProblem("say more", "Say it.")
    assert (problem.code, problem.next_step, problem.status, str(problem)) == ("usage", "Say it.", 400, "say more")
