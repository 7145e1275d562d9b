"""Telemetry as it arrives: a table that follows on a terminal, lines elsewhere, JSON for programs."""

import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

from ironhub.app.cli.output import print_json, shown
from ironhub.app.plain import plain

KEPT: Final = 15
"""Rows of the table."""


class Show(Protocol):
    """Shows one message after the other."""

    def arrived(self, event: dict[str, Any], latency: float) -> None:
        """Show one message; `latency`: seconds from the SDK's send to its arrival here, out of the hub's log."""


class Lines:
    """One line per message."""

    def arrived(self, event: dict[str, Any], latency: float) -> None:
        """Print it."""
        print(f"{cells(event, latency)[0]}  {'  '.join(cells(event, latency)[1:])}", flush=True)  # noqa: T201


class JsonLines:
    """One JSON object per message."""

    def arrived(self, event: dict[str, Any], latency: float) -> None:
        """Print it."""
        print_json({**event, "latency_ms": round(latency * 1000, 2)}, indent=None)


class LiveTable:
    """The last messages in a table that stays in place."""

    def __init__(self, live: Any) -> None:
        self._live = live
        self._rows: deque[tuple[str, ...]] = deque(maxlen=KEPT)

    def arrived(self, event: dict[str, Any], latency: float) -> None:
        """Add it at the end."""
        from rich.table import Table
        from rich.text import Text

        self._rows.append(cells(event, latency))
        table = Table("STORED AT", "DEVICE", "TELEMETRY", "LATENCY", title="Telemetry, out of the hub's log")
        for row in self._rows:
            table.add_row(*(Text(cell) for cell in row))
        self._live.update(table)


def cells(event: dict[str, Any], latency: float) -> tuple[str, ...]:
    """Return what people see of one message."""
    return (
        plain(event["enqueued_at"]),
        plain(event["device_id"]),
        shown(event["body"]),
        f"{latency * 1000:.1f} ms",
    )


@contextmanager
def showing(*, as_json: bool) -> Iterator[Show]:
    """Yield what suits where stdout goes."""
    if as_json:
        yield JsonLines()
    elif not sys.stdout.isatty():
        yield Lines()
    else:
        from rich.live import Live

        with Live(refresh_per_second=8) as live:
            yield LiveTable(live)
