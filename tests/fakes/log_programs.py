"""Programs that use an event log in a process of their own, to be killed or to meet a full disk.

`python -m tests.fakes.log_programs write|fill PATH [FIRST]`
"""

import asyncio
import os
import resource
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

from tests.fakes.clock import FakeClock
from tests.fakes.streams import PRESS, entries, sealer, stored

from ironhub.core.errors import HubError, Unavailable
from ironhub.messaging.telemetry.model import Entry
from ironhub.streams.embedded.log import EmbeddedLog, open_log
from ironhub.streams.settings import LogSettings

FACT = b"fact"
IN_FLIGHT = 60
FULL_AT = 3 << 20
_ROOT = Path(__file__).resolve().parents[2]


def start(*arguments: object) -> subprocess.Popen[bytes]:
    """Start one of the programs."""
    command = [sys.executable, "-m", "tests.fakes.log_programs", *map(str, arguments)]
    return subprocess.Popen(
        command,
        cwd=_ROOT,
        env=os.environ | {"PYTHONPATH": f"{_ROOT / 'src'}{os.pathsep}{_ROOT}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


async def write(path: Path, first: int) -> None:
    """Append numbered messages over all partitions, relay facts, and print what is acknowledged, a line at a time."""
    log = await open_log(path, sealer(), FakeClock(), LogSettings(commit_interval=0.0005))
    relaying = asyncio.ensure_future(relay(log))
    room = asyncio.Semaphore(IN_FLIGHT)

    def tell(partition: int, number: int, error: HubError | None) -> None:
        if error is not None:
            raise SystemExit(str(error))
        os.write(1, b"%d %d\n" % (partition, number))
        room.release()

    number = first
    while not relaying.done():
        await room.acquire()
        partition = number % log.partitions
        log.append(partition, [Entry(PRESS, b"", b"%d" % number)], partial(tell, partition, number))
        number += 1


async def relay(log: EmbeddedLog) -> None:
    """Relay numbered facts, one by one, for ever."""
    outbox_id = await log.relayed()
    while True:
        outbox_id += 1
        await log.relay([(outbox_id, 0, Entry(PRESS, FACT, b"%d" % outbox_id))])


async def fill(path: Path) -> None:
    """Append until the disk refuses three times, give it room, go on; print how many were acknowledged."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    log = await open_log(path, sealer(), FakeClock(), LogSettings())
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    acknowledged = refused = 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_AT, hard))
    while refused < 3:
        try:
            await stored(log, 0, [Entry(PRESS, b"", b"x" * 100_000)])
            acknowledged += 1
        except Unavailable:
            refused += 1
    unwell = not log.stats.healthy
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await stored(log, 0, entries(1))
    well = log.stats.healthy
    await log.close()
    os.write(1, b"%d %d %d" % (acknowledged, unwell, well))


if __name__ == "__main__":
    program, target = sys.argv[1], Path(sys.argv[2])
    asyncio.run(fill(target) if program == "fill" else write(target, int(sys.argv[3])))
