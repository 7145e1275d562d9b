"""What the headers of blob calls say, and what is said in them: properties, conditions, ranges.

Source: Azure Blob Storage REST reference, "Put Blob", "Get Blob", "Specifying conditional headers".
"""

import re
from base64 import b64decode
from typing import Final, NamedTuple

from ironhub.core.errors import InvalidArgument
from ironhub.dialects.azure.blob_xml import http_date
from ironhub.dialects.azure.if_match import encode_etag
from ironhub.heads.http.messages import Head, Headers
from ironhub.messaging.files.blobs import Blob, BlobChanged, BlobHead, NotSupported, RangeInvalid

MAX_METADATA: Final = 8192
"""Bytes of all metadata of one blob."""
MAX_PROPERTY: Final = 1024

_PROPERTIES: Final = {
    "x-ms-blob-content-encoding": "content-encoding",
    "x-ms-blob-content-language": "content-language",
    "x-ms-blob-cache-control": "cache-control",
    "x-ms-blob-content-disposition": "content-disposition",
}
_UNSUPPORTED: Final = (
    *("x-ms-copy-source", "x-ms-lease-id", "x-ms-encryption-key", "x-ms-encryption-scope", "x-ms-if-tags"),
    *("if-modified-since", "if-unmodified-since", "x-ms-source-if-match", "x-ms-snapshot"),
)
"""Left unheard they would change what the caller relies on."""
_RANGE: Final = re.compile(r"bytes=(\d{1,18})-(\d{1,18})?\Z", re.ASCII)
_METADATA: Final = re.compile(r"x-ms-meta-[a-z_][a-z0-9_]{0,127}\Z", re.ASCII)


class Conditions(NamedTuple):
    """What a writer asks of what is there."""

    only_new: bool
    if_match: str | None
    """An etag, "*" for any; None: it does not care."""


class ByteRange(NamedTuple):
    """Which bytes a reader asks for."""

    start: int
    end: int | None
    """Not included; None: to the end."""


def decode_properties(head: Head) -> BlobHead:
    """Return what a writer says of its blob. Raises InvalidArgument, NotSupported."""
    headers = head.headers
    for name in _UNSUPPORTED:
        if headers.get(name):
            raise NotSupported(f"{name} is not understood here")
    kept = {ours: headers[name] for name, ours in _PROPERTIES.items() if headers.get(name)}
    metadata = {name: value for name, value in headers.items() if name.startswith("x-ms-meta-")}
    if any(_METADATA.match(name) is None for name in metadata) or _size(metadata) > MAX_METADATA:
        raise InvalidArgument("the metadata has a name that is none, or is too large")
    content_type = headers.get("x-ms-blob-content-type") or headers.get("content-type") or "application/octet-stream"
    md5 = headers.get("x-ms-blob-content-md5", "")
    decode_md5(md5)
    if any(len(value) > MAX_PROPERTY for value in (*kept.values(), content_type)):
        raise InvalidArgument("a property of the blob is too long")
    return BlobHead(content_type=content_type, content_md5=md5, headers=kept | metadata)


def decode_md5(text: str) -> bytes | None:
    """Return the 16 bytes of an MD5 in base64, None for no text. Raises InvalidArgument."""
    if not text:
        return None
    try:
        digest = b64decode(text, validate=True)
    except ValueError:
        digest = b""
    if len(digest) != 16:
        raise InvalidArgument("an MD5 has 16 bytes, in base64")
    return digest


def decode_conditions(head: Head) -> Conditions:
    """Return what a writer asks of what is there. Raises NotSupported."""
    for name in ("if-modified-since", "if-unmodified-since", "x-ms-if-tags", "x-ms-lease-id"):
        if head.headers.get(name):
            raise NotSupported(f"{name} is not understood here")
    none_match, match = head.headers.get("if-none-match"), head.headers.get("if-match")
    if none_match not in (None, "*"):
        raise NotSupported("If-None-Match of a writer is * or nothing")
    return Conditions(none_match == "*", None if match is None else match.strip('"'))


def check_reader(head: Head, blob: Blob) -> bool:
    """Return False when the reader has this blob already. Raises BlobChanged, NotSupported."""
    for name in ("x-ms-lease-id", "x-ms-if-tags", "x-ms-encryption-key"):
        if head.headers.get(name):
            raise NotSupported(f"{name} is not understood here")
    wanted = head.headers.get("if-match")
    if wanted is not None and wanted.strip('"') not in ("*", blob.etag):
        raise BlobChanged("the blob has another etag")
    return head.headers.get("if-none-match", "").strip('"') not in ("*", blob.etag)


def decode_range(head: Head) -> ByteRange | None:
    """Return the bytes that are asked for; None: all. Raises NotSupported, RangeInvalid."""
    text = head.headers.get("x-ms-range") or head.headers.get("range")
    if text is None:
        return None
    match = _RANGE.match(text)
    if match is None:
        raise NotSupported("a range is bytes=first-last or bytes=first-")
    start, last = int(match[1]), match[2]
    if last is not None and int(last) < start:
        raise RangeInvalid("the range ends before it begins")
    return ByteRange(start, None if last is None else int(last) + 1)


def stored_headers(blob: Blob) -> Headers:
    """Return what a writer learns of the blob it made."""
    return (
        ("ETag", encode_etag(blob.etag)),
        ("Last-Modified", http_date(blob.modified_at)),
        ("x-ms-request-server-encrypted", "true"),
    )


def blob_headers(blob: Blob, *, part: bool) -> Headers:
    """Return what a reader learns of a blob; `part`: it gets not all of it."""
    headers = [
        ("ETag", encode_etag(blob.etag)),
        ("Last-Modified", http_date(blob.modified_at)),
        ("Accept-Ranges", "bytes"),
        ("x-ms-creation-time", http_date(blob.created_at)),
        ("x-ms-blob-type", "BlockBlob"),
        ("x-ms-lease-status", "unlocked"),
        ("x-ms-lease-state", "available"),
        ("x-ms-server-encrypted", "true"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if blob.head.content_md5:
        headers.append(("x-ms-blob-content-md5" if part else "Content-MD5", blob.head.content_md5))
    return (*headers, *blob.head.headers.items())


def _size(texts: dict[str, str]) -> int:
    return sum(len(name) + len(value) for name, value in texts.items())
