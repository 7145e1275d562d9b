"""A real hub under attack: after every test nobody else was harmed, nothing is left over, and no secret was logged."""

from collections.abc import Iterator

import pytest
from tests.fakes.bystander import STRANGER_TIMEOUT, Bystander, Level, Watch
from tests.fakes.running_hub import RunningHub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """The hub that the tests of one module attack. It logs all it can, so that all of it is looked at."""
    running = RunningHub(
        tmp_path_factory.mktemp("abuse") / "data",
        IRONHUB_CONNECT_TIMEOUT=str(STRANGER_TIMEOUT),
        IRONHUB_HANDSHAKE_TIMEOUT=str(STRANGER_TIMEOUT),
        IRONHUB_LOG_LEVEL="debug",
    ).start()
    yield running
    assert running.stop() == 0, running.log[-2000:]


@pytest.fixture(scope="module")
def bystander(hub: RunningHub, request: pytest.FixtureRequest) -> Iterator[Bystander]:
    """A device that was connected before, and a newcomer that was not; a module may name another kind of bystander."""
    kind: type[Bystander] = getattr(request.module, "BYSTANDER", Bystander)
    found = kind(hub)
    found.check()
    found.newcomer()
    yield found
    found.close()


@pytest.fixture(scope="module")
def watch(hub: RunningHub) -> Watch:
    """Looks at the hub from outside."""
    return Watch(hub)


@pytest.fixture(scope="module")
def before(bystander: Bystander, watch: Watch) -> Level:
    """What the hub held before the first attack."""
    bystander.check()
    return watch.settled()


@pytest.fixture(autouse=True)
def unharmed(hub: RunningHub, bystander: Bystander, watch: Watch, before: Level) -> Iterator[None]:
    """What must be true after every attack."""
    yield
    assert hub.alive
    bystander.check()
    watch.falls_back_to(before)
    watch.check_log()
