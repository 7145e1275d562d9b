"""Faults of disks, made with strace: a system call of the running hub is refused, delayed, or the last one it makes."""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.durability.load import until
from tests.fakes.running_hub import HubFailed, RunningHub

SYNCS: Final = "fsync,fdatasync"
WRITES: Final = "pwrite64,ftruncate,fallocate"
FAILS: Final = f"{SYNCS}:error=EIO"
READ_ONLY: Final = f"{WRITES}:error=EROFS"
SLOW: Final = f"{SYNCS}:delay_enter=300000"
"""Each takes 300,000 microseconds longer."""


def strace(inject: str, *paths: Path) -> list[str]:
    """Return the beginning of a command line that injects; calls on other files than `paths` (none: all) go through."""
    where = [part for path in paths for part in ("-P", str(path))]
    return [_strace(), "-f", "-e", f"trace={inject.split(':', 1)[0]}", "-e", f"inject={inject}", *where]


@asynccontextmanager
async def tampered(hub: RunningHub, inject: str, *paths: Path) -> AsyncIterator[None]:
    """What the hub asks of its disk goes wrong inside, whatever it has open already."""
    trace, told = hub.data.with_suffix(".trace"), hub.data.with_suffix(".strace")
    with told.open("w") as messages:
        tracer = subprocess.Popen([*strace(inject, *paths), "-o", str(trace), "-p", str(hub.pid)], stderr=messages)
    try:
        await until(lambda: "attached" in told.read_text() or tracer.poll() is not None)
        assert "attached" in told.read_text(), f"strace cannot attach: {told.read_text()}"
        yield
    finally:
        if tracer.poll() is None:
            tracer.send_signal(signal.SIGINT)  # it lets go of the hub, which goes on
        try:
            await asyncio.to_thread(tracer.wait, 5)
        except subprocess.TimeoutExpired:
            # It can miss the end of a thread that it killed, and wait for it for ever; the kernel lets go of the hub.
            tracer.kill()
            await asyncio.to_thread(tracer.wait, 30)


def dies_at_start(hub: RunningHub, inject: str, *paths: Path) -> bool:
    """Start the hub under an injection that kills; return whether that happened before it was ready."""
    prefix = [*strace(inject, *paths), "-D", "-o", str(hub.data.with_suffix(".trace"))]  # -D: the hub is our child
    try:
        hub.start(prefix)
    except HubFailed:
        assert hub.wait() == -signal.SIGKILL, hub.log[-2000:]
        return True
    hub.kill()
    return False


def _strace() -> str:
    found = shutil.which("strace")
    if found is None and os.geteuid() == 0:
        subprocess.run(["apt-get", "install", "-y", "-qq", "strace"], check=True, capture_output=True)
        found = shutil.which("strace")
    assert found is not None, "strace is needed to let disks fail: install it (apt-get install strace)"
    return found
