"""What becomes of a blob when it is committed: the rules that every index keeps."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from ironhub.messaging.files.blobs import (
    Blob,
    BlobChanged,
    BlobExists,
    BlobTooLarge,
    BlockListInvalid,
    BlockSource,
    Commit,
)


class Part(NamedTuple):
    """A part of a blob: which file, how large, and the block it was staged as."""

    content_id: str
    size: int
    block_id: str | None


def check_condition(before: Blob | None, *, only_new: bool, if_match: str | None) -> None:
    """Raise BlobExists or BlobChanged unless what is there is what the writer expects."""
    if only_new and before is not None:
        raise BlobExists("the blob exists already")
    if if_match is not None and (before is None or if_match not in ("*", before.etag)):
        raise BlobChanged("the blob has another etag, or is not there")


def assembled(
    commit: Commit, committed: Mapping[str | None, Part], staged: Mapping[str | None, Part]
) -> Sequence[Part]:
    """Return the parts that are wanted, in order. Raises BlockListInvalid, BlobTooLarge."""
    parts = [_part(wanted.source, wanted.block_id, commit, committed, staged) for wanted in commit.wanted]
    if sum(part.size for part in parts) > commit.max_size:
        raise BlobTooLarge(f"a blob has at most {commit.max_size} bytes")
    return parts


def stored_blob(commit: Commit, before: Blob | None, parts: Sequence[Part]) -> Blob:
    """Return the blob as it is stored."""
    created_at = commit.blob.created_at if before is None else before.created_at
    return replace(commit.blob, size=sum(part.size for part in parts), created_at=created_at)


def _part(
    source: BlockSource,
    block_id: str,
    commit: Commit,
    committed: Mapping[str | None, Part],
    staged: Mapping[str | None, Part],
) -> Part:
    part: Part | None = None
    match source:
        case BlockSource.CONTENT:
            part = Part(block_id, commit.content_size or 0, None)
        case BlockSource.COMMITTED:
            part = committed.get(block_id)
        case BlockSource.UNCOMMITTED:
            part = staged.get(block_id)
        case BlockSource.LATEST:
            part = staged.get(block_id) or committed.get(block_id)
    if part is None:
        raise BlockListInvalid("a block of the list was never staged, or its time is over")
    return part
