"""Every BlobIndex keeps what it promises (messaging/files/ports.py)."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.stores import CREATED_AT, IMPLEMENTATIONS, open_stores

from ironhub.messaging.files.blobs import (
    Blob,
    BlobChanged,
    BlobExists,
    BlobHead,
    BlobNotFound,
    BlobTooLarge,
    Block,
    BlockListInvalid,
    BlockSource,
    Commit,
    TooManyBlocks,
    WantedBlock,
)
from ironhub.messaging.files.ports import BlobIndex, NewContent

NOW = CREATED_AT
HEAD = BlobHead(content_type="text/plain", content_md5="x", headers={"x-ms-meta-a": "1"})


@pytest.fixture(params=IMPLEMENTATIONS)
async def index(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BlobIndex]:
    async with open_stores(request.param, tmp_path) as stores:
        yield stores.blobs


def blob(name: str = "a", etag: str = "e1", at: float = NOW) -> Blob:
    return Blob(container="uploads", name=name, size=0, etag=etag, created_at=at, modified_at=at, head=HEAD)


async def put(index: BlobIndex, content: str, size: int = 10, *, name: str = "a", **more: Any) -> Blob:
    await index.begin_content(NewContent(content, "uploads", name))
    wanted = (WantedBlock(BlockSource.CONTENT, content),)
    return await index.commit_blob(commit(wanted, size=size, name=name, **more))


def commit(
    wanted: Sequence[WantedBlock], *, size: int | None = None, name: str = "a", etag: str = "e1", **more: Any
) -> Commit:
    values: dict[str, Any] = {"max_size": 1000, "dropped_until": NOW + 600.0, **more}
    at = values.pop("at", NOW)
    return Commit(blob=blob(name, etag, at), wanted=tuple(wanted), content_size=size, **values)


async def stage(index: BlobIndex, content: str, block: str, size: int = 10, *, max_staged: int = 10) -> None:
    await index.begin_content(NewContent(content, "uploads", "a"))
    await index.stage_block(content, block, size=size, now=NOW, due_at=NOW + 100.0, max_staged=max_staged)


def latest(*ids: str) -> list[WantedBlock]:
    return [WantedBlock(BlockSource.LATEST, each) for each in ids]


async def pieces(index: BlobIndex, name: str = "a") -> list[tuple[str, int]]:
    found = await index.find_blob("uploads", name)
    return [] if found is None else [(piece.content_id, piece.size) for piece in found[1]]


async def due(index: BlobIndex, at: float) -> set[str]:
    return {piece.content_id for piece in await index.due_contents(now=at, limit=100)}


async def test_a_blob_that_was_put_is_found_whole(index: BlobIndex) -> None:
    assert await index.find_blob("uploads", "a") is None
    stored = await put(index, "c1")
    assert (stored.size, stored.etag, stored.head) == (10, "e1", HEAD)
    found = await index.find_blob("uploads", "a")
    assert found is not None
    assert found[0] == stored
    assert await pieces(index) == [("c1", 10)]
    for container, name in (("uploads", "A"), ("other", "a")):
        assert await index.find_blob(container, name) is None
    assert await index.stored_bytes() == 10
    assert await index.next_content_due() is None


async def test_what_is_replaced_may_go_after_its_time_and_its_age_stays(index: BlobIndex) -> None:
    await put(index, "c1")
    second = await put(index, "c2", 20, etag="e2", at=NOW + 5.0)
    assert (second.created_at, second.modified_at, second.etag) == (NOW, NOW + 5.0, "e2")
    assert await pieces(index) == [("c2", 20)]
    assert await index.next_content_due() == NOW + 600.0
    assert await due(index, NOW + 599.0) == set()
    assert await due(index, NOW + 600.0) == {"c1"}
    assert await index.stored_bytes() == 30
    await index.forget_contents(["c1"])
    assert await index.stored_bytes() == 20
    assert await due(index, NOW + 9999.0) == set()


async def test_conditions_are_kept_and_nothing_changed_by_who_breaks_them(index: BlobIndex) -> None:
    with pytest.raises(BlobChanged):
        await put(index, "c0", if_match="*")
    await put(index, "c1", only_new=True)
    with pytest.raises(BlobExists):
        await put(index, "c2", only_new=True)
    with pytest.raises(BlobChanged):
        await put(index, "c3", if_match="e9")
    assert await pieces(index) == [("c1", 10)]
    for content, condition in (("c4", "e1"), ("c5", "*")):
        await put(index, content, if_match=condition)
    assert await pieces(index) == [("c5", 10)]


async def test_blocks_become_a_blob_in_the_order_of_the_list(index: BlobIndex) -> None:
    for number, block in enumerate("zyx"):
        await stage(index, f"c{number}", block, size=number + 1)
    lists = await index.list_blocks("uploads", "a")
    assert (lists.committed, set(lists.uncommitted)) == ((), {Block("z", 1), Block("y", 2), Block("x", 3)})
    assert await index.find_blob("uploads", "a") is None
    stored = await index.commit_blob(commit(latest("x", "z", "x")))
    assert stored.size == 7
    assert await pieces(index) == [("c2", 3), ("c0", 1), ("c2", 3)]
    lists = await index.list_blocks("uploads", "a")
    assert lists.committed == (Block("x", 3), Block("z", 1), Block("x", 3))
    assert lists.uncommitted == ()
    assert await due(index, NOW + 600.0) == {"c1"}


async def test_a_block_list_takes_blocks_of_the_blob_and_new_ones(index: BlobIndex) -> None:
    await stage(index, "c1", "x")
    await stage(index, "c2", "y")
    await index.commit_blob(commit(latest("x", "y")))
    await stage(index, "c3", "x")
    committed, uncommitted = WantedBlock(BlockSource.COMMITTED, "x"), WantedBlock(BlockSource.UNCOMMITTED, "x")
    await index.commit_blob(commit([committed, uncommitted, *latest("y")], etag="e2"))
    assert [content for content, _ in await pieces(index)] == ["c1", "c3", "c2"]
    assert await due(index, NOW + 9999.0) == set()


@pytest.mark.parametrize("source", [BlockSource.COMMITTED, BlockSource.UNCOMMITTED, BlockSource.LATEST])
async def test_a_list_with_a_block_that_is_not_there_changes_nothing(index: BlobIndex, source: BlockSource) -> None:
    await put(index, "c1")
    await stage(index, "c2", "x")
    with pytest.raises(BlockListInvalid):
        await index.commit_blob(commit([*latest("x"), WantedBlock(source, "nope")]))
    assert await pieces(index) == [("c1", 10)]
    assert (await index.list_blocks("uploads", "a")).uncommitted == (Block("x", 10),)


async def test_a_blob_of_blocks_keeps_the_bound(index: BlobIndex) -> None:
    await stage(index, "c1", "x", size=600)
    with pytest.raises(BlobTooLarge):
        await index.commit_blob(commit(latest("x", "x")))
    assert await index.find_blob("uploads", "a") is None


async def test_an_empty_list_makes_an_empty_blob(index: BlobIndex) -> None:
    assert (await index.commit_blob(commit([]))).size == 0
    assert await pieces(index) == []


async def test_a_block_of_the_same_id_replaces_the_one_before_and_others_are_bounded(index: BlobIndex) -> None:
    await stage(index, "c1", "x", max_staged=2)
    await stage(index, "c2", "y", max_staged=2)
    await stage(index, "c3", "x", size=5, max_staged=2)
    with pytest.raises(TooManyBlocks):
        await stage(index, "c4", "z", max_staged=2)
    assert set((await index.list_blocks("uploads", "a")).uncommitted) == {Block("x", 5), Block("y", 10)}
    assert await due(index, NOW) == {"c1"}


async def test_blocks_whose_time_is_over_are_due_and_can_be_used_no_more(index: BlobIndex) -> None:
    await stage(index, "c1", "x")
    assert await index.next_content_due() == NOW + 100.0
    assert await due(index, NOW + 100.0) == {"c1"}
    with pytest.raises(BlockListInvalid):
        await index.commit_blob(commit(latest("x")))


async def test_blocks_of_an_upload_that_was_given_up_are_due_and_the_blob_stays(index: BlobIndex) -> None:
    await put(index, "c1")
    await stage(index, "c2", "x")
    await index.drop_staged("uploads", "a", now=NOW + 1.0)
    assert (await index.list_blocks("uploads", "a")).uncommitted == ()
    assert await due(index, NOW + 1.0) == {"c2"}
    assert await pieces(index) == [("c1", 10)]


async def test_what_was_being_written_when_the_hub_died_is_due_at_the_start(index: BlobIndex) -> None:
    await put(index, "c1")
    await index.begin_content(NewContent("c2", "uploads", "b"))
    assert await index.next_content_due() is None
    assert await index.drop_unfinished(now=NOW + 1.0) == 1
    assert await index.drop_unfinished(now=NOW + 1.0) == 0
    assert await due(index, NOW + 1.0) == {"c2"}


async def test_content_that_becomes_part_of_nothing_is_due(index: BlobIndex) -> None:
    await index.begin_content(NewContent("c1", "uploads", "a"))
    await index.drop_content("c1", size=7, now=NOW)
    assert await index.stored_bytes() == 7
    assert await due(index, NOW) == {"c1"}
    await put(index, "c2")
    await index.drop_content("c2", size=7, now=NOW)
    assert await pieces(index) == [("c2", 10)]
    assert "c2" not in await due(index, NOW + 9999.0)


async def test_a_deleted_blob_is_gone_with_its_blocks(index: BlobIndex) -> None:
    await put(index, "c1")
    await stage(index, "c2", "x")
    with pytest.raises(BlobChanged):
        await index.delete_blob("uploads", "a", dropped_until=NOW, if_match="e9")
    await index.delete_blob("uploads", "a", dropped_until=NOW + 50.0, if_match="e1")
    with pytest.raises(BlobNotFound):
        await index.delete_blob("uploads", "a", dropped_until=NOW, if_match=None)
    assert await index.find_blob("uploads", "a") is None
    assert await due(index, NOW + 50.0) == {"c1", "c2"}


async def test_blobs_are_listed_in_order_in_pages_and_by_prefix(index: BlobIndex) -> None:
    names = ["b", "a/2", "a/1", "a", "\U0001f600", "a/10", "ä"]
    for number, name in enumerate(names):
        await put(index, f"c{number}", name=name)
    found: list[str] = []
    after: str | None = None
    while True:
        page = await index.list_blobs("uploads", prefix="", after=after, limit=3)
        found += [each.name for each in page.items]
        after = page.after
        if after is None:
            break
    assert found == sorted(names)
    page = await index.list_blobs("uploads", prefix="a/", after=None, limit=10)
    assert [each.name for each in page.items] == ["a/1", "a/10", "a/2"]
    assert (await index.list_blobs("other", prefix="", after=None, limit=10)).items == ()


async def test_due_contents_come_in_bounded_batches_longest_due_first(index: BlobIndex) -> None:
    for number in range(4):
        await index.begin_content(NewContent(f"c{number}", "uploads", "a"))
        await index.drop_content(f"c{number}", size=1, now=NOW + number)
    batch = await index.due_contents(now=NOW + 10.0, limit=2)
    assert [piece.content_id for piece in batch] == ["c0", "c1"]
