"""Answers, as a table for people or as JSON for programs."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ironhub.app.cli.options import Output
from ironhub.app.plain import plain

WIDE: Final = 500
"""Columns when nobody watches: nothing is folded for a program that reads along."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command found: `value` for programs, and what people see of it."""

    value: Any
    text: str | None = None
    """Shown as it is; None: `rows`."""
    columns: tuple[str, ...] = ()
    rows: Sequence[Sequence[Any]] = ()

    def print(self, output: Output) -> None:
        """Write it to stdout."""
        if output is Output.JSON:
            print_json(self.value)
        elif self.text is not None:
            print(self.text)  # noqa: T201
        else:
            _print_table(self.columns, self.rows)


def listed(columns: Sequence[str], rows: Sequence[Sequence[Any]], value: Any) -> Answer:
    """Return an answer of many things, a row each."""
    return Answer(value, columns=tuple(columns), rows=rows)


def detailed(pairs: dict[str, Any], value: Any) -> Answer:
    """Return an answer about one thing, a row for each of its properties that is known."""
    return Answer(value, columns=("", ""), rows=[(name, shown) for name, shown in pairs.items() if shown is not None])


def print_json(value: Any, *, indent: int | None = 2) -> None:
    """Write `value` as JSON to stdout, at once."""
    sys.stdout.write(json.dumps(value, indent=indent, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """Tell people something that is not part of the answer."""
    print(plain(text), file=sys.stderr, flush=True)  # noqa: T201


def shown(value: Any) -> str:
    """Return one value as a table shows it."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case str():
            return plain(value)
        case dict() | list():
            return plain(json.dumps(value, ensure_ascii=False))
    return str(value)


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_header=any(columns), pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(cell)) for cell in row))
    console = Console(width=None if sys.stdout.isatty() else WIDE)
    with console.capture() as drawn:
        console.print(table)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in drawn.get().splitlines()))
