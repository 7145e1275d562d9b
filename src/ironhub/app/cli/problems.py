"""What went wrong, in the one form that people and scripts get: `error: <code>: <message> (<next step>)`."""

import sys
from typing import Final, cast

import typer

from ironhub.app.plain import one_line
from ironhub.core.errors import HubError

FAILED: Final = 1
USAGE: Final = 2
REFUSED: Final = 3
INTERRUPTED: Final = 130

# The parser's errors have one base, which typer gives no public name.
_PARSER_ERROR: Final = cast("type[Exception]", typer.BadParameter.__mro__[2])


class Problem(Exception):
    """Something the hub answered, or that kept us from asking it."""

    def __init__(self, code: str, message: str, next_step: str, *, status: int = 500) -> None:
        super().__init__(message)
        self.code = code
        self.next_step = next_step
        self.status = status


class UsageProblem(Problem):
    """The arguments do not fit together."""

    def __init__(self, message: str, next_step: str = "See the command's --help.") -> None:
        super().__init__("usage", message, next_step, status=400)


EXPECTED: Final = (Problem, HubError, OSError, typer.Abort, _PARSER_ERROR)
"""What may go wrong with a command; anything else is a bug and shows its traceback."""


def report(error: BaseException) -> int:
    """Print one of the EXPECTED to stderr in one line and return the exit code."""
    match error:
        case UsageProblem():
            return _print(error.code, str(error), error.next_step, USAGE)
        case Problem() | HubError():
            code = REFUSED if error.status in (401, 403) else FAILED
            return _print(error.code, str(error), error.next_step, code)
        case typer.Abort():
            return _print("aborted", "nothing was changed", "Answer the question with y to go on.", FAILED)
        case OSError():
            place = f"{error.filename}: " if error.filename else ""
            return _print(
                "file.unusable", f"{place}{error.strerror or error}", "Check the path and its rights.", FAILED
            )
    return _print("usage", _usage(error), "See the command's --help.", USAGE)


def _print(code: str, message: str, next_step: str, exit_code: int) -> int:
    print(f"error: {code}: {one_line(message)} ({one_line(next_step)})", file=sys.stderr)  # noqa: T201
    return exit_code


def _usage(error: BaseException) -> str:
    shown = getattr(error, "format_message", error.__str__)()
    return str(shown) or "a command is missing"
