"""The first promise: what was acknowledged is there after SIGKILL, once and in order; and a full disk loses nothing."""

import signal
from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.log_programs import FACT, start
from tests.fakes.streams import bodies, entries, sealer

from ironhub.core.errors import Unavailable
from ironhub.messaging.telemetry.model import Entry
from ironhub.streams.embedded.log import EmbeddedLog, open_log
from ironhub.streams.settings import LogSettings

ROUNDS = 5


def run_until_killed(path: Path, first: int, count: int) -> list[tuple[int, int]]:
    """Write to the log in another process, kill it after `count` acknowledgements, and return all it gave."""
    with start("write", path, first) as process:
        assert process.stdout is not None
        head = b"".join(process.stdout.readline() for _ in range(count))
        process.send_signal(signal.SIGKILL)
        rest, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, errors.decode()
    lines = [line.split() for line in (head + rest).splitlines(keepends=True) if line.endswith(b"\n")]
    return [(int(partition), int(number)) for partition, number in lines]


async def entries_of(log: EmbeddedLog, partition: int) -> list[Entry]:
    """All entries of a partition, whose sequence numbers have no gap."""
    found: list[Entry] = []
    start = 0
    while True:
        batch = await log.read(partition, start)
        assert batch.damage == ()
        assert [each.sequence_number for each in batch.entries] == list(range(start, batch.next))
        found += [each.entry for each in batch.entries]
        if batch.next == start:
            return found
        start = batch.next


async def test_what_was_acknowledged_is_there_once_and_in_order_after_sigkill(tmp_path: Path) -> None:
    path = tmp_path / "stream.db"
    acknowledged: list[tuple[int, int]] = []
    for turn in range(ROUNDS):
        acknowledged += run_until_killed(path, turn * 1_000_000, 150 + 377 * turn)
        log = await open_log(path, sealer(), FakeClock(), LogSettings())
        for partition in range(log.partitions):
            found = await entries_of(log, partition)
            messages = [int(each.body) for each in found if each.properties != FACT]
            assert messages == sorted(set(messages))
            assert {number for at, number in acknowledged if at == partition} <= set(messages)
            if partition == 0:
                facts = [int(each.body) for each in found if each.properties == FACT]
                assert facts == list(range(1, await log.relayed() + 1))
        await log.close()


async def test_a_full_disk_refuses_loses_nothing_and_recovers(tmp_path: Path) -> None:
    path = tmp_path / "stream.db"
    with start("fill", path) as process:
        told, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors.decode()
    acknowledged, unwell, well = map(int, told.split())
    assert (unwell, well) == (1, 1)
    log = await open_log(path, sealer(), FakeClock(), LogSettings())
    found = await bodies(log, 0)
    assert len([body for _, body in found if len(body) == 100_000]) >= acknowledged > 10
    assert [number for number, _ in found] == list(range(len(found)))
    assert found[-1][1] == entries(1)[0].body
    await log.close()


async def test_a_directory_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "stream.db"
    path.mkdir()
    with pytest.raises(Unavailable):
        await open_log(path, sealer(), FakeClock(), LogSettings())
