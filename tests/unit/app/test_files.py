"""Tests of app/files.py: what a hub has for files, wired."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.clock import FakeClock, FakeEntropy

from ironhub.app.datadir import DataDirectory
from ironhub.app.files import ACCOUNT_KEY_SIZE, FileParts, open_files
from ironhub.app.settings import Settings, SettingsInvalid
from ironhub.core.sealing import Sealer
from ironhub.storage.blobs.external import AccountInvalid
from ironhub.storage.memory.stores import memory_stores
from ironhub.storage.stores import Stores


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


async def parts(stack: AsyncExitStack, data: Path, stores: Stores | None = None, **settings: Any) -> FileParts:
    entropy = FakeEntropy()
    made = stores or memory_stores(entropy)
    sealer = Sealer({1: b"k" * 32}, entropy)
    opening = open_files(Settings(data=data, **settings), DataDirectory(data), made, sealer, FakeClock(), entropy)
    return await stack.enter_async_context(opening)


async def test_the_account_is_made_once_and_kept(stack: AsyncExitStack, tmp_path: Path) -> None:
    stores = memory_stores(FakeEntropy())
    first = await parts(stack, tmp_path, stores)
    second = await parts(stack, tmp_path, stores)
    assert first.account == second.account
    assert first.account.name.startswith("ironhub")
    assert len(first.account.keys.primary) == ACCOUNT_KEY_SIZE
    assert first.links.account == first.account
    assert await first.collector.round() == 0


async def test_uploads_may_go_to_an_account_elsewhere(stack: AsyncExitStack, tmp_path: Path) -> None:
    file = tmp_path / "account"
    file.write_text("AccountName=dev;AccountKey=AAAA;BlobEndpoint=http://127.0.0.1:1/dev\n")
    assert (await parts(stack, tmp_path, upload_account=file)).account.name.startswith("ironhub")


@pytest.mark.parametrize("content", [b"", b"\xff", b"AccountName=a"])
async def test_an_account_that_cannot_be_read_is_said(stack: AsyncExitStack, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "account"
    file.write_bytes(content)
    with pytest.raises((AccountInvalid, SettingsInvalid)):
        await parts(stack, tmp_path, upload_account=file)
    with pytest.raises(SettingsInvalid, match="upload_account"):
        await parts(stack, tmp_path, upload_account=tmp_path / "none")


async def test_a_container_that_cannot_be_is_said(stack: AsyncExitStack, tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="upload_container"):
        await parts(stack, tmp_path, upload_container="devices")
