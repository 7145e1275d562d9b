"""One measurement: a command of the load generator, and what the server worked meanwhile."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from tools.bench.generator import Generator
from tools.bench.machine import busy_seconds, cpu_seconds, cpu_seconds_with_children, wait_until_quiet
from tools.bench.servers import Server
from tools.bench.stats import Spread


@dataclass(frozen=True, slots=True)
class Sample:
    """What one command took. Seconds; `others`: cores that anybody else on the machine used meanwhile."""

    done: int
    seconds: float
    server_cpu: float
    generator_cpu: float
    others: float
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contestant:
    """A server and who loads it."""

    server: Server
    generator: Generator


Samples = Mapping[str, list[Sample]]


def take(contestant: Contestant, command: str) -> Sample:
    """Run `command` once; what the server does afterwards because of it counts too."""
    pid = contestant.server.pid
    begun, busy, cpu, own = perf_counter(), busy_seconds(), cpu_seconds_with_children(pid), _own()
    answer = contestant.generator.run(command)
    wait_until_quiet(pid)
    cpu, own = cpu_seconds_with_children(pid) - cpu, _own() - own
    took, busy = perf_counter() - begun, busy_seconds() - busy
    known = {name: answer.pop(name) for name in ("done", "seconds", "cpu")}
    others = max(0.0, busy - cpu - own - known["cpu"]) / took
    return Sample(known["done"], known["seconds"], cpu, known["cpu"], others, answer)


def alternate(contestants: Mapping[str, Contestant], commands: tuple[str, str], rounds: int) -> Samples:
    """Run a command on each in turn, `rounds` times over, after one warm-up each: A B A B."""
    command, warm_up = commands
    for contestant in contestants.values():
        take(contestant, warm_up)
    samples: dict[str, list[Sample]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            samples[name].append(take(contestant, command))
    return samples


def spread(samples: list[Sample], of: Callable[[Sample], float]) -> Spread:
    """Return the spread of one quantity over the rounds."""
    return Spread.of(of(sample) for sample in samples)


def cpu_per_million(sample: Sample) -> float:
    """CPU seconds of the server for a million of what was done."""
    return sample.server_cpu / sample.done * 1e6


def cpu_per_piece(sample: Sample) -> float:
    """CPU milliseconds of the server for one of what was done."""
    return sample.server_cpu / sample.done * 1e3


def per_second(sample: Sample) -> float:
    """How many were done in a second."""
    return sample.done / sample.seconds


def wait(name: str) -> Callable[[Sample], float]:
    """Return what reads a percentile of the wait for an acknowledgement, in milliseconds."""
    return lambda sample: float(sample.more[name]) / 1e3


def _own() -> float:
    return cpu_seconds(os.getpid())
