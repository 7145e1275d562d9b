"""The hub's own blobs: write, put together, read, list, delete.

Protects the disk: every file is noted before it is made, no blob and no block grows over its bound, all of them
together not over theirs, and a caller learns that something is stored only when it is on the disk, whole. Protects
memory and file descriptors: only so many are written at the same time, and fewer of one device.
"""

import asyncio
import hashlib
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Final, NamedTuple

from ironhub.access.model import BlobPlace, Grant, Permission
from ironhub.core.clock import Clock, Entropy
from ironhub.core.errors import InvalidArgument
from ironhub.core.pages import Page
from ironhub.core.tally import Tally
from ironhub.messaging.files.blobs import (
    MAX_BLOCKS,
    Blob,
    BlobHead,
    BlobNotFound,
    BlobSettings,
    BlobTooLarge,
    BlockListInvalid,
    BlockLists,
    BlockSource,
    Commit,
    ContentDamaged,
    Piece,
    RangeInvalid,
    StoreFull,
    TooManyWriters,
    WantedBlock,
    check_blob_name,
    check_container,
)
from ironhub.messaging.files.ports import BlobIndex, Contents, ContentWriter, NewContent

READ_SIZE: Final = 262_144
"""Bytes that are read at once for somebody who downloads."""


class Incoming(NamedTuple):
    """Content on its way in."""

    pieces: AsyncIterator[bytes]
    announced: int | None
    """Bytes; None: that shows when it ends."""
    md5: bytes | None = None
    """What it must hash to."""


class _Written(NamedTuple):
    content_id: str
    size: int
    md5: bytes


class BlobKeeper:
    """Blobs in containers. Every answer comes after the change is durable."""

    def __init__(
        self,
        index: BlobIndex,
        contents: Contents,
        clock: Clock,
        entropy: Entropy,
        settings: BlobSettings | None = None,
    ) -> None:
        self.tally = Tally()
        """"stored", "read", "deleted", and "bytes_stored"."""
        self.used = 0
        """Bytes of all content on the disk, also of what is only there for its last readers."""
        self._holders = 0
        self._writers: Counter[str] = Counter()
        self._index = index
        self._contents = contents
        self._clock = clock
        self._entropy = entropy
        self._settings = settings or BlobSettings()

    async def open(self) -> None:
        """Count what is there and drop what the process before this one did not finish. Before anything else."""
        await self._index.drop_unfinished(now=self._clock.now())
        self.used = await self._index.stored_bytes()

    async def put(
        self,
        grant: Grant,
        incoming: Incoming,
        head: BlobHead,
        *,
        only_new: bool = False,
        if_match: str | None = None,
    ) -> Blob:
        """Store a whole blob, replacing what was there.

        Args:
            only_new: refuse to replace.
            if_match: the etag that what is replaced must have; "*": any.

        Raises:
            BlobNameInvalid, BlobTooLarge, StoreFull, TooManyWriters, ContentDamaged, BlobExists, BlobChanged,
            Unavailable.
        """
        grant.require(Permission.BLOB_WRITE)
        place = _blob_of(grant)
        with self._writing(place):
            written = await self._write(place, incoming, self._settings.max_blob)
        wanted = [WantedBlock(BlockSource.CONTENT, written.content_id)]
        blob = self._draft(place, replace(head, content_md5=b64encode(written.md5).decode()))
        try:
            return await self._committed(blob, wanted, written.size, only_new, if_match)
        except BaseException:
            await asyncio.shield(self._drop(written))
            raise

    async def put_block(self, grant: Grant, block_id: str, incoming: Incoming) -> bytes:
        """Stage a block of a blob and return its MD5. Raises as `put`, and TooManyBlocks."""
        grant.require(Permission.BLOB_WRITE)
        place = _blob_of(grant)
        with self._writing(place):
            written = await self._write(place, incoming, self._settings.max_block)
        now = self._clock.now()
        try:
            await self._index.stage_block(
                written.content_id,
                block_id,
                size=written.size,
                now=now,
                due_at=now + self._settings.staged_ttl,
                max_staged=self._settings.max_staged,
            )
        except BaseException:
            await asyncio.shield(self._drop(written))
            raise
        return written.md5

    async def put_block_list(
        self,
        grant: Grant,
        wanted: Sequence[WantedBlock],
        head: BlobHead,
        *,
        only_new: bool = False,
        if_match: str | None = None,
    ) -> Blob:
        """Make a blob of blocks. Raises BlockListInvalid, BlobTooLarge, BlobExists, BlobChanged."""
        grant.require(Permission.BLOB_WRITE)
        if len(wanted) > MAX_BLOCKS:
            raise BlockListInvalid(f"a blob has at most {MAX_BLOCKS} blocks")
        return await self._committed(self._draft(_blob_of(grant), head), wanted, None, only_new, if_match)

    def writing(self, grant: Grant) -> AbstractContextManager[None]:
        """Have one of the places of those that write, for who takes in a block list. Raises TooManyWriters."""
        grant.require(Permission.BLOB_WRITE)
        return self._writing(_blob_of(grant))

    async def list_blocks(self, grant: Grant) -> BlockLists:
        """Return the blocks of a blob. Raises BlobNotFound: neither blob nor block."""
        grant.require(Permission.BLOB_READ)
        place = _blob_of(grant)
        found = await self._index.list_blocks(place.container, str(place.name))
        if not found.committed and not found.uncommitted:
            await self._found(place)
        return found

    async def get(self, grant: Grant) -> Blob:
        """Return what is known of a blob. Raises BlobNotFound."""
        grant.require(Permission.BLOB_READ)
        return (await self._found(_blob_of(grant)))[0]

    async def read(
        self, grant: Grant, *, start: int = 0, end: int | None = None
    ) -> tuple[Blob, int, AsyncIterator[bytes]]:
        """Return a blob, where the part that is read ends, and that part.

        Args:
            end: not included; None, or beyond the blob: its end.

        Raises:
            BlobNotFound; RangeInvalid: `start` is beyond the blob. While it is read: CorruptStore, Unavailable.
        """
        grant.require(Permission.BLOB_READ)
        blob, pieces = await self._found(_blob_of(grant))
        stop = blob.size if end is None else min(end, blob.size)
        if start > 0 and start >= blob.size:
            raise RangeInvalid(f"the blob has {blob.size} bytes")
        self.tally.add("read")
        return blob, stop, self._pieces(pieces, start, stop)

    async def delete(self, grant: Grant, *, if_match: str | None = None) -> None:
        """Delete a blob and its blocks. Raises BlobNotFound, BlobChanged."""
        grant.require(Permission.BLOB_DELETE)
        place = _blob_of(grant)
        until = self._clock.now() + self._settings.grace
        await self._index.delete_blob(place.container, str(place.name), dropped_until=until, if_match=if_match)
        self.tally.add("deleted")

    async def list_page(self, grant: Grant, *, prefix: str, after: str | None, limit: int) -> Page[Blob]:
        """Return a page of the container's blobs, ordered by name."""
        grant.require(Permission.BLOB_LIST)
        container = check_container(grant.place.container)
        return await self._index.list_blobs(container, prefix=prefix, after=after, limit=limit)

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Delete no file meanwhile: somebody copies them."""
        self._holders += 1
        try:
            yield
        finally:
            self._holders -= 1

    async def collect(self, limit: int) -> int:
        """Delete files that nobody needs any more, at most `limit`; returns how many. For the collector."""
        if self._holders:
            return 0
        due = await self._index.due_contents(now=self._clock.now(), limit=limit)
        if due:
            ids = [piece.content_id for piece in due]
            await self._contents.delete(ids)
            await self._index.forget_contents(ids)
            self.used -= sum(piece.size for piece in due)
        return len(due)

    @contextmanager
    def _writing(self, place: BlobPlace) -> Iterator[None]:
        """Have one of the places of those that write. Raises TooManyWriters."""
        whose = f"{place.container}/{str(place.name).partition('/')[0]}"
        at_once, of_one = self._writers.total(), self._writers[whose]
        if at_once >= self._settings.max_writers or of_one >= self._settings.max_writers_each:
            raise TooManyWriters("too much is being uploaded at the same time")
        self._writers[whose] += 1
        try:
            yield
        finally:
            self._writers -= Counter([whose])  # who is at none is forgotten

    async def _write(self, place: BlobPlace, incoming: Incoming, bound: int) -> _Written:
        """Write a file; when this returns it is whole and on the disk, and noted as being written."""
        self._check_room(incoming.announced or 0, bound)
        content_id = self._entropy.uuid().replace("-", "")
        await self._index.begin_content(NewContent(content_id, place.container, str(place.name)))
        writer = None
        try:
            writer = await self._contents.create(content_id)
            written = await self._fill(writer, content_id, incoming, bound)
        except BaseException:
            await asyncio.shield(self._discard(content_id, writer))
            raise
        self.tally.add("bytes_stored", written.size)
        return written

    async def _fill(self, writer: ContentWriter, content_id: str, incoming: Incoming, bound: int) -> _Written:
        size, digest = 0, hashlib.md5(usedforsecurity=False)
        try:
            async for piece in incoming.pieces:
                self._check_room(len(piece), bound - size)
                size += len(piece)
                self.used += len(piece)
                digest.update(piece)
                await writer.write(piece)
            _check_md5(incoming.md5, digest.digest())
            await writer.finish()
        except BaseException:
            self.used -= size
            raise
        return _Written(content_id, size, digest.digest())

    async def _discard(self, content_id: str, writer: ContentWriter | None) -> None:
        if writer is not None:
            await writer.discard()
        await self._index.drop_content(content_id, size=0, now=self._clock.now())

    async def _drop(self, written: _Written) -> None:
        await self._index.drop_content(written.content_id, size=written.size, now=self._clock.now())

    def _check_room(self, more: int, bound: int) -> None:
        if more > bound:
            raise BlobTooLarge("this is more than one blob or block may have")
        if self.used + more > self._settings.max_total:
            raise StoreFull("there is no room for more blobs")

    def _draft(self, place: BlobPlace, head: BlobHead) -> Blob:
        now = self._clock.now()
        return Blob(
            container=place.container,
            name=str(place.name),
            size=0,
            etag=f"0x{self._entropy.token_bytes(8).hex().upper()}",
            created_at=now,
            modified_at=now,
            head=head,
        )

    async def _committed(
        self, blob: Blob, wanted: Sequence[WantedBlock], size: int | None, only_new: bool, if_match: str | None
    ) -> Blob:
        commit = Commit(
            blob=blob,
            wanted=tuple(wanted),
            content_size=size,
            max_size=self._settings.max_blob,
            dropped_until=blob.modified_at + self._settings.grace,
            only_new=only_new,
            if_match=if_match,
        )
        stored = await self._index.commit_blob(commit)
        self.tally.add("stored")
        return stored

    async def _found(self, place: BlobPlace) -> tuple[Blob, list[Piece]]:
        found = await self._index.find_blob(place.container, str(place.name))
        if found is None:
            raise BlobNotFound("there is no such blob")
        return found

    async def _pieces(self, pieces: Sequence[Piece], start: int, stop: int) -> AsyncIterator[bytes]:
        begin = 0
        for piece in pieces:
            low, high = max(start - begin, 0), min(stop - begin, piece.size)
            for at in range(low, high, READ_SIZE):
                yield await self._contents.read(piece.content_id, start=at, end=min(at + READ_SIZE, high))
            begin += piece.size
            if begin >= stop:
                return


def _check_md5(wanted: bytes | None, found: bytes) -> None:
    if wanted is not None and wanted != found:
        raise ContentDamaged("the content has another MD5 than was announced")


def _blob_of(grant: Grant) -> BlobPlace:
    """The blob a grant is for, by a name that can be one. Raises BlobNameInvalid, InvalidArgument."""
    place = grant.place
    if place.name is None:
        raise InvalidArgument("this needs the name of a blob")
    check_container(place.container)
    check_blob_name(place.name)
    return place
