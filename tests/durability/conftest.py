"""Hubs in processes of their own; none outlives its test, however that ends."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.fakes.running_hub import RunningHub

MakeHub = Callable[..., RunningHub]

_TRACEABLE: Final = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_ulong(-1), 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""PR_SET_PTRACER: where a process may trace its children only (Yama), strace may attach to this one all the same."""


class TraceableHub(RunningHub):
    """A hub that strace may attach to, though nobody is root."""

    @property
    def command(self) -> list[str]:
        """The command line of the hub."""
        return [sys.executable, "-c", _TRACEABLE, *super().command]


@pytest.fixture
def make_hub(tmp_path: Path) -> Iterator[MakeHub]:
    """Make hubs, not started yet, each on the data directory given or one of its own."""
    made: list[RunningHub] = []

    def make(data: Path | None = None, *arguments: str) -> RunningHub:
        made.append(TraceableHub(data or tmp_path / "data", arguments=arguments))
        return made[-1]

    yield make
    for hub in made:
        if hub.alive:
            hub.kill()
