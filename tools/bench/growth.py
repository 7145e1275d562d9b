"""How the cost of each thing grows with connections and with registered devices; it should not."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Final

from tools.bench.beside import FEW, OURS, PEER, RATE, entered
from tools.bench.credentials import BenchDevice, Kind
from tools.bench.fleet import Fleet
from tools.bench.machine import resident_bytes
from tools.bench.measure import Contestant, alternate, cpu_per_million, cpu_per_piece, spread, wait
from tools.bench.report import Row, Table
from tools.bench.servers import Server
from tools.bench.stage import HUB, SECOND_HUB, SECOND_PEER, Stage
from tools.bench.stage import PEER as FIRST_PEER
from tools.bench.stats import Spread

TARGET: Final = 1.2
FEW_REGISTERED: Final = 100
_PER_KIND: Final = FEW_REGISTERED // 3
SMALL: Final = "smallest"
LARGE: Final = "largest"


def connections(stage: Stage) -> None:
    """From ten open connections to thousands, on two servers of a kind side by side."""
    many = stage.sizes.idle
    for name in (OURS, PEER) if stage.mosquitto is not None else (OURS,):
        stage.say(f"{name} with {FEW} and with {many:,} connections")
        with ExitStack() as stack:
            servers = _two_of(stage, stack, name)
            devices = stage.fleet().devices[Kind.AUTHORITY]
            held = _held(stage, stack, servers, {SMALL: devices[:FEW], LARGE: devices[:many]})
            target = TARGET if name == OURS else None
            suffix = f"{FEW} to {many:,} connections" + ("" if name == OURS else f", {name}")
            _messages(stage, held, suffix, target)
            spare = dict.fromkeys(servers, devices[-64:])
            _connects(stage, stack, servers, spare, f"CA-signed, {suffix}", target)


def registered(stage: Stage) -> None:
    """From a hundred registered devices to a million, with as many connected."""
    stage_sizes = stage.sizes
    with ExitStack() as stack:
        fleets = {
            SMALL: stage.fleet(FEW_REGISTERED, _PER_KIND),
            LARGE: stage.fleet(stage_sizes.registered, stage_sizes.idle),
        }
        stage.say(f"{FEW_REGISTERED} and {stage_sizes.registered:,} registered devices")
        servers: dict[str, Server] = {
            SMALL: stack.enter_context(stage.hub(fleets[SMALL], HUB)),
            LARGE: stack.enter_context(stage.hub(fleets[LARGE], SECOND_HUB)),
        }
        suffix = f"{FEW_REGISTERED} to {stage_sizes.registered:,} registered devices"
        with ExitStack() as held:
            devices = {label: _some(fleet) for label, fleet in fleets.items()}
            _messages(stage, _held(stage, held, servers, devices), suffix, TARGET)
        for kind in Kind:
            known = {label: fleet.devices[kind] for label, fleet in fleets.items()}
            _connects(stage, stack, servers, known, f"{kind}, {suffix}", TARGET)
        sizes = {label: resident_bytes(server.pid) / 2**20 for label, server in servers.items()}
        large, small = Spread.of([sizes[LARGE]]), Spread.of([sizes[SMALL]])
        stage.add(Row(Table.GROWTH, f"memory of the process, {suffix}", "MiB RSS", large, small))


def _messages(stage: Stage, held: Mapping[str, Contestant], suffix: str, target: float | None) -> None:
    for window, count in ((16, stage.sizes.wide), (1, stage.sizes.narrow)):
        name = f"ingest, window {window}, {suffix}"
        taken = stage.record(name, alternate(held, stage.sizes.ingest(count, window), stage.sizes.rounds))
        large, small = (spread(taken[label], cpu_per_million) for label in (LARGE, SMALL))
        stage.add(Row(Table.GROWTH, name, "CPU s per million", large, small, "", target))
    taken = stage.record(f"rate, {suffix}", alternate(held, stage.sizes.rate(RATE), stage.sizes.rounds))
    for of, unit, title in (
        (cpu_per_million, "CPU s per million", f"ingest at {RATE:,}/s, {suffix}"),
        (wait("p50_us"), "ms", f"p50 at {RATE:,}/s, {suffix}"),
        (wait("p99_us"), "ms", f"p99 at {RATE:,}/s, {suffix}"),
    ):
        large, small = (spread(taken[label], of) for label in (LARGE, SMALL))
        stage.add(Row(Table.GROWTH, title, unit, large, small, "", target))


def _connects(
    stage: Stage,
    stack: ExitStack,
    servers: Mapping[str, Server],
    devices: Mapping[str, list[BenchDevice]],
    suffix: str,
    target: float | None,
) -> None:
    """The devices must be others than those whose connections are held: the newest connection of a device wins."""
    name = f"connect, {suffix}"
    pair = {label: entered(stack, stage.contestant(server, devices[label])) for label, server in servers.items()}
    taken = stage.record(name, alternate(pair, stage.sizes.connect(), stage.sizes.rounds))
    large, small = (spread(taken[label], cpu_per_piece) for label in (LARGE, SMALL))
    stage.add(Row(Table.GROWTH, name, "CPU ms", large, small, "", target))


def _two_of(stage: Stage, stack: ExitStack, name: str) -> dict[str, Server]:
    if name == PEER:
        return {
            SMALL: stack.enter_context(stage.peer(FIRST_PEER)),
            LARGE: stack.enter_context(stage.peer(SECOND_PEER)),
        }
    return {
        SMALL: stack.enter_context(stage.hub(stage.fleet(), HUB)),
        LARGE: stack.enter_context(stage.hub(stage.fleet(), SECOND_HUB)),
    }


def _held(
    stage: Stage, stack: ExitStack, servers: Mapping[str, Server], devices: Mapping[str, list[BenchDevice]]
) -> dict[str, Contestant]:
    return {
        label: entered(stack, stage.contestant(server, devices[label], connections=len(devices[label]), joined=True))
        for label, server in servers.items()
    }


def _some(fleet: Fleet) -> list[BenchDevice]:
    """As many of each kind as the smallest fleet has, from all over the ids."""
    return [
        device for kind in Kind for device in fleet.devices[kind][:: len(fleet.devices[kind]) // _PER_KIND][:_PER_KIND]
    ]
