"""What must hold of a hub, whatever was done to its process and its disk, given what it has acknowledged."""

import asyncio
import json
from collections import Counter, defaultdict
from typing import Any, Final

from tests.durability.load import Load, until
from tests.fakes.load_devices import LoadDevice, Record
from tests.fakes.load_registry import CREATE, DELETE, Made, View
from tests.fakes.running_hub import RunningHub

TELEMETRY: Final = "Telemetry"
PAGE: Final = 500

Event = dict[str, Any]


async def check(load: Load) -> None:
    """Check everything; the hub runs and nobody else talks to it. Raises AssertionError."""
    events = await asyncio.to_thread(read_log, load.hub)
    check_sequences(events)
    by_device: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        by_device[event["device_id"]].append(event)
    for record in load.records:
        check_telemetry(record, by_device[record.device.device_id])
        await asyncio.to_thread(check_twin, load.hub, record, by_device[record.device.device_id])
    await asyncio.to_thread(check_registry, load, by_device)
    await check_commands(load)


def read_log(hub: RunningHub) -> list[Event]:
    """Return the whole log, facts too, when every change that was stored has told its fact."""
    sentinel = f"sentinel-{sum(1 for _ in devices_of(hub))}"
    hub.create_device(sentinel)  # facts leave the outbox in order: once this one is there, all are
    assert hub.events(count=1, device=sentinel, facts="true"), "no fact reached the log"
    return stored_events(hub)


def stored_events(hub: RunningHub) -> list[Event]:
    """Return what the log holds."""
    params = {"from": "earliest", "facts": "true", "follow": "false"}
    with hub.admin() as admin, admin.stream("GET", "/events", params=params) as answer:
        return [json.loads(line) for line in answer.iter_lines() if line]


def devices_of(hub: RunningHub) -> dict[str, Any]:
    """Return all devices by id, page by page."""
    found: dict[str, Any] = {}
    with hub.admin() as admin:
        after: str | None = ""
        while after is not None:
            page = admin.get("/devices", params={"limit": PAGE, "after": after}).raise_for_status().json()
            found.update({device["device_id"]: device for device in page["devices"]})
            after = page["after"]
    return found


def check_sequences(events: list[Event]) -> None:
    """Sequence numbers of each partition begin at 0 and have neither gaps nor repetitions."""
    numbers: defaultdict[int, list[int]] = defaultdict(list)
    for event in events:
        numbers[event["partition"]].append(event["sequence_number"])
    for partition, found in numbers.items():
        assert found == list(range(len(found))), f"partition {partition}"


def check_telemetry(record: Record, events: list[Event]) -> None:
    """Every acknowledged message once, in order, whole; others at most once, and none that was never sent."""
    bodies = [event["body"] for event in events if event["system_properties"]["iothub-message-source"] == TELEMETRY]
    numbers = [body["n"] for body in bodies]
    assert numbers == sorted(set(numbers)), f"{record.device.device_id} repeats or is out of order"
    missing = set(record.acked) - set(numbers)
    assert not missing, f"{record.device.device_id} lost {sorted(missing)[:10]} of {len(record.acked)}"
    assert not numbers or numbers[-1] <= record.sent
    assert {len(body["pad"]) for body in bodies} <= {0, 20_000}
    assert record.faults == []


def check_twin(hub: RunningHub, record: Record, events: list[Event]) -> None:
    """The twin is as acknowledged or as the patch in doubt left it; each change told its fact once, in order."""
    reported = hub.call("GET", f"/twins/{record.device.device_id}")["reported"]
    last = max(record.reported, default=0)
    value, version = reported["properties"].get("n", 0), reported["version"]
    assert last <= value <= record.reports, f"{record.device.device_id}: {last} <= {value} <= {record.reports}"
    assert version >= record.reported.get(last, 1)
    assert (value == last) == (version == record.reported.get(last, 1))
    told = [event["body"]["properties"]["reported"] for event in events if _operation(event) == "updateTwin"]
    assert [each["$version"] for each in told] == list(range(2, version + 1))
    values = {each["$version"]: each["n"] for each in told}
    for number, acknowledged in record.reported.items():
        assert values[acknowledged] == number


def check_registry(load: Load, events: dict[str, list[Event]]) -> None:
    """Each made device is as it was answered, or as the step in doubt left it; each change told its fact once."""
    devices = devices_of(load.hub)
    for made in load.ledger.made.values():
        view = _view(load.hub, made, devices.get(made.device_id))
        assert view in made.possible(), f"{made}: {view}"
        operations = Counter(_operation(event) for event in events.get(made.device_id, ()))
        created = CREATE in made.done or view.exists or (made.doubt == CREATE and bool(operations))
        deleted = created and not view.exists
        assert operations["createDeviceIdentity"] == created, f"{made}: {operations}"
        assert operations["deleteDeviceIdentity"] == deleted, f"{made}: {operations}"
        if view.exists:
            assert operations["updateTwin"] == view.tagged, f"{made}: {operations}"
        assert operations.total() <= 3
        assert deleted == (DELETE in made.done) or made.doubt == DELETE


async def check_commands(load: Load) -> None:
    """What was settled for certain stays away, what was not comes again, and nobody is told twice."""
    ledger = load.ledger
    assert all(count == 1 for count in ledger.completed.values())
    for device in load.devices:
        device_id = device.record.device.device_id
        waiting = await _waiting(load.hub, device)
        sent = {message for message, to in ledger.sent.items() if to == device_id}
        missing = sent - device.record.settled - waiting
        assert not missing, f"{device_id} never gets {missing}"
        assert not waiting & set(ledger.completed), f"{device_id} gets what it settled"
        assert waiting <= sent | ledger.doubtful


async def _waiting(hub: RunningHub, device: LoadDevice) -> set[str]:
    """Return the commands in the device's queue, by connecting and settling none."""
    path = f"/devices/{device.record.device.device_id}/commands"
    count = (await asyncio.to_thread(hub.call, "GET", path))["pending"]
    onlooker = device.onlooker()
    looking = asyncio.create_task(onlooker.run(quiet=True))
    try:
        await until(lambda: len(onlooker.record.seen) >= count and onlooker.record.opened)
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    return set(onlooker.record.seen)


def _operation(event: Event) -> str:
    return str(event["properties"].get("opType", ""))


def _view(hub: RunningHub, made: Made, device: Any) -> View:
    if device is None:
        return View(False, False, False)
    twin = hub.call("GET", f"/twins/{made.device_id}")
    tagged = "number" in twin["tags"]
    assert tagged == ("number" in twin["desired"]["properties"]), f"half a change of {made}"
    return View(True, device["status"] == "enabled", tagged)
