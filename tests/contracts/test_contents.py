"""Every Contents keeps what it promises (messaging/files/ports.py)."""

from pathlib import Path

import pytest
from tests.fakes.clock import FakeEntropy

from ironhub.core.errors import CorruptStore, Unavailable
from ironhub.core.sealing import Sealer
from ironhub.messaging.files.ports import Contents
from ironhub.storage.blobs.contents import BUFFER, CHUNK, SEALED_CHUNK, FileContents
from ironhub.storage.memory.contents import MemoryContents

ID = "ab" * 16
OTHER = "cd" * 16


def sealer() -> Sealer:
    return Sealer({1: b"k" * 32}, FakeEntropy())


def files(directory: Path) -> FileContents:
    return FileContents(directory / "blobs", sealer())


@pytest.fixture(params=["memory", "files"])
def contents(request: pytest.FixtureRequest, tmp_path: Path) -> Contents:
    return MemoryContents() if request.param == "memory" else files(tmp_path)


async def write(contents: Contents, data: bytes, content_id: str = ID, *, step: int = 50_000) -> None:
    writer = await contents.create(content_id)
    for at in range(0, len(data), step):
        await writer.write(data[at : at + step])
    await writer.finish()


def text(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, BUFFER, 3 * BUFFER + 17])
async def test_what_was_written_is_read_whole_and_in_any_part(contents: Contents, size: int) -> None:
    data = text(size)
    await write(contents, data)
    assert await contents.read(ID, start=0, end=size) == data
    places = {0, 1, size // 2, CHUNK - 1, CHUNK, CHUNK + 1, size - 1, size}
    for start in places:
        for end in places:
            if 0 <= start < end <= size:
                assert await contents.read(ID, start=start, end=end) == data[start:end]


@pytest.mark.parametrize("step", [1000, 10 * BUFFER])
async def test_how_it_was_cut_does_not_matter(contents: Contents, step: int) -> None:
    data = text(BUFFER + 5000)
    await write(contents, data, step=step)
    assert await contents.read(ID, start=0, end=len(data)) == data


async def test_beyond_the_end_there_is_nothing(contents: Contents) -> None:
    await write(contents, text(100))
    with pytest.raises(CorruptStore):
        await contents.read(ID, start=0, end=101)
    with pytest.raises(CorruptStore):
        await contents.read(OTHER, start=0, end=1)


async def test_what_is_deleted_or_discarded_is_gone_and_twice_is_no_error(contents: Contents) -> None:
    await write(contents, b"x")
    writer = await contents.create(OTHER)
    await writer.write(text(BUFFER))
    await writer.discard()
    await writer.discard()
    for content_id in (ID, OTHER):
        await contents.delete([content_id])
        with pytest.raises(CorruptStore):
            await contents.read(content_id, start=0, end=1)


async def test_nothing_of_it_stands_in_the_file_and_nobody_else_reads_it(tmp_path: Path) -> None:
    await write(files(tmp_path), b"payload of the press" * 5000)
    path = tmp_path / "blobs" / "ab" / ID
    assert b"payload" not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


async def test_a_file_that_was_changed_moved_cut_or_swapped_does_not_open(tmp_path: Path) -> None:
    contents, data = files(tmp_path), text(3 * CHUNK)
    await write(contents, data)
    await write(contents, data, OTHER)
    path, other = tmp_path / "blobs" / "ab" / ID, tmp_path / "blobs" / "cd" / OTHER
    whole = path.read_bytes()
    for broken in (
        whole[:-1],
        whole[: 2 * SEALED_CHUNK],
        whole[:100] + bytes([whole[100] ^ 1]) + whole[101:],
        whole[SEALED_CHUNK : 2 * SEALED_CHUNK] + whole[:SEALED_CHUNK] + whole[2 * SEALED_CHUNK :],
        other.read_bytes(),
        b"",
    ):
        path.write_bytes(broken)
        with pytest.raises(CorruptStore):
            await contents.read(ID, start=0, end=len(data))


async def test_a_disk_that_refuses_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("in the way")
    contents = files(tmp_path)
    with pytest.raises(Unavailable):
        await contents.create(ID)
    with pytest.raises(Unavailable):
        await contents.delete([ID])


async def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    contents = files(tmp_path)
    await write(contents, b"first")
    with pytest.raises(Unavailable):
        await contents.create(ID)
    assert await contents.read(ID, start=0, end=5) == b"first"


async def test_who_still_writes_when_it_is_given_up_writes_nowhere(tmp_path: Path) -> None:
    contents = files(tmp_path)
    writer = await contents.create(ID)
    await writer.discard()
    with pytest.raises(Unavailable):
        await writer.write(text(BUFFER))
    with pytest.raises(Unavailable):
        await writer.finish()
    assert not (tmp_path / "blobs" / "ab" / ID).exists()
    await contents.close()


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "a/b", "ä" * 32])
async def test_a_name_that_is_none_is_never_looked_for(tmp_path: Path, name: str) -> None:
    with pytest.raises(CorruptStore):
        await files(tmp_path).read(name, start=0, end=1)
