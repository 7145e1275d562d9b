"""Blobs are stored whole or not at all, within their bounds, and only with a grant for them."""

import asyncio
import hashlib
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from tests.fakes.files import SmallFiles, by_link, gathered, incoming
from tests.fakes.grants import by_operator

from ironhub.access.model import Permission, PermissionDenied
from ironhub.core.errors import HubError, InvalidArgument
from ironhub.messaging.files.blobs import (
    MAX_BLOCKS,
    BlobChanged,
    BlobExists,
    BlobHead,
    BlobNameInvalid,
    BlobNotFound,
    BlobSettings,
    BlobTooLarge,
    BlockListInvalid,
    BlockSource,
    ContentDamaged,
    RangeInvalid,
    StoreFull,
    TooManyBlocks,
    TooManyWriters,
    WantedBlock,
)
from ironhub.messaging.files.keeper import READ_SIZE, Incoming

WRITE, READ, DELETE, LIST = Permission.BLOB_WRITE, Permission.BLOB_READ, Permission.BLOB_DELETE, Permission.BLOB_LIST
TIGHT = BlobSettings(max_blob=100, max_block=60, max_total=250, max_staged=3, staged_ttl=30.0, grace=10.0)


@pytest.fixture
async def files() -> SmallFiles:
    made = SmallFiles(TIGHT)
    await made.keeper.open()
    return made


async def stored(files: SmallFiles, name: str, start: int = 0, end: int | None = None) -> bytes:
    return await gathered((await files.keeper.read(by_link(READ, name), start=start, end=end))[2])


async def test_a_blob_is_read_as_it_was_put_and_has_its_checksum(files: SmallFiles) -> None:
    blob = await files.keeper.put(by_link(WRITE, "a"), incoming(b"first ", b"second"), BlobHead(content_type="x/y"))
    assert (blob.size, blob.head.content_type) == (12, "x/y")
    md5 = hashlib.md5(b"first second").digest()
    assert blob.head.content_md5 == b64encode(md5).decode()
    assert await files.keeper.get(by_link(READ, "a")) == blob
    assert await stored(files, "a") == b"first second"
    assert await stored(files, "a", 3, 8) == b"st se"
    assert await stored(files, "a", 6, 999) == b"second"
    assert files.keeper.used == 12


async def test_a_range_beyond_the_end_is_none(files: SmallFiles) -> None:
    await files.put("a", b"12345")
    with pytest.raises(RangeInvalid):
        await files.keeper.read(by_link(READ, "a"), start=5)
    await files.put("empty", b"")
    assert await stored(files, "empty") == b""


async def test_what_is_not_there_is_not_found(files: SmallFiles) -> None:
    for ask in (files.keeper.get, files.keeper.list_blocks):
        with pytest.raises(BlobNotFound):
            await ask(by_link(READ, "a"))
    with pytest.raises(BlobNotFound):
        await files.keeper.read(by_link(READ, "a"))
    with pytest.raises(BlobNotFound):
        await files.keeper.delete(by_link(DELETE, "a"))


@pytest.mark.parametrize("permission", [READ, WRITE, DELETE, LIST])
async def test_a_grant_for_something_else_opens_nothing(files: SmallFiles, permission: Permission) -> None:
    grant, keeper = by_link(permission, "a"), files.keeper
    calls: list[tuple[Permission, Callable[[], Awaitable[object]]]] = [
        (WRITE, lambda: keeper.put(grant, incoming(b"x"), BlobHead())),
        (WRITE, lambda: keeper.put_block(grant, "YQ==", incoming(b"x"))),
        (WRITE, lambda: keeper.put_block_list(grant, [], BlobHead())),
        (READ, lambda: keeper.get(grant)),
        (READ, lambda: keeper.read(grant)),
        (READ, lambda: keeper.list_blocks(grant)),
        (DELETE, lambda: keeper.delete(grant)),
        (LIST, lambda: keeper.list_page(grant, prefix="", after=None, limit=1)),
    ]
    for needed, call in calls:
        if needed is not permission:
            with pytest.raises(PermissionDenied):
                await call()


async def test_a_grant_for_the_whole_hub_or_a_container_names_no_blob(files: SmallFiles) -> None:
    with pytest.raises(PermissionDenied):
        await files.keeper.get(by_operator(READ))
    with pytest.raises(InvalidArgument):
        await files.keeper.get(by_link(READ, None))


@pytest.mark.parametrize("name", ["", "..", "a/../b", "a//b", "/a", "a/", "./a", "a\x00", "a\\b", "a" * 1025, "a\n"])
async def test_names_that_mean_two_things_are_refused(files: SmallFiles, name: str) -> None:
    with pytest.raises(BlobNameInvalid):
        await files.put(name, b"x")
    assert files.contents.files == {}


@pytest.mark.parametrize("container", ["", "ab", "Up", "a_b", "-ab", "a--b", "devices", "a" * 64, "..."])
async def test_containers_have_plain_names(files: SmallFiles, container: str) -> None:
    with pytest.raises(BlobNameInvalid):
        await files.put("a", b"x", container)


async def test_nothing_grows_over_its_bound_whether_announced_or_not(files: SmallFiles) -> None:
    with pytest.raises(BlobTooLarge):
        await files.keeper.put(by_link(WRITE, "a"), incoming(b"", announced=101), BlobHead())
    with pytest.raises(BlobTooLarge):
        await files.keeper.put(by_link(WRITE, "a"), incoming(b"x" * 60, b"x" * 41), BlobHead())
    with pytest.raises(BlobTooLarge):
        await files.keeper.put_block(by_link(WRITE, "a"), "YQ==", incoming(b"x" * 61))
    assert (files.keeper.used, files.contents.files) == (0, {})


async def test_all_together_do_not_grow_over_theirs(files: SmallFiles) -> None:
    for name in ("a", "b"):
        await files.put(name, b"x" * 100)
    with pytest.raises(StoreFull):
        await files.keeper.put(by_link(WRITE, "c"), incoming(b"x" * 40, b"x" * 20), BlobHead())
    assert files.keeper.used == 200
    await files.put("c", b"x" * 50)


async def test_content_with_another_checksum_is_not_stored(files: SmallFiles) -> None:
    with pytest.raises(ContentDamaged):
        await files.keeper.put(by_link(WRITE, "a"), incoming(b"x", md5=bytes(16)), BlobHead())
    assert (files.keeper.used, files.contents.files) == (0, {})
    right = hashlib.md5(b"x").digest()
    await files.keeper.put(by_link(WRITE, "a"), incoming(b"x", md5=right), BlobHead())


@pytest.mark.parametrize("error", [ConnectionError(), asyncio.CancelledError()])
async def test_half_an_upload_leaves_nothing(files: SmallFiles, error: BaseException) -> None:
    async def half() -> AsyncIterator[bytes]:
        yield b"half"
        raise error

    with pytest.raises(type(error)):
        await files.keeper.put(by_link(WRITE, "a"), Incoming(half(), 8), BlobHead())
    assert (files.keeper.used, files.contents.files) == (0, {})
    assert await files.keeper.collect(10) == 1
    assert await files.index.find_blob("uploads", "a") is None


async def test_conditions_hold(files: SmallFiles) -> None:
    first = await files.put("a", b"1")
    with pytest.raises(BlobExists):
        await files.keeper.put(by_link(WRITE, "a"), incoming(b"2"), BlobHead(), only_new=True)
    with pytest.raises(BlobChanged):
        await files.keeper.put(by_link(WRITE, "a"), incoming(b"2"), BlobHead(), if_match="other")
    assert await stored(files, "a") == b"1"
    await files.keeper.collect(10)
    assert files.keeper.used == 1
    await files.keeper.put(by_link(WRITE, "a"), incoming(b"3"), BlobHead(), if_match=first.etag)
    assert await stored(files, "a") == b"3"


async def test_blocks_become_a_blob_and_are_listed(files: SmallFiles) -> None:
    for block, data in (("YQ==", b"one"), ("Yg==", b"two")):
        md5 = await files.keeper.put_block(by_link(WRITE, "a"), block, incoming(data))
        assert md5 == hashlib.md5(data).digest()
    assert len((await files.keeper.list_blocks(by_link(READ, "a"))).uncommitted) == 2
    wanted = [WantedBlock(BlockSource.LATEST, block) for block in ("Yg==", "YQ==")]
    blob = await files.keeper.put_block_list(by_link(WRITE, "a"), wanted, BlobHead())
    assert (blob.size, await stored(files, "a"), await stored(files, "a", 2, 4)) == (6, b"twoone", b"oo")
    with pytest.raises(BlockListInvalid):
        await files.keeper.put_block_list(by_link(WRITE, "a"), wanted * MAX_BLOCKS, BlobHead())


async def test_a_flood_of_blocks_ends(files: SmallFiles) -> None:
    for number in range(3):
        await files.keeper.put_block(by_link(WRITE, "a"), f"{number}AA=", incoming(b"x"))
    with pytest.raises(TooManyBlocks):
        await files.keeper.put_block(by_link(WRITE, "a"), "9AA=", incoming(b"x"))
    await files.keeper.collect(10)
    assert files.keeper.used == 3


async def test_what_was_overwritten_or_deleted_stays_for_its_readers_and_then_goes(files: SmallFiles) -> None:
    await files.put("a", b"first")
    _, _, reading = await files.keeper.read(by_link(READ, "a"))
    await files.put("a", b"second")
    assert await gathered(reading) == b"first"
    await files.keeper.delete(by_link(DELETE, "a"))
    assert await files.keeper.collect(10) == 0
    files.clock.advance(TIGHT.grace)
    with files.keeper.holding():
        assert await files.keeper.collect(10) == 0
    assert await files.keeper.collect(1) == 1
    assert await files.keeper.collect(10) == 1
    assert (files.keeper.used, files.contents.files) == (0, {})


async def test_a_restart_counts_what_is_there_and_drops_what_was_not_finished(files: SmallFiles) -> None:
    await files.put("a", b"12345")
    never: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def endless() -> AsyncIterator[bytes]:
        yield b"half"
        await never

    task = asyncio.create_task(files.keeper.put(by_link(WRITE, "b"), Incoming(endless(), None), BlobHead()))
    while files.keeper.used != 9:
        await asyncio.sleep(0)
    await files.keeper.open()
    assert files.keeper.used == 5
    assert await files.keeper.collect(10) == 1
    never.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_pages_of_a_container(files: SmallFiles) -> None:
    for name in ("a", "b", "c"):
        await files.put(name, b"x")
    page = await files.keeper.list_page(by_link(LIST, None), prefix="", after=None, limit=2)
    assert ([blob.name for blob in page.items], page.after) == (["a", "b"], "b")


async def test_large_blobs_are_read_in_parts_of_bounded_size() -> None:
    files = SmallFiles()
    data = bytes(range(256)) * (READ_SIZE // 100)
    await files.put("a", data)
    parts = [part async for part in (await files.keeper.read(by_link(READ, "a"), start=1))[2]]
    assert b"".join(parts) == data[1:]
    assert max(map(len, parts)) == READ_SIZE


async def test_a_store_that_fails_leaves_nothing_behind(files: SmallFiles) -> None:
    await files.put("a", b"x")
    files.contents.files.clear()
    with pytest.raises(HubError):
        await stored(files, "a")


async def test_one_device_keeps_few_writers_open_and_all_together_not_too_many() -> None:
    files = SmallFiles(BlobSettings(max_writers=3, max_writers_each=2))
    await files.keeper.open()
    go_on = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"x"
        await go_on.wait()

    def begun(name: str) -> asyncio.Task[object]:
        put = files.keeper.put(by_link(WRITE, name), Incoming(endless(), None), BlobHead())
        return asyncio.create_task(put)

    open_ones = [begun("press/a"), begun("press/b")]
    await asyncio.sleep(0)
    for call in (
        lambda: files.keeper.put(by_link(WRITE, "press/c"), incoming(b"x"), BlobHead()),
        lambda: files.keeper.put_block(by_link(WRITE, "press/a"), "YQ==", incoming(b"x")),
    ):
        with pytest.raises(TooManyWriters):
            await call()
    with pytest.raises(TooManyWriters), files.keeper.writing(by_link(WRITE, "press/a")):
        pass
    with pytest.raises(PermissionDenied):
        files.keeper.writing(by_link(READ, "mill/a"))
    open_ones.append(begun("mill/a"))
    await asyncio.sleep(0)
    with pytest.raises(TooManyWriters):
        await files.put("lathe/a", b"x")
    go_on.set()
    await asyncio.gather(*open_ones)
    await files.put("press/c", b"x")
    go_on.clear()
    open_ones = [begun("press/a"), begun("press/b")]
    await asyncio.sleep(0)
    for each in open_ones:
        each.cancel()
    await asyncio.gather(*open_ones, return_exceptions=True)
    await asyncio.gather(files.put("press/a", b"x"), files.put("press/b", b"x"))
