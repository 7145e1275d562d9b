"""How a simulation goes: a line that stays in place on a terminal, a line now and then elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from ironhub.app.cli.output import note
from ironhub.app.simulator.plant import Counts

EVERY: Final = 10.0
"""Seconds between two lines where nobody watches."""
SOON: Final = 0.5
"""Seconds between two changes of the line on a terminal."""


def line_of(counts: Counts, devices: int, passed: float) -> str:
    """Return how it goes after `passed` seconds, for people."""
    rate = counts.acked / passed if passed else 0.0
    return (
        f"{counts.connected:,} of {devices:,} connected  {counts.acked:,} stored ({rate:,.0f}/s)  "
        f"{counts.warnings:,} warnings  {counts.faults:,} faults  {counts.repairs:,} repairs  "
        f"{counts.reconnects:,} reconnects"
    )


def summary_of(counts: Counts, devices: int, passed: float, seed: int) -> dict[str, Any]:
    """Return what a simulation came to, for programs."""
    return {"devices": devices, "seconds": round(passed, 3), "seed": seed, **counts.as_dict()}


@contextmanager
def showing(*, quiet: bool) -> Iterator[tuple[float, Callable[[str], None]]]:
    """Yield how often to tell and what takes it; everything goes to stderr, where it is in nobody's way."""
    if quiet:
        yield EVERY, _nothing
    elif not sys.stderr.isatty():
        yield EVERY, note
    else:
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        with Live(Text(""), console=Console(stderr=True), refresh_per_second=4, transient=True) as live:
            yield SOON, lambda line: live.update(Text(line))


def _nothing(_line: str) -> None:
    """For programs, which read the summary."""
