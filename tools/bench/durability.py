"""What only shows when things are bad or different: a kill, a slow disk, the other TLS engine."""

import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from tools.bench.beside import NARROW, OURS, PEER, WIDE, entered
from tools.bench.credentials import Kind
from tools.bench.machine import resident_bytes, wait_until_quiet
from tools.bench.measure import Samples, alternate, cpu_per_million, cpu_per_piece, per_second, spread
from tools.bench.report import Row, Table
from tools.bench.servers import Server
from tools.bench.stage import HUB, SECOND_HUB, Stage, preload
from tools.bench.stats import Spread

ACKED: Final = 20_000
SYNC_DELAY_MS: Final = 5
ENGINES: Final = ("ssl", "openssl")
_MAX_LOAD: Final = 60
"""Seconds."""
_QUIET: Final = 3
"""Seconds without a message, after which a subscriber was given all there is."""


def crash(stage: Stage) -> None:
    """How many acknowledged messages are gone after SIGKILL right behind the last acknowledgement."""
    lost: dict[str, float] = {}
    stage.say(f"{ACKED:,} acknowledged messages, then SIGKILL")
    with stage.hub(stage.fleet()) as hub:
        lost[OURS] = _load_and_kill(stage, hub) - stored_by_hub(hub.data)
    if stage.mosquitto is not None:
        with stage.peer() as peer:
            lost[PEER] = _load_and_kill(stage, peer) - _stored_by_peer(stage, peer.directory)
    found = {name: Spread.of([count]) for name, count in lost.items()}
    name = f"acknowledged messages lost by SIGKILL, of {ACKED:,}"
    stage.add(Row(Table.BESIDE, name, "messages", found[OURS], found.get(PEER)))


def slow_disk(stage: Stage) -> None:
    """Throughput when each fsync takes some milliseconds longer: a commit must carry all that waits."""
    for (connections, window), count in ((WIDE, stage.sizes.wide), (NARROW, stage.sizes.narrow)):
        title = f"{connections:,} x window {window}, each fsync {SYNC_DELAY_MS} ms slower"
        slower = {**preload(stage.programs.slowsync), "SLOWSYNC_MS": str(SYNC_DELAY_MS)}
        settings = {"connections": connections, "joined": True}
        found = _two_hubs(stage, {"as it is": {}, "slower": slower}, stage.sizes.ingest(count, window), title, settings)
        for of, unit in ((per_second, "messages/s"), (cpu_per_million, "CPU s per million")):
            usual, slow = (spread(found[name], of) for name in ("as it is", "slower"))
            stage.add(Row(Table.ALONE, title, unit, slow, usual, "as the disk is"))


def engines(stage: Stage) -> None:
    """The two TLS engines of the hub beside each other: a connect, and an idle connection."""
    settings = {name: {"IRONHUB_TLS_ENGINE": name} for name in ENGINES}
    usual, other = ENGINES
    found = _two_hubs(stage, settings, stage.sizes.connect(), "TLS engines", {})
    first, second = (spread(found[name], cpu_per_piece) for name in ENGINES)
    stage.add(Row(Table.ALONE, f"connect, TLS 1.3, engine {other}", "CPU ms", second, first, f"engine {usual}"))
    sizes = {name: Spread.of([_idle(stage, environment)]) for name, environment in settings.items()}
    name = f"idle TLS connection, engine {other}"
    stage.add(Row(Table.ALONE, name, "KiB RSS", sizes[other], sizes[usual], f"engine {usual}"))


def stored_by_hub(data: Path) -> int:
    """Return how many messages are in the log of a hub that does not run."""
    command = [sys.executable, "-m", "ironhub", "monitor", "--data", str(data), "--from", "earliest", "-o", "json"]
    done = subprocess.run(command, capture_output=True, check=True)
    return sum(1 for line in done.stdout.splitlines() if json.loads(line)["sequence_number"] >= 0)


def _stored_by_peer(stage: Stage, directory: Path) -> int:
    again = stage.start_peer(directory)
    try:
        with stage.reader(again) as reader:
            return int(reader.run(f"drain {_QUIET}")["done"])
    finally:
        again.stop()


def _load_and_kill(stage: Stage, server: Server) -> int:
    """Return how many messages were acknowledged."""
    devices = stage.fleet().devices[Kind.AUTHORITY]
    with stage.generator(server, devices, connections=100) as generator:
        acked = int(generator.run(f"ingest {ACKED} {_MAX_LOAD} 16")["done"])
        server.kill()
    return acked


def _two_hubs(
    stage: Stage,
    environments: Mapping[str, Mapping[str, str]],
    commands: tuple[str, str],
    measured: str,
    settings: Mapping[str, Any],
) -> Samples:
    stage.say(measured)
    with ExitStack() as stack:
        pair = {}
        for (name, environment), address in zip(environments.items(), (HUB, SECOND_HUB), strict=True):
            hub = stack.enter_context(stage.hub(stage.fleet(), address, environment))
            devices = stage.fleet().devices[Kind.THUMBPRINT]
            pair[name] = entered(stack, stage.contestant(hub, devices, **settings))
        return stage.record(measured, alternate(pair, commands, stage.sizes.rounds))


def _idle(stage: Stage, environment: Mapping[str, str]) -> float:
    devices, count = stage.fleet().devices[Kind.THUMBPRINT], stage.sizes.idle // 4
    with stage.hub(stage.fleet(), HUB, environment) as hub, stage.generator(hub, devices[:10], connections=10):
        wait_until_quiet(hub.pid)
        before = resident_bytes(hub.pid)
        with stage.generator(hub, devices[10:], connections=count):
            wait_until_quiet(hub.pid)
            return (resident_bytes(hub.pid) - before) / count / 1024
