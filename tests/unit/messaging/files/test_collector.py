"""What never completes is collected, in bounded rounds, also after a restart."""

import asyncio
from contextlib import suppress

import pytest
from tests.fakes.clock import START
from tests.fakes.files import SmallFiles, by_link, incoming
from tests.fakes.grants import by_device

from ironhub.access.model import Permission
from ironhub.core.errors import Unavailable
from ironhub.core.ids import identity
from ironhub.messaging.files import collector
from ironhub.messaging.files.blobs import BlobSettings
from ironhub.messaging.files.collector import FileCollector
from ironhub.messaging.files.model import FileSettings

PRESS = identity("press-7")
WRITE = Permission.BLOB_WRITE


@pytest.fixture
async def files() -> SmallFiles:
    made = SmallFiles(BlobSettings(staged_ttl=5.0, grace=5.0), FileSettings(link_ttl=20.0))
    await made.register(PRESS)
    return made


async def test_an_upload_that_never_ends_goes_with_its_blocks(files: SmallFiles) -> None:
    await files.uploads.begin(by_device(Permission.FILE_UPLOAD, PRESS), "a", host="hub")
    await files.keeper.put_block(by_link(WRITE, "press-7/a"), "YQ==", incoming(b"x"))
    assert await files.collector.pause() == 5.0
    assert await files.collector.round() == 0
    files.clock.advance(20.0)
    assert await files.collector.round() == 1
    assert files.contents.files == {}
    assert await files.collector.pause() == collector.MAX_PAUSE


async def test_it_waits_neither_too_long_nor_not_at_all(files: SmallFiles) -> None:
    assert await files.collector.pause() == collector.MAX_PAUSE
    await files.index.drop_content("none", size=0, now=START)
    await files.put("a", b"x")
    await files.put("a", b"y")
    files.clock.advance(100.0)
    assert await files.collector.pause() == collector.MIN_PAUSE


async def test_it_goes_on_after_the_store_failed(files: SmallFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "MAX_PAUSE", 0.0)
    rounds = 0

    class Failing(FileCollector):
        async def round(self) -> int:
            nonlocal rounds
            rounds += 1
            if rounds == 1:
                raise Unavailable("no")
            return collector.BATCH if rounds == 2 else 0

    monkeypatch.setattr(collector, "MIN_PAUSE", 0.0)
    running = asyncio.create_task(
        Failing(files.uploads, files.keeper, files.stores.uploads, files.index, files.clock).run()
    )
    async with asyncio.timeout(5):
        while rounds < 4:
            await asyncio.sleep(0)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
