"""What people see of an import or export that takes its time: a bar on a terminal, a line now and then elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from ironhub.app.cli.output import note
from ironhub.app.fleet.checkpoint import Progress
from ironhub.app.plain import one_line
from ironhub.core.clock import Clock

INTERVAL: Final = 5.0
"""Seconds between two lines."""


class Lines:
    """A line every few seconds, for logs and scripts; also tells every failure, as all watchers do."""

    def __init__(self, clock: Clock, total: int | None) -> None:
        self._clock = clock
        self._total = total
        self._begun = self._told = clock.monotonic()

    def failed(self, failure: dict[str, Any]) -> None:
        """Tell that one record changed nothing."""
        note(failure_line(failure))

    def moved(self, progress: Progress, read: int) -> None:
        """Tell how far it is, if the last time is long enough ago."""
        now = self._clock.monotonic()
        if now - self._told < INTERVAL:
            return
        self._told = now
        share = f", {100 * read // self._total} %" if self._total else ""
        rate = int(progress.done / max(now - self._begun, 0.001))
        note(f"{progress.position} rows{share}, {progress.failed} failed, {rate} a second")


class Bar:
    """A bar on a terminal."""

    def __init__(self, bar: Any, task: Any) -> None:
        self._bar = bar
        self._task = task

    def failed(self, failure: dict[str, Any]) -> None:
        """Tell that one record changed nothing."""
        self._bar.console.print(failure_line(failure), markup=False, highlight=False)

    def moved(self, progress: Progress, read: int) -> None:
        """Move the bar."""
        text = f"{progress.position} rows, {progress.failed} failed"
        self._bar.update(self._task, completed=read, description=text)


@contextmanager
def watching(clock: Clock, total: int | None) -> Iterator["Lines | Bar"]:
    """Yield who follows; `total` is the size of the file, None: nobody knows."""
    if not sys.stderr.isatty():
        yield Lines(clock, total)
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield Bar(bar, bar.add_task("0 rows", total=total))


def failure_line(failure: dict[str, Any]) -> str:
    """Return one failure as people read it."""
    who = "/".join(filter(None, (failure["device_id"], failure["module_id"])))
    place = f"line {failure['line']}" + (f": {who}" if who else "")
    return one_line(f"{place}: {failure['code']}: {failure['message']} ({failure['next_step']})")
