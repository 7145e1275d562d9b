"""Devices over AMQP beside RabbitMQ with its AMQP 1.0 plugin: acknowledged messages, and connects."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import product
from typing import Any, Final

from tools.bench import rabbit
from tools.bench.beside import NARROW, OURS, WIDE, entered
from tools.bench.credentials import BenchDevice, Kind, amqp_hub_line, login_line
from tools.bench.measure import (
    Contestant,
    Sample,
    Samples,
    alternate,
    cpu_per_million,
    cpu_per_piece,
    per_second,
    spread,
)
from tools.bench.report import Row, Table
from tools.bench.servers import HubServer
from tools.bench.stage import HUB, PARTITIONS, Stage
from tools.bench.stats import Spread

PEER: Final = "RabbitMQ"
MQTT: Final = "ironhub over MQTT"
WIDEST: Final = (200, 64)
INGEST_TARGET: Final = 0.3
MQTT_TARGET: Final = 2.0
CONNECT_TARGET: Final = 0.4
BODIES: Final = (100, 1024)


def ingest(stage: Stage) -> None:
    """CPU of the server for a million messages that it acknowledged and keeps; the hub's own MQTT in the same run."""
    for shape, body in product((WIDEST, WIDE, NARROW), BODIES):
        _ingest(stage, shape, body)


def _ingest(stage: Stage, shape: tuple[int, int], body: int) -> None:
    connections, window = shape
    name = f"AMQP ingest, {body} B, {connections:,} x window {window}"
    stage.say(name)
    settings: dict[str, Any] = {"connections": connections, "body": body, "joined": True}
    count = stage.sizes.narrow if shape is NARROW else stage.sizes.wide
    devices = stage.fleet().devices[Kind.SAS]
    with ExitStack() as stack:
        hub = stack.enter_context(stage.hub(stage.fleet()))
        ours = over_amqp(stage, hub, devices[:connections], **settings)
        others = stage.contestant(hub, devices[connections : 2 * connections], **settings)
        trio = {OURS: entered(stack, ours), MQTT: entered(stack, others)}
        if stage.rabbitmq is not None:
            trio[PEER] = entered(stack, at_rabbit(stage, stack, **settings))
        taken = stage.record(name, alternate(trio, stage.sizes.ingest(count, window), stage.sizes.rounds))
    ours_found, mqtt = spread(taken[OURS], cpu_per_million), spread(taken[MQTT], cpu_per_million)
    stage.add(
        Row(Table.BESIDE, name, "CPU s per million", ours_found, peer(taken, cpu_per_million), "", INGEST_TARGET),
        Row(Table.BESIDE, f"{name}, speed", "messages/s", spread(taken[OURS], per_second), peer(taken, per_second)),
        Row(Table.ALONE, name, "CPU s per million", ours_found, mqtt, "over MQTT", MQTT_TARGET),
    )


def connects(stage: Stage) -> None:
    """CPU of the server until a device could send: TLS 1.3, SASL, token or password, link, and its goodbye."""
    stage.say("AMQP connects")
    with ExitStack() as stack:
        hub = stack.enter_context(stage.hub(stage.fleet()))
        pair = {OURS: entered(stack, over_amqp(stage, hub, stage.fleet().devices[Kind.SAS]))}
        if stage.rabbitmq is not None:
            pair[PEER] = entered(stack, at_rabbit(stage, stack))
        taken = stage.record("AMQP connect", alternate(pair, stage.sizes.connect(), stage.sizes.rounds))
    name = "AMQP connect, TLS 1.3, token put to $cbs (RabbitMQ: password)"
    found = spread(taken[OURS], cpu_per_piece)
    stage.add(Row(Table.BESIDE, name, "CPU ms", found, peer(taken, cpu_per_piece), "", CONNECT_TARGET))


def over_amqp(stage: Stage, hub: HubServer, devices: Sequence[BenchDevice], **settings: Any) -> Contestant:
    """The hub and a load generator that is these devices over AMQP."""
    lines = (amqp_hub_line(device, HUB, stage.expires_at()) for device in devices)
    return Contestant(hub, stage.load(hub, lines, amqp=True, **settings))


def at_rabbit(stage: Stage, stack: ExitStack, *, queues: int = PARTITIONS, **settings: Any) -> Contestant:
    """RabbitMQ and a load generator whose devices share its queues."""
    devices = max(settings.get("connections", 0), queues)
    server = stack.enter_context(stage.rabbit(queues))
    lines = (login_line(rabbit.login(f"device-{number}", number % queues)) for number in range(devices))
    return Contestant(server, stage.load(server, lines, amqp=True, **settings))


def rabbit_readers(queues: int) -> Iterator[str]:
    """A reader for each queue."""
    return (login_line(rabbit.login(f"reader-{number}", number)) for number in range(queues))


def peer(taken: Samples, of: Callable[[Sample], float]) -> Spread | None:
    """Return what RabbitMQ took, if it is there."""
    return spread(taken[PEER], of) if PEER in taken else None
