"""The index of blobs in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from ironhub.core.pages import Page
from ironhub.messaging.files.blobs import (
    Blob,
    BlobChanged,
    BlobNotFound,
    Block,
    BlockLists,
    Commit,
    Piece,
    TooManyBlocks,
)
from ironhub.messaging.files.ports import NewContent
from ironhub.storage.blobs.commit import Part, assembled, check_condition, stored_blob


class _Stage(Enum):
    WRITING = auto()
    STAGED = auto()
    COMMITTED = auto()
    DROPPED = auto()


@dataclass(slots=True)
class _Noted:
    content: NewContent
    stage: _Stage = _Stage.WRITING
    size: int = 0
    block_id: str | None = None
    due_at: float | None = None

    @property
    def part(self) -> Part:
        return Part(self.content.content_id, self.size, self.block_id)

    def drop(self, due_at: float) -> None:
        self.stage, self.due_at = _Stage.DROPPED, due_at

    def keep(self) -> None:
        self.stage, self.due_at = _Stage.COMMITTED, None


@dataclass(slots=True)
class _Stored:
    blob: Blob
    parts: Sequence[Part] = field(default_factory=tuple)


class MemoryBlobIndex:
    """A BlobIndex in dictionaries."""

    def __init__(self) -> None:
        self._blobs: dict[tuple[str, str], _Stored] = {}
        self._contents: dict[str, _Noted] = {}

    async def begin_content(self, content: NewContent) -> None:
        """Note that a file is about to be made."""
        self._contents[content.content_id] = _Noted(content)

    async def stage_block(
        self, content_id: str, block_id: str, *, size: int, now: float, due_at: float, max_staged: int
    ) -> None:
        """The file is whole and waits as a block of its blob until `due_at`. Raises TooManyBlocks."""
        noted = self._contents[content_id]
        waiting = self._of(noted.content.container, noted.content.name, _Stage.STAGED)
        same = [other for other in waiting if other.block_id == block_id]
        if len(waiting) - len(same) >= max_staged:
            raise TooManyBlocks(f"{max_staged} blocks of this blob wait already")
        for other in same:
            other.drop(now)
        noted.stage, noted.size, noted.block_id, noted.due_at = _Stage.STAGED, size, block_id, due_at

    async def commit_blob(self, commit: Commit) -> Blob:
        """Make the blob. Raises BlockListInvalid, BlobTooLarge, BlobExists, BlobChanged: nothing was changed."""
        key = (commit.blob.container, commit.blob.name)
        before = self._blobs.get(key)
        check_condition(before.blob if before else None, only_new=commit.only_new, if_match=commit.if_match)
        committed = {part.block_id: part for part in (before.parts if before else ())}
        staged = {noted.block_id: noted.part for noted in self._of(*key, _Stage.STAGED)}
        parts = assembled(commit, committed, staged)
        blob = stored_blob(commit, before.blob if before else None, parts)
        for noted in (*self._of(*key, _Stage.STAGED), *self._of(*key, _Stage.COMMITTED)):
            noted.drop(commit.dropped_until)
        for part in parts:
            self._contents[part.content_id].keep()
            self._contents[part.content_id].size = part.size
        self._blobs[key] = _Stored(blob, parts)
        return blob

    async def find_blob(self, container: str, name: str) -> tuple[Blob, list[Piece]] | None:
        """Return the blob and where its content lies, in order, or None."""
        stored = self._blobs.get((container, name))
        return None if stored is None else (stored.blob, [Piece(part.content_id, part.size) for part in stored.parts])

    async def list_blocks(self, container: str, name: str) -> BlockLists:
        """Return the blocks of a blob, also of one that was never committed."""
        stored = self._blobs.get((container, name))
        parts = stored.parts if stored else ()
        staged = sorted((each.block_id or "", each.size) for each in self._of(container, name, _Stage.STAGED))
        return BlockLists(
            tuple(Block(part.block_id, part.size) for part in parts if part.block_id is not None),
            tuple(Block(*each) for each in staged),
        )

    async def list_blobs(self, container: str, *, prefix: str, after: str | None, limit: int) -> Page[Blob]:
        """Return at most `limit` blobs whose names begin with `prefix`, ordered by name."""
        found = sorted(
            name
            for where, name in self._blobs
            if where == container and name.startswith(prefix) and name > (after or "")
        )
        blobs = tuple(self._blobs[container, name].blob for name in found[:limit])
        return Page(blobs, blobs[-1].name if len(found) > limit else None)

    async def delete_blob(self, container: str, name: str, *, dropped_until: float, if_match: str | None) -> None:
        """Delete it with its blocks. Raises BlobNotFound, BlobChanged."""
        stored = self._blobs.get((container, name))
        if stored is None:
            raise BlobNotFound("there is no such blob")
        if if_match not in (None, "*", stored.blob.etag):
            raise BlobChanged("the blob has another etag")
        del self._blobs[container, name]
        for stage in (_Stage.STAGED, _Stage.COMMITTED):
            for noted in self._of(container, name, stage):
                noted.drop(dropped_until)

    async def drop_staged(self, container: str, name: str, *, now: float) -> None:
        """Drop all blocks of it that wait."""
        for noted in self._of(container, name, _Stage.STAGED):
            noted.drop(now)

    async def drop_content(self, content_id: str, *, size: int, now: float) -> None:
        """The file, of `size` bytes by now, will be part of nothing."""
        noted = self._contents.get(content_id)
        if noted is not None and noted.stage is _Stage.WRITING:
            noted.size = size
            noted.drop(now)

    async def drop_unfinished(self, *, now: float) -> int:
        """Nobody writes yet (the hub starts): drop what was being written; returns how many."""
        unfinished = [noted for noted in self._contents.values() if noted.stage is _Stage.WRITING]
        for noted in unfinished:
            noted.drop(now)
        return len(unfinished)

    async def due_contents(self, *, now: float, limit: int) -> list[Piece]:
        """Return files that nobody needs any more, longest due first, and end what they are noted as."""
        due = [(noted.due_at, key) for key, noted in self._contents.items() if noted.due_at is not None]
        ids = [key for at, key in sorted(due) if at <= now][:limit]
        for content_id in ids:
            self._contents[content_id].drop(now)
        return [Piece(content_id, self._contents[content_id].size) for content_id in ids]

    async def forget_contents(self, content_ids: Sequence[str]) -> None:
        """Their files are gone."""
        for content_id in content_ids:
            self._contents.pop(content_id, None)

    async def next_content_due(self) -> float | None:
        """Return when the next file is due; None: never."""
        return min((noted.due_at for noted in self._contents.values() if noted.due_at is not None), default=None)

    async def stored_bytes(self) -> int:
        """Return how many bytes all noted contents have that are whole."""
        return sum(noted.size for noted in self._contents.values())

    def _of(self, container: str, name: str, stage: _Stage) -> list[_Noted]:
        return [
            noted
            for noted in self._contents.values()
            if (noted.content.container, noted.content.name) == (container, name) and noted.stage is stage
        ]
