"""What people type or point at: answers to questions, JSON, files."""

import json
import sys
from pathlib import Path
from typing import Any

import typer

from ironhub.app.cli.problems import UsageProblem

STDIN = "-"


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something that cannot be undone; scripts, which nobody answers, are not asked.

    Raises:
        typer.Abort: the answer is no.
    """
    if not yes and sys.stdin.isatty() and sys.stdout.isatty():
        typer.confirm(question, abort=True, err=True)


def json_of(text: str | None, name: str) -> Any:
    """Return the value of an option that is JSON, or `@file` (`@-`: stdin) with JSON in it; None: not given.

    Raises:
        UsageProblem: it is no JSON.
        OSError: the file cannot be read.
    """
    if text is None:
        return None
    source = read_file(Path(text[1:])).decode("utf-8", "replace") if text.startswith("@") else text
    try:
        return json.loads(source)
    except ValueError as error:
        raise UsageProblem(f"{name} is no JSON: {error}", "Quote it for the shell, or give @file.") from None


def read_file(path: Path) -> bytes:
    """Return the content of a file, "-": of stdin. Raises OSError."""
    return sys.stdin.buffer.read() if str(path) == STDIN else path.read_bytes()
