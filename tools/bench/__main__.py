"""The command: `python -m tools.bench`; see `docs/benchmarks.md`."""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from tools.bench import amqp, beside, durability, events, growth, needs, rabbit, rest
from tools.bench.machine import cores, describe
from tools.bench.report import render
from tools.bench.stage import FULL, QUICK, Stage

import ironhub
from ironhub.wire.mqtt import COMPILED

BENCHMARKS: Final[dict[str, Callable[[Stage], None]]] = {
    "ingest": beside.ingest,
    "connect": beside.connects,
    "idle": beside.idle,
    "latency": beside.latency,
    "crash": durability.crash,
    "growth-connections": growth.connections,
    "growth-devices": growth.registered,
    "slow-disk": durability.slow_disk,
    "engines": durability.engines,
    "rest": rest.rest,
    "https-telemetry": rest.telemetry,
    "methods": rest.methods,
    "rest-growth": rest.growth,
    "amqp-ingest": amqp.ingest,
    "amqp-connect": amqp.connects,
    "events-read": events.read,
    "events-latency": events.latency,
}
BESIDE_RABBITMQ: Final = {"amqp-ingest", "amqp-connect", "events-read", "events-latency"}
QUICK_ONES: Final = ("ingest", "connect", "idle", "latency", "crash")
"""What `--quick` measures when nothing is named."""
NOISY: Final = 0.1
"""Cores that others may use meanwhile before the result says so."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables; returns the exit code: 0, whatever was found, 1: it could not be measured."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that servers and files go with us
    try:
        with tempfile.TemporaryDirectory(prefix="ironhub-bench-") as directory:
            stage = set_up(Path(directory), options)
            for name in options.only:
                BENCHMARKS[name](stage)
    except needs.NotHere as missing:
        print(f"error: bench.missing: {missing}", file=sys.stderr)
        return 1
    result = result_of(stage)
    print(show(result, stage))
    if options.json is not None:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description="Measure this hub beside its peers.")
    parser.add_argument("--quick", action="store_true", help="a first impression, in three minutes")
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--peers", choices=("all", "none"), default="all", help="what to measure beside")
    options = parser.parse_args(arguments)
    options.only = options.only or list(QUICK_ONES if options.quick else BENCHMARKS)
    return options


def set_up(directory: Path, options: argparse.Namespace) -> Stage:
    """Build and find what is needed. Raises NotHere."""
    programs = needs.build(directory)
    compared = options.peers == "all"
    mosquitto = needs.mosquitto() if compared and not set(options.only) <= BESIDE_RABBITMQ else None
    rabbitmq = needs.rabbitmq() if compared and set(options.only) & BESIDE_RABBITMQ else None
    return Stage(directory, programs, mosquitto, rabbitmq, QUICK if options.quick else FULL)


def result_of(stage: Stage) -> dict[str, Any]:
    """Return all that was found, for the JSON file."""
    return {
        "machine": describe(),
        "versions": {
            "ironhub": ironhub.__version__,
            "wire layer": "compiled" if COMPILED else "pure Python",
            "cryptography": metadata.version("cryptography"),
            "mosquitto": None if stage.mosquitto is None else _version(stage.mosquitto),
            "RabbitMQ": None if stage.rabbitmq is None else rabbit.version(stage.rabbitmq),
        },
        "rounds": stage.sizes.rounds,
        "rows": [row.as_json() for row in stage.rows],
        "samples": stage.samples,
    }


def show(result: dict[str, Any], stage: Stage) -> str:
    """Return the tables, and what a reader must know about them."""
    server, generator = cores()
    notes = [
        "; ".join(f"{name} {value}" for name, value in (result["machine"] | result["versions"]).items() if value),
        f"Medians of {result['rounds']} rounds in turn (lowest-highest); server on core {server}, load on {generator}.",
    ]
    others = [sample["others"] for sample in stage.samples if "others" in sample]
    if others and max(others) > NOISY:
        notes.append(f"NOISY: others used up to {max(others):.2f} cores meanwhile; run it again on a quiet machine.")
    if not COMPILED:
        notes.append("The wire layer is pure Python here: install the package where a C compiler is at hand.")
    missed = [row.name for row in stage.rows if row.verdict == "MISSED"]
    notes.append(f"MISSED: {len(missed)}: {'; '.join(missed)}" if missed else "All targets are met.")
    return "\n\n".join((render(stage.rows), *notes))


def _version(program: Path) -> str:
    done = subprocess.run([str(program), "-h"], capture_output=True, text=True, check=False)
    return done.stdout.split("\n")[0].removeprefix("mosquitto version ")


if __name__ == "__main__":
    sys.exit(main())
