"""Blobs as the hub itself keeps them: names, blocks, bounds.

Source: Azure Blob Storage REST reference (naming, Put Blob, Put Block, Put Block List).
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Final, NamedTuple

from ironhub.core.errors import HubError

MAX_NAME: Final = 1024
"""Characters of a blob's name."""
MAX_SEGMENTS: Final = 254
MAX_BLOCK_ID: Final = 88
"""Characters of a block's id in base64: 64 bytes."""
MAX_BLOCKS: Final = 50_000
"""Blocks of one blob."""
RESERVED: Final = frozenset(
    {
        *("api", "configurations", "devices", "digitaltwins", "enrollmentgroups", "enrollments"),
        *("filenotifications", "jobs", "messages", "modules", "operations", "query", "registrations"),
        *("servicebus", "statistics", "twins"),
    }
)
"""Words that other addresses of the hub begin with; no container is called so."""

_CONTAINER: Final = re.compile(r"[a-z0-9](?:-?[a-z0-9]){2,62}\Z")
_FORBIDDEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\\\\\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobSettings:
    """The bounds of the hub's own blob store. Sizes in bytes."""

    max_blob: int = 5 << 30
    """Bytes of one blob."""
    max_total: int = 50 << 30
    """Bytes of all blobs and staged blocks together."""
    max_block: int = 4000 << 20
    """Bytes of one block."""
    max_staged: int = 10_000
    """Blocks that may wait to be put together to one blob."""
    max_writers: int = 256
    """Blobs and blocks that come in at the same time: each holds memory and a file descriptor."""
    max_writers_each: int = 32
    """Of them below one first segment of a name: of one device."""
    staged_ttl: float = 86_400.0
    """Seconds a staged block waits to become part of a blob."""
    grace: float = 600.0
    """Seconds that what was overwritten or deleted stays for those who are reading it."""


class Piece(NamedTuple):
    """A part of a blob, in a file of its own."""

    content_id: str
    size: int


class BlockSource(StrEnum):
    """Where a block of a list is looked for."""

    COMMITTED = "committed"
    UNCOMMITTED = "uncommitted"
    LATEST = "latest"
    CONTENT = "content"
    """No block: content that was just written, by its id."""


class WantedBlock(NamedTuple):
    """One line of a block list."""

    source: BlockSource
    block_id: str


class Block(NamedTuple):
    """A block as it is listed."""

    block_id: str
    size: int


class BlockLists(NamedTuple):
    """The blocks that make the blob, in order, and those that wait."""

    committed: tuple[Block, ...]
    uncommitted: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobHead:
    """What a writer says of a blob besides its content."""

    content_type: str = "application/octet-stream"
    content_md5: str = ""
    """Base64; empty: not known."""
    headers: dict[str, str] = field(default_factory=dict)
    """Further properties and metadata, by the name under which they are given back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A blob as stored, without its content."""

    container: str
    name: str
    size: int
    etag: str
    created_at: float
    modified_at: float
    head: BlobHead


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A blob that is to be made, and of what."""

    blob: Blob
    """Its `size` counts for nothing, and its `created_at` only when it is new."""
    wanted: tuple[WantedBlock, ...]
    content_size: int | None
    """Bytes of the single CONTENT that is wanted; None: blocks are."""
    max_size: int
    """Bytes that it may have."""
    dropped_until: float
    """When the files that it replaces may go."""
    only_new: bool = False
    if_match: str | None = None
    """The etag that what is replaced must have; "*": any."""


class BlobNotFound(HubError):
    """There is no such blob."""

    code: ClassVar[str] = "blob.not_found"
    status: ClassVar[int] = 404
    next_step: ClassVar[str] = "Check container and name (case-sensitive); a blob is there when its last block list is."


class BlobExists(HubError):
    """The blob is there, and the writer wanted a new one."""

    code: ClassVar[str] = "blob.exists"
    status: ClassVar[int] = 409
    next_step: ClassVar[str] = "Choose another name, or overwrite it on purpose."


class BlobChanged(HubError):
    """The blob is not in the state that the caller's condition asks for."""

    code: ClassVar[str] = "blob.condition_not_met"
    status: ClassVar[int] = 412
    next_step: ClassVar[str] = "Read the blob again and retry with its new etag."


class BlobNameInvalid(HubError):
    """No container or blob may be called so."""

    code: ClassVar[str] = "blob.name_invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = (
        "Use up to 1024 characters in segments between single slashes, none of them . or .., no control characters."
    )


class BlobTooLarge(HubError):
    """More than one blob, or one block, may have."""

    code: ClassVar[str] = "blob.too_large"
    status: ClassVar[int] = 413
    next_step: ClassVar[str] = "Send less, or raise blob_max_size in the hub's settings."


class StoreFull(HubError):
    """All the room that blobs may take is taken."""

    code: ClassVar[str] = "blob.store_full"
    status: ClassVar[int] = 507
    next_step: ClassVar[str] = "Delete blobs (`ironhub files delete`), or raise blob_max_total in the hub's settings."


class TooManyBlocks(HubError):
    """More blocks wait than may."""

    code: ClassVar[str] = "blob.too_many_blocks"
    status: ClassVar[int] = 409
    next_step: ClassVar[str] = "Commit a block list first, or send larger blocks."


class TooManyWriters(HubError):
    """As many blobs and blocks come in at the same time as may, for this device or for the whole hub."""

    code: ClassVar[str] = "blob.too_many_writers"
    status: ClassVar[int] = 503
    next_step: ClassVar[str] = "Send it again a little later, and fewer at the same time."


class BlockListInvalid(HubError):
    """A block list names a block that is not there, or cannot be read."""

    code: ClassVar[str] = "blob.block_list_invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Stage every block first, then commit the list of their ids."


class ContentDamaged(HubError):
    """What arrived is not what the writer's checksum says."""

    code: ClassVar[str] = "blob.checksum_mismatch"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Send it again."


class RangeInvalid(HubError):
    """The blob has no byte in this range."""

    code: ClassVar[str] = "blob.range_invalid"
    status: ClassVar[int] = 416
    next_step: ClassVar[str] = "Ask for bytes below the blob's size."


class NotSupported(HubError):
    """The request asks for something that the hub's blob store does not do."""

    code: ClassVar[str] = "blob.unsupported"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Leave out what the message names: block blobs are written, read, listed and deleted."


def check_container(name: str) -> str:
    """Return `name`. Raises BlobNameInvalid."""
    if not _CONTAINER.match(name) or len(name) > 63 or name in RESERVED:
        raise BlobNameInvalid("a container has 3 to 63 lower-case letters, digits and single hyphens between them")
    return name


def check_blob_name(name: str) -> str:
    """Return `name` if it means one thing to everybody who reads it as a path. Raises BlobNameInvalid."""
    segments = name.split("/")
    if not 1 <= len(name) <= MAX_NAME or len(segments) > MAX_SEGMENTS:
        raise BlobNameInvalid(f"a blob's name has 1 to {MAX_NAME} characters")
    if _FORBIDDEN.search(name):
        raise BlobNameInvalid("a blob's name has no control characters and no backslash")
    if any(segment in ("", ".", "..") for segment in segments):
        raise BlobNameInvalid("a blob's name has no empty segment, and none that is . or ..")
    return name
