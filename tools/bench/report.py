"""The rows of the result, and how they are shown."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from tools.bench.stats import Spread, short


class Table(StrEnum):
    """Which question a row answers; the value is the table's heading."""

    BESIDE = "Beside its peers"
    GROWTH = "How it grows"
    ALONE = "By itself"


COLUMNS: dict[Table, tuple[str, str, str]] = {
    Table.BESIDE: ("ironhub", "peer", "ratio"),
    Table.GROWTH: ("largest", "smallest", "growth"),
    Table.ALONE: ("found", "compared with", "ratio"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement, and what it is held against."""

    table: Table
    name: str
    unit: str
    found: Spread
    base: Spread | None = None
    base_name: str = ""
    target: float | None = None
    """The ratio to the base that it should not exceed."""

    @property
    def ratio(self) -> float | None:
        """The median over the base's; None: there is no base, or it is zero."""
        return None if self.base is None or self.base.median == 0 else self.found.median / self.base.median

    @property
    def verdict(self) -> str:
        """`met`, `MISSED`, or nothing where there is no target."""
        if self.target is None or self.ratio is None:
            return ""
        return "met" if self.ratio <= self.target else "MISSED"

    def as_json(self) -> dict[str, Any]:
        """Return everything, ratio and verdict included."""
        return {**asdict(self), "ratio": self.ratio, "verdict": self.verdict}


def render(rows: Sequence[Row]) -> str:
    """Return all tables as Markdown, aligned."""
    tables = ((table, [row for row in rows if row.table is table]) for table in Table)
    return "\n\n".join(f"## {table}\n\n{_table(table, found)}" for table, found in tables if found)


def _table(table: Table, rows: Sequence[Row]) -> str:
    found, base, ratio = COLUMNS[table]
    lines = [["measured", "unit", found, base, ratio, "target", ""], *map(_cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(_line(line, widths) for line in lines)


def _cells(row: Row) -> list[str]:
    base = "" if row.base is None else f"{row.base} {row.base_name}".strip()
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    target = "" if row.target is None else f"<= {short(row.target)}"
    return [row.name, row.unit, str(row.found), base, ratio, target, row.verdict]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return f"| {' | '.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))} |"
