"""Readers of events over AMQP: from the oldest on, at the tail, and how long a message takes from device to reader."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final

from tools.bench.amqp import MQTT, PEER, at_rabbit, over_amqp, peer, rabbit_readers
from tools.bench.beside import OURS, RATE, WIDE, entered
from tools.bench.credentials import Kind, Login, login_line, sas_token
from tools.bench.fleet import OWNER, Fleet
from tools.bench.measure import Contestant, Sample, alternate, cpu_per_million, per_second, spread, take, wait
from tools.bench.report import Row, Table
from tools.bench.stage import HUB, PARTITIONS, Stage
from tools.bench.stats import Spread

CONNECTIONS, WINDOW = WIDE
READ_TARGET: Final = 5.0
"""CPU seconds per million events that are read from the oldest on, at most."""
_SPREADS: Final = (1, PARTITIONS)
_FEW: Final = 2 * CONNECTIONS
_PATIENCE: Final = 600
"""Seconds that filling may take."""


def read(stage: Stage) -> None:
    """CPU of the server for a million events of 100 bytes that readers got."""
    for partitions in _SPREADS:
        _cold(stage, partitions)
        _tail(stage, partitions)


def _cold(stage: Stage, partitions: int) -> None:
    name = f"events read from the oldest on, 100 B, {_of(partitions)}"
    stage.say(name)
    taken: dict[str, list[Sample]] = {}
    with ExitStack() as stack:
        pair = _pair(stage, stack, partitions)
        counts = {OURS: stage.sizes.read, PEER: stage.sizes.read // 4}
        for number in range(stage.sizes.rounds):
            for label, contestant in pair.items():
                if number == 0 or label == PEER:  # what a queue delivered is gone
                    contestant.generator.run(f"ingest {counts[label]} {_PATIENCE} {WINDOW}")
                taken.setdefault(label, []).append(take(contestant, f"read {counts[label]} {_PATIENCE}"))
    stage.record(name, taken)
    found = spread(taken[OURS], cpu_per_million)
    stage.add(
        Row(Table.BESIDE, name, "CPU s per million", found, peer(taken, cpu_per_million)),
        Row(Table.BESIDE, f"{name}, speed", "events/s", spread(taken[OURS], per_second), peer(taken, per_second)),
        Row(Table.ALONE, name, "CPU s per million", found, Spread.of([READ_TARGET]), "at most", 1.0),
    )


def _tail(stage: Stage, partitions: int) -> None:
    """Stored and read: as fast as devices send; what reading adds is told beside the same without readers."""
    name = f"stored, and read at the tail, 100 B, {_of(partitions)}"
    stage.say(name)
    with ExitStack() as stack:
        pair = _pair(stage, stack, partitions)
        command, warm_up = stage.sizes.ingest(stage.sizes.wide, WINDOW)
        alone = {OURS: pair[OURS]}
        stored = alternate(alone, (command, warm_up), stage.sizes.rounds)[OURS]
        follow = command.replace("ingest", "follow"), warm_up.replace("ingest", "follow")
        taken = stage.record(name, alternate(pair, follow, stage.sizes.rounds))
    found = spread(taken[OURS], cpu_per_million)
    stage.add(
        Row(Table.BESIDE, name, "CPU s per million", found, peer(taken, cpu_per_million)),
        Row(Table.BESIDE, f"{name}, speed", "events/s", spread(taken[OURS], per_second), peer(taken, per_second)),
        Row(Table.ALONE, name, "CPU s per million", found, spread(stored, cpu_per_million), "without readers"),
    )


def latency(stage: Stage) -> None:
    """How long a message takes from a device to a reader at a thousand messages a second."""
    stage.say(f"device to reader at {RATE:,} messages/s")
    fleet = stage.fleet()
    devices = fleet.devices[Kind.SAS]
    with ExitStack() as stack:
        hub = stack.enter_context(stage.hub(fleet))
        settings: dict[str, Any] = {"connections": CONNECTIONS, "readers": list(_readers(stage, fleet, PARTITIONS))}
        trio = {
            OURS: entered(stack, over_amqp(stage, hub, devices[:CONNECTIONS], **settings)),
            MQTT: entered(stack, stage.contestant(hub, devices[CONNECTIONS : 2 * CONNECTIONS], **settings)),
        }
        if stage.rabbitmq is not None:
            settings["readers"] = list(rabbit_readers(PARTITIONS))
            trio[PEER] = entered(stack, at_rabbit(stage, stack, **settings))
        taken = stage.record("device to reader", alternate(trio, stage.sizes.rate(RATE, "latency"), stage.sizes.rounds))
    for percentile in ("p50", "p99"):
        of = wait(f"{percentile}_us")
        title = f"device to reader at {RATE:,} messages/s, {percentile}"
        ours = spread(taken[OURS], of)
        stage.add(
            Row(Table.BESIDE, title, "ms", ours, peer(taken, of)),
            Row(Table.ALONE, title, "ms", ours, spread(taken[MQTT], of), "from MQTT"),
        )


def _pair(stage: Stage, stack: ExitStack, partitions: int) -> dict[str, Contestant]:
    """Devices over the protocol each server takes fastest, and a reader for each partition."""
    fleet = stage.fleet(3 * _FEW, _FEW, partitions)
    hub = stack.enter_context(stage.hub(fleet))
    devices = fleet.devices[Kind.SAS][:CONNECTIONS]
    settings: dict[str, Any] = {"joined": True, "connections": CONNECTIONS}
    ours = stage.contestant(hub, devices, readers=_readers(stage, fleet, partitions), **settings)
    pair = {OURS: entered(stack, ours)}
    if stage.rabbitmq is not None:
        settings["readers"] = rabbit_readers(partitions)
        pair[PEER] = entered(stack, at_rabbit(stage, stack, queues=partitions, **settings))
    return pair


def _readers(stage: Stage, fleet: Fleet, partitions: int) -> Iterator[str]:
    """A reader for each partition, with the owner's token."""
    token = f"{sas_token(f'sb://{HUB}/events', fleet.owner_key, stage.expires_at())}&skn={OWNER}"
    for number in range(partitions):
        address = f"events/ConsumerGroups/$Default/Partitions/{number}"
        yield login_line(Login(f"reader-{number}", "", token, address))


def _of(partitions: int) -> str:
    return "1 partition" if partitions == 1 else f"{partitions} partitions"
