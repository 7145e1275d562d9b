"""What uploads and blobs need of stores."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from ironhub.core.ids import Identity
from ironhub.core.pages import Page
from ironhub.identity.links import BlobAccount
from ironhub.messaging.files.blobs import Blob, BlockLists, Commit, Piece
from ironhub.messaging.files.model import (
    FileNotice,
    FileNotification,
    NotificationDelivery,
    StoredFile,
    Upload,
)


class UploadStore(Protocol):
    """Where open uploads and file notifications live. Passes tests/contracts/test_upload_store.py.

    Every write is durable when it returns.
    """

    async def add_upload(self, upload: Upload, *, max_open: int) -> None:
        """Store it. Raises DeviceNotFound, TooManyUploads: nothing was stored."""

    async def get_upload(self, identity: Identity, correlation_id: str) -> Upload | None:
        """Return the open upload of this very identity, or None."""

    async def end_upload(self, upload: Upload, notice: FileNotice | None) -> None:
        """Forget it and queue `notice`, both or neither. Raises UploadUnknown: it was ended before."""

    async def expire_uploads(self, *, now: float, limit: int) -> list[Upload]:
        """Forget those that are longest over, at most `limit`, and return them."""

    async def list_notifications(self, *, after: int, limit: int, now: float) -> list[FileNotification]:
        """Return unexpired notifications with record ids above `after`, in order, held or not."""

    async def lock_notifications(self, *, now: float, locked_until: float, limit: int) -> list[NotificationDelivery]:
        """Hand out the oldest that nobody holds and that have not expired, until `locked_until`."""

    async def complete_notification(self, lock_token: str, *, now: float) -> None:
        """Remove it for good. Raises FileLockLost, which changes nothing."""

    async def abandon_notification(self, lock_token: str, *, now: float, max_delivery_count: int) -> None:
        """Put it back in its place, counted; drop it when that was once too often. Raises FileLockLost."""

    async def drop_notifications(self, up_to: int) -> None:
        """Forget those with record ids up to and including `up_to`."""

    async def expire_notifications(self, *, now: float, max_delivery_count: int, limit: int) -> int:
        """Drop what expired, end locks that ran out (as `abandon_notification`); returns how many were looked at."""

    async def next_upload_due(self) -> float | None:
        """Return when the next upload, notification or lock ends; None: never."""

    async def blob_account(self) -> BlobAccount | None:
        """Return the account of the hub's own blobs, or None before the first start made one."""

    async def put_blob_account(self, account: BlobAccount) -> None:
        """Store it, replacing the one before; its keys are sealed."""


class NewContent(NamedTuple):
    """Content that is about to be written."""

    content_id: str
    container: str
    name: str


class BlobIndex(Protocol):
    """What blobs there are and which files hold them. Passes tests/contracts/test_blob_index.py.

    A file is noted here before it is made and until it is gone, so that none is ever forgotten on the disk.
    """

    async def begin_content(self, content: NewContent) -> None:
        """Note that a file is about to be made. Durable."""

    async def stage_block(
        self, content_id: str, block_id: str, *, size: int, now: float, due_at: float, max_staged: int
    ) -> None:
        """The file is whole and waits as a block of its blob until `due_at`; one of the same id before it is dropped.

        Raises:
            TooManyBlocks: nothing was changed.
        """

    async def commit_blob(self, commit: Commit) -> Blob:
        """Make the blob of these blocks or contents, replacing what was there; all other blocks of it are dropped.

        Raises:
            BlockListInvalid: a block is not there; BlobTooLarge, BlobExists, BlobChanged. Nothing was changed.
        """

    async def find_blob(self, container: str, name: str) -> tuple[Blob, list[Piece]] | None:
        """Return the blob and where its content lies, in order, or None."""

    async def list_blocks(self, container: str, name: str) -> BlockLists:
        """Return the blocks of a blob, also of one that was never committed."""

    async def list_blobs(self, container: str, *, prefix: str, after: str | None, limit: int) -> Page[Blob]:
        """Return at most `limit` blobs whose names begin with `prefix`, ordered by name."""

    async def delete_blob(self, container: str, name: str, *, dropped_until: float, if_match: str | None) -> None:
        """Delete it with its blocks; their files may go after `dropped_until`. Raises BlobNotFound, BlobChanged."""

    async def drop_staged(self, container: str, name: str, *, now: float) -> None:
        """Drop all blocks of it that wait."""

    async def drop_content(self, content_id: str, *, size: int, now: float) -> None:
        """The file, of `size` bytes by now, will be part of nothing."""

    async def drop_unfinished(self, *, now: float) -> int:
        """Nobody writes yet (the hub starts): drop what was being written; returns how many."""

    async def due_contents(self, *, now: float, limit: int) -> list[Piece]:
        """Return files that nobody needs any more, longest due first; staged blocks whose time is over among them."""

    async def forget_contents(self, content_ids: Sequence[str]) -> None:
        """Their files are gone."""

    async def next_content_due(self) -> float | None:
        """Return when the next file is due; None: never."""

    async def stored_bytes(self) -> int:
        """Return how many bytes all noted contents have that are whole. Scans; for the start."""


class ContentWriter(Protocol):
    """Takes the content of one file."""

    async def write(self, data: bytes) -> None:
        """Append; waits while the disk is slower than the writer. Raises Unavailable."""

    async def finish(self) -> None:
        """Return when all of it, and its name, are on the disk. Raises Unavailable."""

    async def discard(self) -> None:
        """Close it and delete what was written. Never raises."""


class Contents(Protocol):
    """Where the content of blobs lies, sealed. Passes tests/contracts/test_contents.py."""

    async def create(self, content_id: str) -> ContentWriter:
        """Begin a new file. Raises Unavailable."""

    async def read(self, content_id: str, *, start: int, end: int) -> bytes:
        """Return the bytes from `start` up to, not including, `end`. Raises CorruptStore, Unavailable."""

    async def delete(self, content_ids: Sequence[str]) -> None:
        """Delete the files; those that are not there are no error. Raises Unavailable."""


class Depot(Protocol):
    """Where devices upload to: the hub's own blobs, or an external account."""

    @property
    def container(self) -> str:
        """Uploads go into this one."""

    def host(self, asked: str) -> str:
        """Return where the blob is to be sent, for a device that reached the hub as `asked` (with its port)."""

    def sign(self, blob: str, *, now: float, expires_at: float) -> str:
        """Return the query that lets its holder write and read this one blob until `expires_at`."""

    async def stored(self, container: str, blob: str) -> StoredFile | None:
        """Return what lies there, None when there is no such blob. Raises DepotUnreachable."""

    async def give_up(self, container: str, blob: str) -> None:
        """The upload came to nothing: drop what was never completed, leave what was."""
