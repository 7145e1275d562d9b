"""The index of blobs in SQLite."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

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
from ironhub.storage.sqlite import blob_statements as statements
from ironhub.storage.sqlite.blob_rows import blob_of, blob_values, key_of_blob
from ironhub.storage.sqlite.connections import open_reader
from ironhub.storage.sqlite.database import Database
from ironhub.storage.sqlite.statements import Values
from ironhub.storage.sqlite.transaction import Transaction

WRITING: Final = "writing"
STAGED: Final = "staged"
COMMITTED: Final = "committed"
DROPPED: Final = "dropped"

_LAST: Final = "\U0010ffff"


class SqliteBlobIndex:
    """A BlobIndex over the tables blobs, blob_pieces and blob_contents."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin_content(self, content: NewContent) -> None:
        """Note that a file is about to be made. Durable."""
        values = {**content._asdict(), "block_id": None, "state": WRITING, "size": 0, "due_at": None}
        await self._database.write(lambda tx: tx.change(statements.BEGIN, values))

    async def stage_block(
        self, content_id: str, block_id: str, *, size: int, now: float, due_at: float, max_staged: int
    ) -> None:
        """The file is whole and waits as a block of its blob until `due_at`. Raises TooManyBlocks."""

        def work(tx: Transaction) -> None:
            container, name = tx.all(statements.BLOB_OF, {"of_content": content_id})[0]
            blob = key_of_blob(container, name) | {"in_state": STAGED}
            tx.change(statements.DROP_STAGED_BLOCK, blob | _dropped(now) | {"of_block": block_id})
            counted = tx.one(statements.COUNT_STAGED, blob)
            if counted is not None and counted[0] >= max_staged:
                raise TooManyBlocks(f"{max_staged} blocks of this blob wait already")
            staged: Values = {"state": STAGED, "size": size, "due_at": due_at, "block_id": block_id}
            tx.change(statements.CHANGE, staged | {"of_content": content_id, "in_state": WRITING})

        await self._database.write(work)

    async def commit_blob(self, commit: Commit) -> Blob:
        """Make the blob. Raises BlockListInvalid, BlobTooLarge, BlobExists, BlobChanged: nothing was changed."""
        key = key_of_blob(commit.blob.container, commit.blob.name)

        def work(tx: Transaction) -> Blob:
            row = tx.one(statements.GET, key)
            before = None if row is None else blob_of(row)
            check_condition(before, only_new=commit.only_new, if_match=commit.if_match)
            committed = {block: Part(content, size, block) for content, size, block in tx.all(statements.PIECES, key)}
            staged = {
                block: Part(content, size, block)
                for block, content, size in tx.all(statements.STAGED, key | {"in_state": STAGED})
            }
            parts = assembled(commit, committed, staged)
            blob = stored_blob(commit, before, parts)
            _replace_pieces(tx, blob, parts, commit)
            tx.change(statements.DELETE, key)
            tx.change(statements.ADD, blob_values(blob))
            return blob

        return await self._database.write(work)

    async def find_blob(self, container: str, name: str) -> tuple[Blob, list[Piece]] | None:
        """Return the blob and where its content lies, in order, or None."""
        key = key_of_blob(container, name)

        def work(tx: Transaction) -> tuple[Blob, list[Piece]] | None:
            row = tx.one(statements.GET, key)
            if row is None:
                return None
            return blob_of(row), [Piece(content, size) for content, size, _ in tx.all(statements.PIECES, key)]

        return await self._database.read(work)

    async def list_blocks(self, container: str, name: str) -> BlockLists:
        """Return the blocks of a blob, also of one that was never committed."""
        key = key_of_blob(container, name)

        def work(tx: Transaction) -> BlockLists:
            pieces = tx.all(statements.PIECES, key)
            staged = tx.all(statements.STAGED, key | {"in_state": STAGED})
            return BlockLists(
                tuple(Block(block, size) for _, size, block in pieces if block is not None),
                tuple(Block(block, size) for block, _, size in staged),
            )

        return await self._database.browse(work)

    async def list_blobs(self, container: str, *, prefix: str, after: str | None, limit: int) -> Page[Blob]:
        """Return at most `limit` blobs whose names begin with `prefix`, ordered by name."""
        values = {"of_container": container, "after": after or "", "first": prefix, "beyond": prefix + _LAST}
        rows = await self._database.browse(lambda tx: tx.all(statements.LIST, values | {"limit": limit + 1}))
        blobs = tuple(blob_of(row) for row in rows[:limit])
        return Page(blobs, blobs[-1].name if len(rows) > limit else None)

    async def delete_blob(self, container: str, name: str, *, dropped_until: float, if_match: str | None) -> None:
        """Delete it with its blocks. Raises BlobNotFound, BlobChanged."""
        key = key_of_blob(container, name)

        def work(tx: Transaction) -> None:
            row = tx.one(statements.GET, key)
            if row is None:
                raise BlobNotFound("there is no such blob")
            if if_match not in (None, "*", blob_of(row).etag):
                raise BlobChanged("the blob has another etag")
            for state in (STAGED, COMMITTED):
                tx.change(statements.DROP_OF_BLOB, key | _dropped(dropped_until) | {"in_state": state})
            tx.change(statements.DROP_PIECES, key)
            tx.change(statements.DELETE, key)

        await self._database.write(work)

    async def drop_staged(self, container: str, name: str, *, now: float) -> None:
        """Drop all blocks of it that wait."""
        values = key_of_blob(container, name) | _dropped(now) | {"in_state": STAGED}
        await self._database.write(lambda tx: tx.change(statements.DROP_OF_BLOB, values))

    async def drop_content(self, content_id: str, *, size: int, now: float) -> None:
        """The file, of `size` bytes by now, will be part of nothing."""
        values = _dropped(now) | {"of_content": content_id, "in_state": WRITING, "size": size, "block_id": None}
        await self._database.write(lambda tx: tx.change(statements.CHANGE, values))

    async def drop_unfinished(self, *, now: float) -> int:
        """Nobody writes yet (the hub starts): drop what was being written; returns how many."""
        return await self._database.write(lambda tx: tx.change(statements.DROP_ALL, _dropped(now)))

    async def due_contents(self, *, now: float, limit: int) -> list[Piece]:
        """Return files that nobody needs any more, longest due first, and end what they are noted as."""

        def work(tx: Transaction) -> list[Piece]:
            due = [Piece(*row) for row in tx.all(statements.DUE, {"now": now, "limit": limit})]
            tx.change_each(statements.KEEP, [_dropped(now) | {"of_content": piece.content_id} for piece in due])
            return due

        if not await self._database.read(lambda tx: tx.all(statements.DUE, {"now": now, "limit": 1})):
            return []
        return await self._database.write(work)

    async def forget_contents(self, content_ids: Sequence[str]) -> None:
        """Their files are gone."""
        rows: list[Values] = [{"of_content": content_id} for content_id in content_ids]
        await self._database.write(lambda tx: tx.change_each(statements.FORGET, rows))

    async def next_content_due(self) -> float | None:
        """Return when the next file is due; None: never."""
        row = await self._database.read(lambda tx: tx.one(statements.NEXT_DUE, {}))
        return None if row is None else row[0]

    async def stored_bytes(self) -> int:
        """Return how many bytes all noted contents have that are whole. Scans; for the start."""
        row = await self._database.browse(lambda tx: tx.one(statements.STORED, {}))
        return 0 if row is None else int(row[0])


def content_ids(path: Path) -> list[str]:
    """Return which files hold what the database file at `path`, a copy that nobody uses, knows of. Blocks."""
    connection = open_reader(path)
    try:
        return [row[0] for row in connection.execute(statements.WHOLE)]
    finally:
        connection.close()


def _dropped(due_at: float) -> Values:
    return {"state": DROPPED, "due_at": due_at}


def _replace_pieces(tx: Transaction, blob: Blob, parts: Sequence[Part], commit: Commit) -> None:
    """Drop everything of the blob that was, then take back what is part of the new one."""
    key = key_of_blob(blob.container, blob.name)
    for state in (STAGED, COMMITTED):
        tx.change(statements.DROP_OF_BLOB, key | _dropped(commit.dropped_until) | {"in_state": state})
    if commit.content_size is not None:
        sized: Values = {"size": commit.content_size, "block_id": None, "in_state": WRITING}
        tx.change(statements.CHANGE, sized | _kept(parts[0].content_id))
    tx.change_each(statements.KEEP, [_kept(content_id) for content_id in {part.content_id for part in parts}])
    tx.change(statements.DROP_PIECES, key)
    rows: list[Values] = [
        {"container": blob.container, "name": blob.name, "position": position, **part._asdict()}
        for position, part in enumerate(parts)
    ]
    tx.change_each(statements.ADD_PIECE, rows)


def _kept(content_id: str) -> Values:
    return {"of_content": content_id, "state": COMMITTED, "due_at": None}
