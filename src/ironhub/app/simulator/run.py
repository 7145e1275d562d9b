"""The simulation from its first line to its last."""

import asyncio
import resource
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvloop

from ironhub.app.cli.client import LOOPBACK, AdminClient, open_client
from ironhub.app.cli.output import Answer, note
from ironhub.app.cli.problems import Problem
from ironhub.app.datadir import DataDirectory, RunInfo
from ironhub.app.simulator.device import SimulatedMachine
from ironhub.app.simulator.fleet import TAGS, keys_of, remove, simulated
from ironhub.app.simulator.model import Machine
from ironhub.app.simulator.plant import Plant, Target
from ironhub.app.simulator.profile import Profile
from ironhub.app.simulator.show import line_of, showing, summary_of
from ironhub.app.system import SystemClock, SystemEntropy
from ironhub.core.clock import Clock
from ironhub.wire.tls.client import client_context

MAX_DEVICES: Final = 20_000
"""Of one process: the ports that a machine has towards one address are not many more."""
AT_ONCE: Final = 64
"""Connections that are being made."""
PATIENCE: Final = 30.0
"""Seconds one of them may take."""
LAST_WORDS: Final = 2.0
"""Seconds for the last acknowledgements, and for saying goodbye."""
_LOOK: Final = 0.02
_SPARE_FILES: Final = 128
LOCAL_NAME: Final = "localhost"
"""What every hub's certificate is good for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be simulated."""

    profile: Profile
    devices: int
    interval: float
    """Seconds between two messages of a machine."""
    speed: float = 1.0
    seed: int = 1
    duration: float | None = None
    """Seconds; None: until Ctrl-C."""
    register: bool = True
    host: str | None = None
    """A name or address of the hub; None: where the hub of the data directory listens."""
    port: int | None = None


def run_simulation(data: Path, wanted: Wanted, *, as_json: bool) -> Answer:
    """Run it until its time is up, or until Ctrl-C or SIGTERM; returns what it came to.

    Raises:
        Problem: no hub runs, a device cannot be used, or no machine at all gets in.
    """
    return uvloop.run(_simulate(data, wanted, as_json=as_json))


def run_clean(data: Path) -> Answer:
    """Remove all simulated devices, with the hub running or stopped."""
    removed = asyncio.run(_clean(data))
    return Answer({"removed": removed}, f"{removed:,} simulated devices are removed.")


async def _clean(data: Path) -> int:
    async with open_client(data) as hub:
        return await remove(hub, await simulated(hub), SystemEntropy())


async def _simulate(data: Path, wanted: Wanted, *, as_json: bool) -> Answer:
    directory = DataDirectory(data)
    machines = [Machine(wanted.profile, wanted.seed, number) for number in range(1, wanted.devices + 1)]
    async with open_client(data) as hub:
        target = target_of(hub, directory.running(), wanted)
        note(f"{wanted.devices:,} machines ({wanted.profile.name}) register at the hub.")
        ids = [machine.device_id for machine in machines]
        tags = TAGS | {"plant": wanted.profile.name}
        keys = await keys_of(hub, ids, register=wanted.register, tags=tags, entropy=SystemEntropy())
    allow_files(wanted.devices)
    plant = _plant(target, directory.ca_pem(), wanted, SystemClock())
    fleet = [SimulatedMachine(plant, machine, keys[machine.device_id]) for machine in machines]
    passed = await _drive(plant, fleet, wanted, as_json=as_json)
    counts = plant.counts
    if counts.acked == 0 and counts.reconnects == 0 and plant.last_refusal:
        raise Problem("simulate.not_let_in", f"no machine got in: {plant.last_refusal}", _LET_IN)
    text = line_of(counts, wanted.devices, passed).partition("  ")[2]
    return Answer(summary_of(counts, wanted.devices, passed, wanted.seed), text)


_LET_IN: Final = "Look into the hub's log; give --host a name that the hub answers to."


def target_of(hub: AdminClient, info: RunInfo | None, wanted: Wanted) -> Target:
    """Return where the machines connect. Raises Problem: no hub runs on the data directory."""
    if info is None or not hub.running:
        raise Problem("simulate.no_hub", "no hub runs on the data directory", "Start one: ironhub serve")
    if wanted.host is not None:
        return Target(wanted.host, wanted.port or info.mqtt, wanted.host)
    return Target(LOOPBACK.get(info.bind, info.bind), wanted.port or info.mqtt, LOCAL_NAME)


def allow_files(devices: int) -> None:
    """Let this process have a socket for each device. Raises Problem: the system allows fewer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = devices + _SPARE_FILES
    if hard != resource.RLIM_INFINITY and needed > hard:
        step = f"Allow more (ulimit -Hn, LimitNOFILE=) or simulate at most {hard - _SPARE_FILES:,}."
        raise Problem(
            "simulate.files", f"{devices:,} connections need {needed:,} open files, {hard:,} are allowed", step
        )
    if soft != resource.RLIM_INFINITY and needed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _plant(target: Target, ca_pem: str, wanted: Wanted, clock: Clock) -> Plant:
    loop = asyncio.get_running_loop()
    tls = client_context(ca_pem)
    return Plant(wanted.profile, wanted.seed, target, tls, clock, wanted.speed, wanted.interval, loop)


async def _drive(plant: Plant, fleet: list[SimulatedMachine], wanted: Wanted, *, as_json: bool) -> float:
    """Run all machines; returns the seconds it took."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        plant.loop.add_signal_handler(number, stop.set)
    for machine in fleet:
        machine.start()
    dialling = [asyncio.create_task(_dial(plant)) for _ in range(AT_ONCE)]
    begun = plant.clock.monotonic()
    try:
        with showing(quiet=as_json) as (every, tell):
            while not await _stopped(stop, every, begun, wanted.duration, plant.clock):
                tell(line_of(plant.counts, len(fleet), plant.clock.monotonic() - begun))
    finally:
        passed = plant.clock.monotonic() - begun
        for task in dialling:
            task.cancel()
        await asyncio.gather(*dialling, return_exceptions=True)
        await _close(plant, fleet)
        for number in (signal.SIGINT, signal.SIGTERM):
            plant.loop.remove_signal_handler(number)
    return passed


async def _dial(plant: Plant) -> None:
    while True:
        machine: SimulatedMachine = await plant.waiting.get()
        await machine.connect(PATIENCE)


async def _stopped(stop: asyncio.Event, every: float, begun: float, duration: float | None, clock: Clock) -> bool:
    """Wait `every` seconds, or for the end if that comes before; returns whether it has come."""
    left = every if duration is None else min(every, begun + duration - clock.monotonic())
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), max(left, 0.0))
    return stop.is_set() or (duration is not None and clock.monotonic() >= begun + duration)


async def _close(plant: Plant, fleet: list[SimulatedMachine]) -> None:
    """Send nothing more, hear the last acknowledgements, take leave."""
    for machine in fleet:
        machine.rest()
    await _until(lambda: not any(machine.awaits for machine in fleet), plant.clock)
    for machine in fleet:
        machine.stop()
    await _until(lambda: not any(machine.linked for machine in fleet), plant.clock)


async def _until(done: Callable[[], bool], clock: Clock) -> None:
    deadline = clock.monotonic() + LAST_WORDS
    while not done() and clock.monotonic() < deadline:  # noqa: ASYNC110  # each machine knows only of itself
        await asyncio.sleep(_LOOK)
