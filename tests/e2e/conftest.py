"""Hubs in processes of their own, for the vendor's unmodified SDKs."""

import gc
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.e2e.node_process import SETUP, NodeProcess
from tests.fakes.running_hub import RunningHub

StartHub = Callable[..., RunningHub]

HERE: Final = Path(__file__).parent
PAHO: Final = "Exception ignored in. <(socket.socket|ssl.SSLSocket) fd=.*laddr=..127.0.0.1."
VENDORS_FAULTS: Final = (
    # paho 1.6 opens a new pair of wake-up sockets at each connect and forgets the old one; the device SDK forgets the
    # socket of a TLS handshake that failed.
    f"ignore:{PAHO}:pytest.PytestUnraisableExceptionWarning",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What the vendor's SDKs leave behind is no fault of ours; every other warning stays an error."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.e2e)
            for fault in VENDORS_FAULTS:
                item.add_marker(pytest.mark.filterwarnings(fault))


@pytest.fixture(scope="module", autouse=True)
def _vendors_rubbish() -> Iterator[None]:
    """Collect what the SDKs left behind while its warnings are expected, not in somebody else's test."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub shared by the tests of one worker; each test registers devices of its own."""
    running = RunningHub(tmp_path_factory.mktemp("hub") / "data").start()
    yield running
    assert running.stop() == 0, running.log[-2000:]


@pytest.fixture(scope="session")
def _node_sdks() -> None:
    """The vendor's Node SDKs, installed."""
    subprocess.run([SETUP], check=True, timeout=300)


@pytest.fixture(scope="session")
def node_devices(_node_sdks: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A Node process that holds devices; trust and certificates are handed to each by `setOptions`."""
    process = NodeProcess("device.js", tmp_path_factory.mktemp("node") / "devices.log")
    yield process
    process.close()


@pytest.fixture(scope="session")
def node_service(_node_sdks: None, hub: RunningHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A Node process with the service SDK, connected to the shared hub as its owner."""
    process = NodeProcess(
        "service.js",
        tmp_path_factory.mktemp("node") / "service.log",
        NODE_EXTRA_CA_CERTS=str(hub.ca_path),
        SERVICE_CONNECTION_STRING=hub.connection_string(policy="iothubowner"),
    )
    yield process
    process.close()


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
