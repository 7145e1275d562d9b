"""This hub beside its peers: ingest, connects, memory of idle connections, and how long an acknowledgement takes."""

from collections.abc import Callable
from contextlib import ExitStack
from itertools import pairwise, product
from typing import Any, Final

from tools.bench.credentials import Kind
from tools.bench.machine import resident_bytes, wait_until_quiet
from tools.bench.measure import (
    Contestant,
    Sample,
    Samples,
    alternate,
    cpu_per_million,
    cpu_per_piece,
    per_second,
    spread,
    wait,
)
from tools.bench.report import Row, Table
from tools.bench.servers import Server
from tools.bench.stage import Stage
from tools.bench.stats import Spread

OURS: Final = "ironhub"
PEER: Final = "mosquitto"
WIDE: Final = (200, 16)
NARROW: Final = (1000, 1)
"""Connections, and how many publishes of each wait for their PUBACK."""
INGEST_TARGETS: Final = {WIDE: 1.0, NARROW: 2.0}
CONNECT_TARGET: Final = 1.2
IDLE_TARGET: Final = 2.0
BODIES: Final = (100, 1024)
RATE: Final = 1000
"""Messages a second, where the wait for the acknowledgement is measured."""
FEW: Final = 10


def ingest(stage: Stage) -> None:
    """CPU of the server for a million messages that it acknowledged and keeps."""
    for shape, body in product((WIDE, NARROW), BODIES):
        _ingest(stage, shape, body, INGEST_TARGETS[shape], joined=True)
    _ingest(stage, WIDE, BODIES[0], None, joined=False)


def _ingest(stage: Stage, shape: tuple[int, int], body: int, target: float | None, *, joined: bool) -> None:
    connections, window = shape
    count = stage.sizes.wide if shape is WIDE else stage.sizes.narrow
    name = f"ingest, {body} B, {connections:,} x window {window}" + ("" if joined else ", a TLS record each")
    stage.say(name)
    with ExitStack() as stack:
        pair = contestants(stage, stack, connections=connections, body=body, joined=joined)
        taken = stage.record(name, alternate(pair, stage.sizes.ingest(count, window), stage.sizes.rounds))
    for title, unit, of, bound in (
        (name, "CPU s per million", cpu_per_million, target),
        (f"{name}, speed", "messages/s", per_second, None),
    ):
        stage.add(Row(Table.BESIDE, title, unit, spread(taken[OURS], of), _peer(taken, of), "", bound))


def connects(stage: Stage) -> None:
    """CPU of the server for a full handshake with MQTT CONNECT, CONNACK and DISCONNECT."""
    devices = stage.fleet().devices
    for tls in ("1.3", "1.2"):
        stage.say(f"connects, TLS {tls}")
        with ExitStack() as stack:
            hub = stack.enter_context(stage.hub(stage.fleet()))
            pair = {kind.value: entered(stack, stage.contestant(hub, devices[kind], tls=tls)) for kind in Kind}
            if stage.mosquitto is not None:
                peer = stack.enter_context(stage.peer())
                pair[PEER] = entered(stack, stage.contestant(peer, devices[Kind.AUTHORITY], tls=tls))
            taken = stage.record(f"connect TLS {tls}", alternate(pair, stage.sizes.connect(), stage.sizes.rounds))
        found = {name: spread(samples, cpu_per_piece) for name, samples in taken.items()}
        for kind in (Kind.THUMBPRINT, Kind.AUTHORITY):
            name = f"connect, TLS {tls}, P-256 client certificate, {kind}"
            stage.add(Row(Table.BESIDE, name, "CPU ms", found[kind], found.get(PEER), "", CONNECT_TARGET))
        name, mtls = f"connect, TLS {tls}, SAS token", found[Kind.AUTHORITY]
        stage.add(Row(Table.ALONE, name, "CPU ms", found[Kind.SAS], mtls, "with a certificate"))


def idle(stage: Stage) -> None:
    """Memory of an idle connection: what the process grows by, divided by the connections it grew for."""
    many = stage.sizes.idle
    taken: dict[str, list[tuple[float, float, float]]] = {}
    for number in range(stage.sizes.rounds):
        stage.say(f"idle connections, round {number + 1}")
        with stage.hub(stage.fleet()) as hub:
            taken.setdefault(OURS, []).append(_fill_up(stage, hub))
        if stage.mosquitto is not None:
            with stage.peer() as peer:
                taken.setdefault(PEER, []).append(_fill_up(stage, peer))
    stage.samples += [{"measured": "idle", "of": name, "kib": figures} for name, figures in taken.items()]
    found = {name: Spread.of(whole for whole, _, _ in figures) for name, figures in taken.items()}
    first, last = (Spread.of(figures[place] for figures in taken[OURS]) for place in (1, 2))
    name = f"idle TLS connection, {many:,} of them"
    stage.add(
        Row(Table.BESIDE, name, "KiB RSS", found[OURS], found.get(PEER), "", IDLE_TARGET),
        Row(
            Table.GROWTH,
            f"idle TLS connection, last {many // 2:,} : first {many // 2:,}",
            "KiB RSS",
            last,
            first,
            "",
            1.2,
        ),
    )


def latency(stage: Stage) -> None:
    """How long an acknowledgement takes at a thousand messages a second, far below what either can do."""
    stage.say(f"latency at {RATE:,} messages/s")
    with ExitStack() as stack:
        pair = contestants(stage, stack, connections=200, body=100)
        taken = stage.record("latency", alternate(pair, stage.sizes.rate(RATE), stage.sizes.rounds))
    for name, unit, of in (
        ("p50", "ms", wait("p50_us")),
        ("p99", "ms", wait("p99_us")),
        ("CPU", "s per million", cpu_per_million),
    ):
        title = f"acknowledgement at {RATE:,} messages/s, {name}"
        stage.add(Row(Table.BESIDE, title, unit, spread(taken[OURS], of), _peer(taken, of)))


def contestants(stage: Stage, stack: ExitStack, **settings: Any) -> dict[str, Contestant]:
    """Start both servers with a load generator of these settings each, by certificates of one authority."""
    devices = stage.fleet().devices[Kind.AUTHORITY]
    hub = stack.enter_context(stage.hub(stage.fleet()))
    pair = {OURS: entered(stack, stage.contestant(hub, devices, **settings))}
    if stage.mosquitto is not None:
        peer = stack.enter_context(stage.peer())
        pair[PEER] = entered(stack, stage.contestant(peer, devices, **settings))
    return pair


def entered(stack: ExitStack, contestant: Contestant) -> Contestant:
    """Let `stack` close its connections before its server ends."""
    stack.enter_context(contestant.generator)
    return contestant


def _peer(taken: Samples, of: Callable[[Sample], float]) -> Spread | None:
    return spread(taken[PEER], of) if PEER in taken else None


def _fill_up(stage: Stage, server: Server) -> tuple[float, float, float]:
    """Return KiB per connection: of all, of the first half, of the second half; the first few are not counted."""
    devices, half = stage.fleet().devices[Kind.AUTHORITY], stage.sizes.idle // 2
    sizes: list[int] = []
    with ExitStack() as stack:
        for start, end in pairwise((0, FEW, FEW + half, FEW + 2 * half)):
            generator = stage.generator(server, devices[start:end], connections=end - start)
            stack.enter_context(generator)
            wait_until_quiet(server.pid)
            sizes.append(resident_bytes(server.pid))
    none, middle, full = sizes
    return (full - none) / (2 * half) / 1024, (middle - none) / half / 1024, (full - middle) / half / 1024
