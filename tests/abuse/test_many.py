"""Five thousand connections that say nothing: the oldest make room, and whoever has something to say gets in."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

import pytest
from tests.fakes.bystander import Bystander, Watch
from tests.fakes.running_hub import RunningHub

CROWD: Final = 5000
MAX_UNIDENTIFIED: Final = 2000
"""The default of the setting."""
SPARE: Final = 500
"""Descriptors that this process needs for itself."""
PER_CONNECTION: Final = 8192
"""Bytes of the hub for one that has sent nothing: it gets its TLS engine with its first byte."""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub with the times and bounds it has by default."""
    running = RunningHub(tmp_path_factory.mktemp("abuse") / "data").start()
    yield running
    assert running.stop() == 0, running.log[-2000:]


@pytest.fixture
def crowd_size() -> int:
    """How many connections this process may open: five thousand where it is allowed so many descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CROWD + SPARE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return CROWD if soft == resource.RLIM_INFINITY else min(CROWD, soft - SPARE)


def join(stack: ExitStack, hub: RunningHub, port: str) -> None:
    """One more that says nothing."""
    stack.enter_context(socket.create_connection((hub.address, hub.ready[port]), 20))


def test_five_thousand_silent_connections(hub: RunningHub, bystander: Bystander, watch: Watch, crowd_size: int) -> None:
    def crowd() -> int:
        with ExitStack() as stack:
            for number in range(crowd_size):
                join(stack, hub, ("mqtt", "https")[number % 2])
                if number % 1000 == 999:
                    bystander.check()
                    bystander.newcomer()
                    bystander.newcomer("websocket")
            assert watch.wait_for(lambda level: level.unidentified >= min(crowd_size, MAX_UNIDENTIFIED) - 100)
            assert watch.level().unidentified <= MAX_UNIDENTIFIED
            bystander.check()
            return watch.memory()

    crowd()
    watch.wait_for(lambda level: level.unidentified == 0)
    before = watch.memory()
    during = crowd()
    assert during - before < MAX_UNIDENTIFIED * PER_CONNECTION
    watch.wait_for(lambda level: level.unidentified == 0)
    assert watch.memory() - before < 12 << 20
