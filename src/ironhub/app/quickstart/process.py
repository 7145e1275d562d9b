"""A hub in a process of its own, unless one runs on the data directory already."""

import json
import re
import select
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from ironhub.app.cli.problems import Problem
from ironhub.app.datadir import DataDirectory

READY_WITHIN: Final = 30.0
STOP_WITHIN: Final = 20.0
"""Seconds."""
DIALLED: Final = 8883
"""The MQTT port that the vendor's SDK dials, whatever anybody says."""
_ERROR: Final = re.compile(r"error: (?P<code>[\w.]+): (?P<message>.*?) \((?P<step>.*)\)\Z")


@contextmanager
def hub_on(data: Path, *, program: Sequence[str] = (sys.executable, "-m", "ironhub")) -> Iterator[bool]:
    """Yield whether a hub was started for this; it is stopped at the end. One that runs already is left alone.

    Args:
        program: how to call the command line in a process of its own.

    Raises:
        Problem: it cannot start, for example because a port is taken, or devices could not reach it.
    """
    running = DataDirectory(data).running()
    if running is not None:
        _check_port(running.mqtt)
        yield False
        return
    with _started(data, program) as mqtt_port:
        _check_port(mqtt_port)
        yield True


@contextmanager
def _started(data: Path, program: Sequence[str]) -> Iterator[int]:
    # A session of its own: Ctrl-C is for us, and we stop the hub when the devices have said goodbye.
    command = [*program, "--data", str(data), "serve", "--log-level", "warning", "--log-format", "console"]
    process = subprocess.Popen(  # noqa: S603  # our own program
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    with process:
        try:
            yield _mqtt_port(process)
        finally:
            process.terminate()
            try:
                process.wait(STOP_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()


def _mqtt_port(process: "subprocess.Popen[str]") -> int:
    """Wait for the ready line. Raises Problem with what the hub said instead."""
    stdout = process.stdout
    if stdout is None or not select.select([stdout], [], [], READY_WITHIN)[0]:
        raise Problem("quickstart.not_ready", f"the hub was not ready within {READY_WITHIN:.0f} seconds", _LOOK)
    line = stdout.readline()
    if not line:
        raise _said(process.stderr)
    port: int = json.loads(line)["mqtt"]
    return port


_LOOK: Final = "Run `ironhub doctor`, or `ironhub serve` to see what it says."


def _said(stderr: IO[str] | None) -> Problem:
    """The hub ended: its own last error is ours."""
    for line in reversed((stderr.read() if stderr else "").splitlines()):
        if match := _ERROR.match(line):
            return Problem(match["code"], match["message"], match["step"])
    return Problem("quickstart.not_started", "the hub ended before it was ready", _LOOK)


def _check_port(mqtt_port: int) -> None:
    if mqtt_port != DIALLED:
        step = f"Give quickstart a data directory of its own (--data), or the hub the MQTT port {DIALLED}."
        raise Problem("quickstart.port", f"the vendor's SDK dials {DIALLED}; the hub listens on {mqtt_port}", step)
