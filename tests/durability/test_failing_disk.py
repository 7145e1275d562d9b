"""A disk that fails, is full or read-only costs nothing that was acknowledged, and acknowledges nothing meanwhile.

The hub lives, says why it is not ready, answers reads of the registry, and goes on by itself when the disk recovers.
"""

import asyncio
import os
import resource
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

import httpx
import pytest
from tests.durability.conftest import MakeHub
from tests.durability.faults import FAILS, READ_ONLY, tampered
from tests.durability.load import Load, until
from tests.durability.verify import check, devices_of
from tests.fakes.running_hub import HubFailed, RunningHub

Fault = Callable[[RunningHub], AbstractAsyncContextManager[None]]
REFUSED: Final = "503 hub.unavailable"
MEGABYTE: Final = 1 << 20


@asynccontextmanager
async def syncs_fail(hub: RunningHub) -> AsyncIterator[None]:
    """Each fsync returns EIO."""
    async with tampered(hub, FAILS):
        yield


@asynccontextmanager
async def read_only(hub: RunningHub) -> AsyncIterator[None]:
    """Each write returns EROFS, as when the kernel turns a file system read-only under the files that are open."""
    async with tampered(hub, READ_ONLY):
        yield


@asynccontextmanager
async def files_cannot_grow(hub: RunningHub) -> AsyncIterator[None]:
    """Each file has the size it may have at most, give or take a little."""
    limit = max(file.stat().st_size for file in hub.data.iterdir()) + MEGABYTE
    before = resource.prlimit(hub.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(hub.pid, resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.prlimit(hub.pid, resource.RLIMIT_FSIZE, before)


@asynccontextmanager
async def file_system_full(hub: RunningHub) -> AsyncIterator[None]:
    """Somebody else has taken every byte of the file system."""
    filler = hub.data.parent / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (MEGABYTE, 4096):
            fill(file, size)
    try:
        yield
    finally:
        filler.unlink()


def fill(file: BinaryIO, size: int) -> None:
    """Write until the file system refuses `size` bytes more."""
    with suppress(OSError):
        while True:
            file.write(b"x" * size)


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A file system of its own at `place`, for who may mount one; else a directory."""
    place.mkdir()
    mounted = os.geteuid() == 0
    if mounted:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(place)], check=True)


FAULTS: Final[dict[str, Fault]] = {
    "EIO": syncs_fail,
    "read-only": read_only,
    "size limit": files_cannot_grow,
    **({"disk full": file_system_full} if os.geteuid() == 0 else {}),
}


@pytest.fixture
def hub(make_hub: MakeHub, tmp_path: Path) -> Iterator[RunningHub]:
    """A hub on a disk of its own; its log lies elsewhere."""
    with small_disk(tmp_path / "disk") as disk:
        running = make_hub(disk / "data")
        running.log_path = tmp_path / "hub.log"
        yield running.start()
        assert running.stop() == 0


def health(hub: RunningHub, page: str) -> httpx.Response:
    """The answer of one of the health pages."""
    return httpx.get(f"http://127.0.0.1:{hub.ready['metrics']}/{page}")


SOME_ROOM: Final = frozenset({"size limit", "disk full"})
"""With these a small commit may still find room where a larger one does not; then it is acknowledged, and rightly."""


@pytest.mark.parametrize("name", FAULTS)
async def test_a_disk_that_refuses_is_told_of_and_outlived(hub: RunningHub, name: str) -> None:
    load = Load(hub)
    async with load.running():
        await load.works()
        async with FAULTS[name](hub):
            await both_stores_refuse(hub)
            before = await all_heard(load)
            await refusals(hub, load)
            assert (load.acked, load.changes) == before or name in SOME_ROOM
        await until(lambda: health(hub, "readyz").status_code == 200)
        await load.works()
        hub.kill()
        await load.ends()
    hub.start()
    await check(load)


async def both_stores_refuse(hub: RunningHub) -> None:
    """Return when the hub says of both that they refuse, and why; it lives nevertheless."""
    told: set[str] = set()

    def all_told() -> bool:
        page = health(hub, "readyz")
        told.update(line.split(" ")[0] for line in page.text.splitlines() if page.status_code == 503)
        return told == {"hub.db", "stream.db"}

    await until(all_told)
    assert health(hub, "healthz").status_code == 200


async def all_heard(load: Load) -> tuple[int, int]:
    """Return what was acknowledged when every device has heard all that the hub said before it cut it off."""
    await load.ends()
    return load.acked, load.changes


async def refusals(hub: RunningHub, load: Load) -> None:
    """Devices are cut off again and again, and operators told that nothing was stored; the registry can be read."""
    refused = load.ledger.answers[REFUSED]
    await load.ends()
    await load.ends()
    await until(lambda: load.ledger.answers[REFUSED] > refused + 3)
    assert len(await asyncio.to_thread(devices_of, hub)) >= len(load.records)
    assert set(load.ledger.answers) <= {"200", "201", "204", REFUSED}


async def test_a_registry_that_nobody_writes_to_is_noticed_to_be_well_again(hub: RunningHub) -> None:
    async with tampered(hub, FAILS, hub.data / "hub.db-wal"):
        with pytest.raises(HubFailed, match=REFUSED.split()[1]):
            await asyncio.to_thread(hub.create_device, "press-7")
        page = health(hub, "readyz")
        assert page.status_code == 503
        assert page.text == "hub.db cannot be used: SQLITE_IOERR_FSYNC: disk I/O error\n"
        assert "ironhub_ready 0.0" in health(hub, "metrics").text
    await until(lambda: health(hub, "readyz").status_code == 200, patience=10.0)
    await asyncio.to_thread(hub.create_device, "press-7")
