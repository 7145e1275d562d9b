"""Hubs in processes of their own; none outlives its test, however that ends."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.fakes.running_hub import RunningHub

MakeHub = Callable[..., RunningHub]


@pytest.fixture
def make_hub(tmp_path: Path) -> Iterator[MakeHub]:
    """Make hubs, not started yet, each on the data directory given or one of its own."""
    made: list[RunningHub] = []

    def make(data: Path | None = None, *arguments: str) -> RunningHub:
        made.append(RunningHub(data or tmp_path / "data", arguments=arguments))
        return made[-1]

    yield make
    for hub in made:
        if hub.alive:
            hub.kill()
