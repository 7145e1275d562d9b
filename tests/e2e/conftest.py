"""Hubs in processes of their own, for the vendor's unmodified SDKs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.fakes.running_hub import RunningHub

StartHub = Callable[..., RunningHub]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub shared by the tests of one module; each test registers devices of its own."""
    running = RunningHub(tmp_path_factory.mktemp("hub") / "data").start()
    yield running
    assert running.stop() == 0, running.log[-2000:]


@pytest.fixture
def start_hub(tmp_path: Path) -> Iterator[StartHub]:
    """Start hubs that a test may stop, kill and restart as it likes."""
    started: list[RunningHub] = []

    def start(**arguments: object) -> RunningHub:
        running = RunningHub(tmp_path / f"data{len(started)}", **arguments)  # type: ignore[arg-type]  # passed through
        started.append(running)
        return running.start()

    yield start
    for running in started:
        if running.alive:
            running.stop()
