"""Print what a message costs in the event log: CPU microseconds of append, pack, seal and commit, with real syncs.

Run it with `python tools/measure_log.py [--messages N] [--interval 0]`.
It makes its logs in the current directory, and removes them.
"""

import argparse
import asyncio
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import uvloop

from ironhub.app.system import SystemClock, SystemEntropy
from ironhub.core.errors import HubError
from ironhub.core.ids import identity
from ironhub.core.sealing import Sealer
from ironhub.messaging.telemetry.model import Encoding, Entry, Origin, Source
from ironhub.streams.embedded.log import EmbeddedLog, open_log
from ironhub.streams.embedded.schema import connect
from ironhub.streams.settings import LogSettings

CONNECTIONS = 400
PROPERTIES = b"%24.ct=application%2Fjson%3Bcharset%3Dutf-8&%24.ce=utf-8&site=north"
BODY = b'{"temperature": 21.25, "pressure": 1013.2, "vibration": [0.01, 0.02, 0.07], "state": "running"}' + b" " * 60


class SlowDisk(sqlite3.Connection):
    """A disk that takes 5 ms longer for each commit."""

    def execute(self, statement: str, values: Any = ()) -> sqlite3.Cursor:
        """Run `statement`; the delay stands for the disk's sync."""
        done = super().execute(statement, values)
        if statement == "COMMIT":
            time.sleep(0.005)
        return done


def slow_connect(path: Path) -> sqlite3.Connection:
    """Connect as the product does, to the slow disk."""
    return connect(path, SlowDisk)


async def load(log: EmbeddedLog, messages: int, batch: int, in_flight: int) -> None:
    """Keep `in_flight` appends of `batch` messages unacknowledged until `messages` are stored."""
    entries = [
        [Entry(Origin(identity(f"press-{n}"), Source.TELEMETRY, Encoding.AZURE_TOPIC), PROPERTIES, BODY)] * batch
        for n in range(CONNECTIONS)
    ]
    places = [log.partition_of(each[0].origin.identity.device_id) for each in entries]
    done = asyncio.get_running_loop().create_future()
    left = messages // batch
    open_ = 0
    number = 0

    def stored(error: HubError | None) -> None:
        nonlocal open_
        if error is not None and not done.done():
            done.set_exception(error)
        open_ -= 1
        if open_ == 0:
            asyncio.get_running_loop().call_soon(more)

    def more() -> None:
        nonlocal left, open_, number
        count = min(in_flight, left)
        if count == 0:
            done.set_result(None)
        left -= count
        open_ += count
        append = log.append
        for _ in range(count):
            number = (number + 1) % CONNECTIONS
            append(places[number], entries[number], stored)

    more()
    await done


def cpu() -> tuple[float, float]:
    """Return this process's CPU seconds (user, system)."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime, usage.ru_stime


async def measure(name: str, messages: int, batch: int, in_flight: int, *, slow: bool, interval: float) -> None:
    """Measure one shape and print a line."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
        sealer = Sealer({1: bytes(range(32))}, SystemEntropy())
        opened = partial(
            open_log, Path(directory) / "stream.db", sealer, SystemClock(), LogSettings(commit_interval=interval)
        )
        log = await (opened(connect=slow_connect) if slow else opened())
        await load(log, 20 * batch * in_flight, batch, in_flight)
        commits, begun, (user, system) = log.stats.commits, time.perf_counter(), cpu()
        await load(log, messages, batch, in_flight)
        user, system = (after - before for after, before in zip(cpu(), (user, system), strict=True))
        seconds, commits = time.perf_counter() - begun, log.stats.commits - commits
        await log.close()
    print(
        f"{name:44} {(user + system) / messages * 1e6:6.2f} us CPU/message (user {user / messages * 1e6:.2f}, "
        f"system {system / messages * 1e6:.2f})  {messages / seconds:10,.0f} messages/s  "
        f"{messages / batch / commits:6.0f} appends/commit"
    )


async def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the shapes of the design, on this disk and on a slower one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=400_000)
    parser.add_argument("--interval", type=float, default=LogSettings().commit_interval, help="seconds between commits")
    options = parser.parse_args(arguments)
    messages, interval = options.messages, options.interval
    print(f"messages of {len(PROPERTIES) + len(BODY)} bytes, {CONNECTIONS} connections, 4 partitions")
    for slow in (False, True):
        disk = ", 5 ms slower disk" if slow else ""
        shape = partial(measure, slow=slow, interval=interval)
        await shape(f"16 per append, 200 appends in flight{disk}", 4 * messages, 16, 200)
        await shape(f"1 per append, 200 appends in flight{disk}", messages, 1, 200)
        await shape(f"1 per append, 2000 appends in flight{disk}", messages, 1, 2000)


if __name__ == "__main__":
    uvloop.run(main())
