"""Block lists and listings of containers, from and to the XML of Azure storage.

Protects against what XML can do besides: a document type, entities and processing instructions are refused before any
parser sees them, depth and number of elements are bounded.
Source: Azure Blob Storage REST reference, "Put Block List", "Get Block List", "List Blobs".
"""

import re
from base64 import b64decode
from collections.abc import Iterable, Sequence
from email.utils import formatdate
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from ironhub.messaging.files.blobs import (
    MAX_BLOCK_ID,
    MAX_BLOCKS,
    Blob,
    Block,
    BlockListInvalid,
    BlockLists,
    BlockSource,
    WantedBlock,
)

DECLARATION: Final = '<?xml version="1.0" encoding="utf-8"?>'
MAX_BLOCK_LIST: Final = 2 << 20
"""Bytes; as many blocks as may wait take about one million, with the longest ids."""

_SOURCES: Final = {
    "Latest": BlockSource.LATEST,
    "Committed": BlockSource.COMMITTED,
    "Uncommitted": BlockSource.UNCOMMITTED,
}
_HEAD: Final = re.compile(
    r"\s*+(?:<\?xml [^<>?]{0,200}\?>\s*+)?<BlockList(?:\s+xmlns=\"[^\"<>&]{0,200}\")?\s*", re.ASCII
)
"""Blanks are given back to nobody: between two places that may have them, they would be shared out in every way."""
_BLOCK: Final = re.compile(r"\s*<(Latest|Committed|Uncommitted)>\s*([A-Za-z0-9+/=_-]{1,88})\s*</\1>", re.ASCII)
_TAIL: Final = re.compile(r"\s*</BlockList\s*>\s*\Z", re.ASCII)


def decode_block_list(body: bytes) -> list[WantedBlock]:
    """Return the blocks that a blob is to be made of. Raises BlockListInvalid.

    The shape is so plain that it is read as text: whatever else XML knows is no block list.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BlockListInvalid("the block list is not UTF-8") from error
    head = _HEAD.match(text)
    if head is None:
        raise BlockListInvalid("this is no block list")
    if text[head.end() :].strip() == "/>":
        return []
    if text[head.end() : head.end() + 1] != ">":
        raise BlockListInvalid("this is no block list")
    return _blocks(text, head.end() + 1)


def _blocks(text: str, place: int) -> list[WantedBlock]:
    wanted: list[WantedBlock] = []
    while (match := _BLOCK.match(text, place)) is not None:
        wanted.append(WantedBlock(_SOURCES[match[1]], check_block_id(match[2])))
        place = match.end()
        if len(wanted) > MAX_BLOCKS:
            raise BlockListInvalid(f"a blob has at most {MAX_BLOCKS} blocks")
    if _TAIL.match(text, place) is None:
        raise BlockListInvalid("the block list holds something else than blocks")
    return wanted


def check_block_id(text: str) -> str:
    """Return `text` if it is the id of a block: base64 of 1 to 64 bytes. Raises BlockListInvalid."""
    try:
        raw = b64decode(text, validate=True)
    except ValueError as error:
        raise BlockListInvalid("the id of a block is base64") from error
    if not 1 <= len(raw) <= 64 or len(text) > MAX_BLOCK_ID:
        raise BlockListInvalid("the id of a block has 1 to 64 bytes")
    return text


def encode_block_lists(lists: BlockLists, *, committed: bool, uncommitted: bool) -> bytes:
    """Return the blocks of a blob."""
    parts = [_encode_blocks("CommittedBlocks", lists.committed)] if committed else []
    parts += [_encode_blocks("UncommittedBlocks", lists.uncommitted)] if uncommitted else []
    return f"{DECLARATION}<BlockList>{''.join(parts)}</BlockList>".encode()


def encode_listing(
    endpoint: str,
    container: str,
    blobs: Sequence[Blob],
    prefixes: Iterable[str],
    asked: dict[str, str],
    after: str | None,
) -> bytes:
    """Return one page of a container.

    Args:
        prefixes: what stands for blobs below a delimiter.
        asked: `prefix`, `marker`, `maxresults` and `delimiter` as they were asked for, without those that are empty.
        after: the marker of the next page; None: there is none.
    """
    shown = (("Prefix", "prefix"), ("Marker", "marker"), ("MaxResults", "maxresults"), ("Delimiter", "delimiter"))
    head = "".join(f"<{name}>{_text(asked[key])}</{name}>" for name, key in shown if asked.get(key))
    items = [(blob.name, _encode_blob(blob)) for blob in blobs]
    items += [(prefix, f"<BlobPrefix><Name>{_text(prefix)}</Name></BlobPrefix>") for prefix in prefixes]
    body = "".join(text for _, text in sorted(items))
    return (
        f"{DECLARATION}<EnumerationResults ServiceEndpoint={quoteattr(endpoint)} ContainerName={quoteattr(container)}>"
        f"{head}<Blobs>{body}</Blobs><NextMarker>{_text(after or '')}</NextMarker></EnumerationResults>"
    ).encode()


def http_date(seconds: float) -> str:
    """Return e.g. "Sat, 31 Jan 2026 12:00:00 GMT"."""
    return formatdate(int(seconds), usegmt=True)


def _encode_blocks(name: str, blocks: Sequence[Block]) -> str:
    each = "".join(f"<Block><Name>{_text(block.block_id)}</Name><Size>{block.size}</Size></Block>" for block in blocks)
    return f"<{name}>{each}</{name}>"


def _encode_blob(blob: Blob) -> str:
    properties = {
        "Creation-Time": http_date(blob.created_at),
        "Last-Modified": http_date(blob.modified_at),
        "Etag": blob.etag,
        "Content-Length": str(blob.size),
        "Content-Type": blob.head.content_type,
        "Content-Encoding": blob.head.headers.get("content-encoding", ""),
        "Content-Language": blob.head.headers.get("content-language", ""),
        "Content-MD5": blob.head.content_md5,
        "Cache-Control": blob.head.headers.get("cache-control", ""),
        "Content-Disposition": blob.head.headers.get("content-disposition", ""),
        "BlobType": "BlockBlob",
        "AccessTier": "Hot",
        "AccessTierInferred": "true",
        "LeaseStatus": "unlocked",
        "LeaseState": "available",
        "ServerEncrypted": "true",
    }
    each = "".join(f"<{name}>{_text(value)}</{name}>" for name, value in properties.items())
    return f"<Blob><Name>{_text(blob.name)}</Name><Properties>{each}</Properties></Blob>"


def _text(value: str) -> str:
    return escape(value)
