"""What was acknowledged reaches every consumer group, once and in order, over two SIGKILLs (promise 1, for readers)."""

import asyncio
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple

import pytest
from tests.durability.conftest import MakeHub
from tests.durability.load import Load, until
from tests.durability.verify import check_sequences, stored_events
from tests.fakes.load_devices import Record
from tests.fakes.running_hub import RunningHub

MESSAGES: Final = 100_000
KILLS: Final = 2
PARTITIONS: Final = 4
GROUPS: Final = ("$Default", "analytics", "archive")
SCRIPT: Final = Path(__file__).with_name("group_reader.py")
PATIENCE: Final = 240.0
"""Seconds until all that should come is missed."""


Place = tuple[int, int]
"""Partition and sequence number."""


class Read(NamedTuple):
    """An event as a group got it."""

    partition: int
    sequence_number: int
    device: str
    number: int
    """In its body."""

    @property
    def place(self) -> Place:
        """Where it stands in the log."""
        return self.partition, self.sequence_number


class GroupReader:
    """A process that reads for one group."""

    def __init__(self, hub: RunningHub, group: str, directory: Path) -> None:
        self.group = group
        self._path = directory / f"{group.strip('$')}.txt"
        stream = hub.connection_string(events="true")
        command = [sys.executable, str(SCRIPT), stream, group, str(hub.ca_path), str(self._path)]
        with (directory / f"{group.strip('$')}.log").open("w") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=log)
        self._lines: list[Read] = []
        self._rest = ""
        self._at = 0

    def __enter__(self) -> "GroupReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def read(self) -> list[Read]:
        """All that came so far, in its order, repetitions too."""
        if self._path.exists():
            with self._path.open(encoding="utf-8") as file:
                file.seek(self._at)
                text = self._rest + file.read()
                self._at = file.tell()
            whole, newline, self._rest = text.rpartition("\n")
            self._lines += [_parsed(line) for line in (whole + newline).splitlines()]
        return self._lines

    def has(self, places: set[Place]) -> bool:
        """Tell whether it has read all of these."""
        return len(self.read) >= len(places) and places <= {each.place for each in self.read}


def _parsed(line: str) -> Read:
    partition, sequence_number, device, number = line.split(" ")
    return Read(int(partition), int(sequence_number), device, int(number))


@pytest.mark.timeout(600)
async def test_every_group_reads_every_acknowledged_message_once_and_in_order(
    make_hub: MakeHub, tmp_path: Path
) -> None:
    hub = make_hub().start()
    for group in GROUPS[1:]:
        hub.call("PUT", f"/consumer-groups/{group}")
    load = Load(hub, devices=16, window=32, operators=0, reports=False)
    readers = [GroupReader(hub, group, tmp_path) for group in GROUPS]
    with readers[0], readers[1], readers[2]:
        hub.wait_for(lambda: all(count >= PARTITIONS for count in readers_of(hub)), PATIENCE)
        for turn in range(1, KILLS + 2):
            await _send(hub, load, readers, until_acked=MESSAGES * turn // (KILLS + 1), kill=turn <= KILLS)
        stored = await asyncio.to_thread(telemetry_in, hub)
        await until(lambda: all(reader.has(stored) for reader in readers), PATIENCE)
    for reader in readers:
        check(reader, load.records, stored)
    assert hub.stop() == 0


async def _send(hub: RunningHub, load: Load, readers: list[GroupReader], *, until_acked: int, kill: bool) -> None:
    """Messages at full speed while every group reads; then perhaps the hub is killed and started again."""
    read = [len(reader.read) for reader in readers]
    async with load.running():
        await until(lambda: load.acked >= until_acked, PATIENCE)
        await until(lambda: all(len(each.read) > before for each, before in zip(readers, read, strict=True)), PATIENCE)
        if kill:
            hub.kill()
            await load.ends()
    if kill:
        hub.start()


def readers_of(hub: RunningHub) -> list[int]:
    """Return how many readers each group has now."""
    groups = hub.call("GET", "/consumer-groups")["consumer_groups"]
    return [group["readers"] for group in groups]


def telemetry_in(hub: RunningHub) -> set[Place]:
    """Return where telemetry stands in the log, as the admin API tells; nothing is sent any more."""
    events = stored_events(hub)
    check_sequences(events)
    return {(event["partition"], event["sequence_number"]) for event in events if event["kind"] == "telemetry"}


def check(reader: GroupReader, records: list[Record], stored: set[Place]) -> None:
    """Check what one group got. Raises AssertionError."""
    known: dict[Place, Read] = {}
    reached: defaultdict[int, int] = defaultdict(lambda: -1)
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for event in reader.read:
        if event.place in known:  # after a cut the client goes on from its checkpoint
            assert known[event.place] == event, f"{reader.group}: {event.place} is now this and now that"
            continue
        assert event.sequence_number > reached[event.partition], f"{reader.group}: {event} comes too late"
        known[event.place], reached[event.partition] = event, event.sequence_number
        numbers[event.device].append(event.number)
    assert set(known) == stored
    for record in records:
        name, found = record.device.device_id, numbers[record.device.device_id]
        assert found == sorted(set(found)), f"{reader.group}: {name} repeats or is out of order"
        missing = set(record.acked) - set(found)
        assert not missing, f"{reader.group}: {name} lost {sorted(missing)[:10]} of {len(record.acked)}"
        assert record.faults == []
