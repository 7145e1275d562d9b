"""The quickstart from its first line to its last."""

import asyncio
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from ironhub.app.cli.client import AdminClient, open_client
from ironhub.app.cli.output import note
from ironhub.app.cli.problems import Problem
from ironhub.app.quickstart.devices import (
    CERTIFICATE_DEVICE,
    INTERVAL,
    KEY_DEVICE,
    SimulatedDevice,
    device_by_certificate,
    device_by_key,
    vendor_sdk,
)
from ironhub.app.quickstart.process import hub_on
from ironhub.app.quickstart.show import Show, showing
from ironhub.app.system import SystemClock, SystemEntropy
from ironhub.core.clock import Clock

PATIENCE: Final = 30.0
"""Seconds that connecting, and the way of all messages through the hub, may take besides the sending."""


def run_quickstart(data: Path, *, messages: int | None, as_json: bool) -> int:
    """Run it until `messages` from each device have arrived (None: until Ctrl-C); returns the exit code.

    Raises:
        Problem: the hub cannot start, the SDK is missing or gives up, or messages do not arrive.
    """
    vendor_sdk()
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with hub_on(data) as started:
            note(f"A hub runs on {data}{'' if started else ' already'}. Two devices connect to it.")
            asyncio.run(_show(data, messages, as_json=as_json))
    except KeyboardInterrupt:
        note("Goodbye." if messages is None else "Interrupted.")
        return 0 if messages is None else 130
    finally:
        signal.signal(signal.SIGTERM, before)
    return 0


async def _show(data: Path, messages: int | None, *, as_json: bool) -> None:
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(open_client(data))
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ironhub-quickstart-")))
        devices = await _devices(hub, place, clock)
        for device in devices:
            stack.push_async_callback(device.close)
        events = await stack.enter_async_context(hub.lines("events", **{"from": "latest"}))
        show = stack.enter_context(showing(as_json=as_json))
        await _follow(devices, events, messages, show, clock)


async def _devices(hub: AdminClient, place: Path, clock: Clock) -> list[SimulatedDevice]:
    ca_pem = (await hub.get("ca"))["pem"]
    run = SystemEntropy().uuid()[:8]
    clients = {
        KEY_DEVICE: await device_by_key(hub, ca_pem),
        CERTIFICATE_DEVICE: await device_by_certificate(hub, ca_pem, place, clock),
    }
    return [SimulatedDevice(device_id, client, clock, run) for device_id, client in clients.items()]


async def _follow(
    devices: list[SimulatedDevice],
    events: AsyncIterator[dict[str, Any]],
    messages: int | None,
    show: Show,
    clock: Clock,
) -> None:
    """Drive the devices and show what arrives, until all has; a device that gives up ends everything."""
    allowed = None if messages is None else PATIENCE + 3 * INTERVAL * messages
    try:
        async with asyncio.timeout(allowed), asyncio.TaskGroup() as group:
            for device in devices:
                group.create_task(device.drive(messages))
            group.create_task(_receive(devices, events, messages, show, clock))
    except TimeoutError as error:
        step = "Look into the hub's log, and run `ironhub doctor`."
        raise Problem("quickstart.incomplete", "not all messages arrived in time", step) from error
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def _receive(
    devices: list[SimulatedDevice],
    events: AsyncIterator[dict[str, Any]],
    messages: int | None,
    show: Show,
    clock: Clock,
) -> None:
    sent = {device.device_id: device.sent for device in devices}
    left = None if messages is None else messages * len(devices)
    while left is None or left > 0:
        event = await anext(events)
        begun = sent.get(event["device_id"], {}).pop(event["system_properties"].get("message-id"), None)
        if begun is not None:
            show.arrived(event, clock.monotonic() - begun)
            left = None if left is None else left - 1
