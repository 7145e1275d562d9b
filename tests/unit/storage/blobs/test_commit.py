"""What a blob is made of; the contract suite of the indexes says it of each of them too."""

import pytest
from tests.fakes.clock import START

from ironhub.messaging.files.blobs import (
    Blob,
    BlobChanged,
    BlobExists,
    BlobHead,
    BlobTooLarge,
    BlockListInvalid,
    BlockSource,
    Commit,
    WantedBlock,
)
from ironhub.storage.blobs.commit import Part, assembled, check_condition, stored_blob

BLOB = Blob(container="c", name="a", size=0, etag="e2", created_at=START, modified_at=START, head=BlobHead())
OLD, NEW = Part("c1", 1, "x"), Part("c2", 2, "x")


def commit(*wanted: tuple[BlockSource, str], size: int | None = None) -> Commit:
    blocks = tuple(WantedBlock(*each) for each in wanted)
    return Commit(blob=BLOB, wanted=blocks, content_size=size, max_size=3, dropped_until=START)


def test_each_source_is_looked_into() -> None:
    made = commit((BlockSource.COMMITTED, "x"), (BlockSource.UNCOMMITTED, "x"))
    assert assembled(made, {"x": OLD}, {"x": NEW}) == [OLD, NEW]
    assert assembled(commit((BlockSource.LATEST, "x")), {"x": OLD}, {"x": NEW}) == [NEW]
    assert assembled(commit((BlockSource.LATEST, "x")), {"x": OLD}, {}) == [OLD]
    assert assembled(commit((BlockSource.CONTENT, "c9"), size=3), {}, {}) == [Part("c9", 3, None)]


def test_what_cannot_be_made() -> None:
    with pytest.raises(BlockListInvalid):
        assembled(commit((BlockSource.UNCOMMITTED, "x")), {"x": OLD}, {})
    with pytest.raises(BlobTooLarge):
        assembled(commit((BlockSource.CONTENT, "c9"), size=4), {}, {})


def test_conditions_and_age() -> None:
    check_condition(None, only_new=True, if_match=None)
    with pytest.raises(BlobExists):
        check_condition(BLOB, only_new=True, if_match=None)
    for before, etag in ((None, "*"), (BLOB, "e1")):
        with pytest.raises(BlobChanged):
            check_condition(before, only_new=False, if_match=etag)
    assert stored_blob(commit(), BLOB, [OLD, NEW]).size == 3
