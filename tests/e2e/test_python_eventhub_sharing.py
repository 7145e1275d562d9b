"""Processes that share a stream's partitions through a checkpoint store, as Microsoft's client for Python does it."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest
from tests.covers import covers
from tests.e2e.conftest import StartHub
from tests.e2e.event_readers import PARTITIONS, stream_connection_string
from tests.e2e.python_client import PATIENCE
from tests.e2e.storage_emulator import Emulator, emulated
from tests.fakes.raw_device import RawDevice, events_topic, online
from tests.fakes.running_hub import Registered, RunningHub

SCRIPT: Final = Path(__file__).with_name("sharing_reader.py")
CONTAINER: Final = "checkpoints"
Place = tuple[str, int]
"""Partition and sequence number of an event."""


class SharingReader:
    """One process."""

    def __init__(self, hub: RunningHub, storage: Emulator) -> None:
        arguments = [stream_connection_string(hub), storage.connection_string, CONTAINER, str(hub.ca_path)]
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.events: list[Place] = []
        self.errors: list[str] = []
        self._owned: Counter[str] = Counter()
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    @property
    def owned(self) -> set[str]:
        """The partitions it reads."""
        return {partition for partition, count in self._owned.items() if count > 0}

    def close(self) -> None:
        """End it in order."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()
            self._listener.join(PATIENCE)
            self._process.stdout.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            if "event" in told:
                partition, number = told["event"]
                self.events.append((partition, number))
            elif "error" in told:
                self.errors.append(told["error"])
            else:
                self._owned[told.get("begun") or told["ended"]] += 1 if "begun" in told else -1


def wait_until(look: Callable[[], bool], timeout: float = 3 * PATIENCE) -> bool:
    """Look until it is true, or the time is over."""
    deadline = time.monotonic() + timeout
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return seen


def shared(one: set[str], other: set[str]) -> bool:
    """Whether each has half of the partitions; while one takes a partition over, both think that they have it."""
    return len(one) == len(other) == PARTITIONS // 2 and not one & other


def senders(hub: RunningHub) -> list[Registered]:
    """Devices in every partition."""
    return [hub.create_device(f"press-{number}") for number in range(16)]


def send(peers: list[tuple[Registered, RawDevice]]) -> None:
    """Store an event of each device."""
    for device, peer in peers:
        peer.publish(events_topic(device), b"{}")


@covers("py:EventHubConsumerClient.receive")
@pytest.mark.timeout(240)
@pytest.mark.usefixtures("_node_sdks")
def test_processes_share_the_partitions_and_resume_where_they_were(start_hub: StartHub, tmp_path: Path) -> None:
    hub = start_hub()
    devices = senders(hub)
    with emulated(tmp_path / "azurite", CONTAINER) as storage, ExitStack() as stack:
        peers = [(device, stack.enter_context(online(hub, device))) for device in devices]
        first, second = SharingReader(hub, storage), SharingReader(hub, storage)
        try:
            assert wait_until(lambda: shared(first.owned, second.owned))
            for _ in range(3):
                send(peers)
            assert wait_until(lambda: len(first.events) + len(second.events) >= 48)
        finally:
            first.close()
            second.close()
        seen = Counter(first.events + second.events)
        assert len(seen) == 48
        assert set(seen.values()) == {1}
        assert first.events
        assert second.events
        send(peers)  # while nobody reads
        third = SharingReader(hub, storage)
        try:
            assert wait_until(lambda: len(third.events) >= 16)
            assert wait_until(lambda: len(third.owned) == PARTITIONS)
        finally:
            third.close()
        assert len(third.events) == len(set(third.events)) == 16
        assert not set(third.events) & set(seen)
