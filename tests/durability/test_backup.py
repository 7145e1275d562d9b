"""A backup that is taken under load holds everything that was acknowledged before it began, and makes a hub."""

import asyncio
import copy
import subprocess
import sys
from pathlib import Path

from tests.durability.conftest import MakeHub
from tests.durability.load import Load
from tests.durability.verify import check, check_telemetry, devices_of, read_log, stored_events
from tests.fakes.load_devices import Record
from tests.fakes.running_hub import RunningHub, hub_environment


def command_line(*arguments: str) -> None:
    """Run a command of the product. Raises CalledProcessError."""
    command = [sys.executable, "-m", "ironhub", *arguments]
    subprocess.run(command, check=True, capture_output=True, timeout=60, env=hub_environment())


async def test_a_backup_under_load_makes_a_hub_of_all_that_was_acknowledged(make_hub: MakeHub, tmp_path: Path) -> None:
    hub = make_hub().start()
    load = Load(hub)
    archive, data = tmp_path / "hub.backup", tmp_path / "restored"
    async with load.running():
        await load.works(messages=500)
        acknowledged = copy.deepcopy(load.records)
        made = {name: list(each.done) for name, each in load.ledger.made.items() if each.doubt is None}
        await asyncio.to_thread(command_line, "backup", str(archive), "--data", str(hub.data))
        await load.works()
    await check(load)
    command_line("restore", str(archive), "--data", str(data))
    restored = make_hub(data).start()
    check_restored(hub, restored, acknowledged, load.records)
    devices = devices_of(restored)
    for name, done in made.items():
        assert (name in devices) == ("delete" not in done)
    assert hub.stop() == restored.stop() == 0


def check_restored(hub: RunningHub, restored: RunningHub, acknowledged: list[Record], later: list[Record]) -> None:
    """What the backup's hub holds is the beginning of what the other one does, and it goes on from there."""
    events, beginning = stored_events(hub), stored_events(restored)
    bodies = {(event["partition"], event["sequence_number"]): event["body"] for event in events}
    for partition in {event["partition"] for event in events}:
        numbers = [event["sequence_number"] for event in beginning if event["partition"] == partition]
        assert numbers == list(range(len(numbers)))
    news = {"deviceConnected", "deviceDisconnected", "createDeviceIdentity", "updateTwin", "deleteDeviceIdentity"}
    for event in beginning:
        if event["properties"].get("opType") not in news:
            assert bodies[event["partition"], event["sequence_number"]] == event["body"]
    for record, now in zip(acknowledged, later, strict=True):
        device_id = record.device.device_id
        record.sent = now.sent  # the backup may hold what was sent while it was made
        check_telemetry(record, [event for event in beginning if event["device_id"] == device_id])
        reported = restored.call("GET", f"/twins/{device_id}")["reported"]["properties"]["n"]
        assert max(record.reported) <= reported <= now.reports
        assert restored.registered(device_id).primary_key == record.device.primary_key
    assert len(read_log(restored)) > len(beginning), "facts of new changes reach the log"
