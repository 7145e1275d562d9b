"""`python -m ironhub` as people and scripts run it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from tests.fakes.running_hub import hub_environment

TIMEOUT: Final = 60.0
"""Seconds a command may take."""


class CommandLine:
    """The command line for one data directory."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command and return its process; stdout and stderr are pipes."""
        return subprocess.Popen(
            [sys.executable, "-m", "ironhub", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=hub_environment(IRONHUB_DATA=str(self.data)),
        )

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run a command to its end, check its exit code, and return what it printed: stderr when it must fail."""
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=TIMEOUT)
        assert process.returncode == code, f"{arguments}: exit {process.returncode}: {err}"
        return err if code else out

    def ask(self, *arguments: str) -> Any:
        """Run a command and return the JSON that it printed."""
        return json.loads(self.run(*arguments, "-o", "json"))

    def lines(self, *arguments: str) -> list[Any]:
        """Run a command and return the lines of JSON that it printed."""
        return [json.loads(line) for line in self.run(*arguments, "-o", "json").splitlines()]
