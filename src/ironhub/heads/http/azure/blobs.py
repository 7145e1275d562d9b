"""The hub's own blob store, as the vendor's storage clients call it: block blobs, written whole or in blocks, read
whole or in ranges, listed and deleted.

Source: Azure Blob Storage REST reference; what azure-storage-blob for Python and @azure/storage-blob for Node accept.
"""

import asyncio
from base64 import b64encode
from collections.abc import Sequence
from typing import Final

from ironhub.access.model import BlobPlace, Permission
from ironhub.dialects.azure.blob_errors import XML
from ironhub.dialects.azure.blob_xml import (
    MAX_BLOCK_LIST,
    check_block_id,
    decode_block_list,
    encode_block_lists,
    encode_listing,
    http_date,
)
from ironhub.heads.http.azure.blob_headers import (
    blob_headers,
    check_reader,
    decode_conditions,
    decode_md5,
    decode_properties,
    decode_range,
    stored_headers,
)
from ironhub.heads.http.azure.calls import Call, Door, Route
from ironhub.heads.http.azure.links import BlobLinks, storage_headers
from ironhub.heads.http.errors import RequestTooLarge
from ironhub.heads.http.incoming import IncomingBody
from ironhub.heads.http.messages import Response
from ironhub.messaging.files.blobs import Blob, NotSupported, RangeInvalid
from ironhub.messaging.files.keeper import BlobKeeper, Incoming

MAX_LISTED: Final = 5000
_LAST: Final = "\U0010ffff"


class BlobCalls:
    """Blobs and containers."""

    def __init__(self, keeper: BlobKeeper, links: BlobLinks, *, max_body: int) -> None:
        self._keeper = keeper
        self._links = links
        self._max_body = max_body

    def routes(self) -> Sequence[Route]:
        """Return what it serves."""
        container, blob = "/{container}", "/{container}/{blob*}"
        return [
            Route("GET", container, self._read, Door.LINK),
            Route("HEAD", container, self._read, Door.LINK),
            Route("PUT", blob, self._write, Door.LINK, stream_limit=self._max_body),
            Route("GET", blob, self._read, Door.LINK),
            Route("HEAD", blob, self._read, Door.LINK),
            Route("DELETE", blob, self._delete, Door.LINK),
        ]

    async def _write(self, call: Call) -> Response:
        match call.query.get("comp", ""):
            case "":
                return await self._put_blob(call)
            case "block":
                return await self._put_block(call)
            case "blocklist":
                return await self._put_block_list(call)
            case other:
                raise NotSupported(f"comp={other[:40]!a} is not served for a blob")

    async def _put_blob(self, call: Call) -> Response:
        kind = call.request.head.headers.get("x-ms-blob-type", "")
        if kind != "BlockBlob":
            raise NotSupported("x-ms-blob-type must be BlockBlob")
        conditions, grant = decode_conditions(call.request.head), call.may(Permission.BLOB_WRITE, self._place(call))
        head = decode_properties(call.request.head)
        blob = await self._keeper.put(grant, _incoming(call), head, **conditions._asdict())
        return self._created(call, blob, ("Content-MD5", blob.head.content_md5))

    async def _put_block(self, call: Call) -> Response:
        block_id = check_block_id(call.query.get("blockid", ""))
        decode_properties(call.request.head)
        grant = call.may(Permission.BLOB_WRITE, self._place(call))
        md5 = await self._keeper.put_block(grant, block_id, _incoming(call))
        told = (("Content-MD5", b64encode(md5).decode()), ("x-ms-request-server-encrypted", "true"))
        return Response(201, headers=(*told, *storage_headers(call.request.head)))

    async def _put_block_list(self, call: Call) -> Response:
        grant = call.may(Permission.BLOB_WRITE, self._place(call))
        conditions, head = decode_conditions(call.request.head), decode_properties(call.request.head)
        with self._keeper.writing(grant):
            wanted = await asyncio.to_thread(decode_block_list, await _whole(call.request.incoming))
        blob = await self._keeper.put_block_list(grant, wanted, head, **conditions._asdict())
        return self._created(call, blob)

    async def _read(self, call: Call) -> Response:
        place, comp = self._place(call), call.query.get("comp", "")
        if place.name is None:
            return await self._read_container(call, place, comp)
        if comp == "blocklist":
            return await self._get_block_lists(call, place)
        if comp:
            raise NotSupported(f"comp={comp[:40]!a} is not served for a blob")
        return await self._get_blob(call, place)

    async def _get_blob(self, call: Call, place: BlobPlace) -> Response:
        head = call.request.head
        grant, wanted = call.may(Permission.BLOB_READ, place), decode_range(head)
        blob = await self._keeper.get(grant)
        if not check_reader(head, blob):
            return Response(304, headers=(*blob_headers(blob, part=False), *storage_headers(head)))
        if head.method == "HEAD":
            headers = (*blob_headers(blob, part=False), *storage_headers(head))
            return Response(200, headers=headers, content_type=blob.head.content_type, length=blob.size)
        if wanted is not None and wanted.start >= blob.size:
            raise RangeInvalid(f"the blob has {blob.size} bytes")
        start, end = (0, None) if wanted is None else wanted
        blob, stop, pieces = await self._keeper.read(grant, start=start, end=end)
        headers = (*blob_headers(blob, part=wanted is not None), *storage_headers(head))
        if wanted is not None:
            headers = (*headers, ("Content-Range", f"bytes {start}-{stop - 1}/{blob.size}"))
        status = 200 if wanted is None else 206
        return Response(
            status, headers=headers, content_type=blob.head.content_type, stream=pieces, length=stop - start
        )

    async def _get_block_lists(self, call: Call, place: BlobPlace) -> Response:
        lists = await self._keeper.list_blocks(call.may(Permission.BLOB_READ, place))
        kind = call.query.get("blocklisttype", "committed").lower()
        body = encode_block_lists(lists, committed=kind != "uncommitted", uncommitted=kind != "committed")
        return Response(200, body, storage_headers(call.request.head), content_type=XML)

    async def _read_container(self, call: Call, place: BlobPlace, comp: str) -> Response:
        if call.query.get("restype", "") != "container" or comp not in ("", "list"):
            raise NotSupported("of a container only its blobs and its properties are served")
        if comp == "list":
            return await self._list(call, place)
        call.may(Permission.BLOB_LIST, place)
        told = (("ETag", '"0x0"'), ("Last-Modified", http_date(0)), ("x-ms-lease-status", "unlocked"))
        return Response(200, headers=(*told, ("x-ms-lease-state", "available"), *storage_headers(call.request.head)))

    async def _list(self, call: Call, place: BlobPlace) -> Response:
        asked = {name: call.query.get(name, "") for name in ("prefix", "marker", "maxresults", "delimiter")}
        page = await self._keeper.list_page(
            call.may(Permission.BLOB_LIST, place),
            prefix=asked["prefix"],
            after=asked["marker"] or None,
            limit=_limit(asked["maxresults"]),
        )
        blobs, prefixes = _grouped(page.items, asked["prefix"], asked["delimiter"])
        after = page.after
        if after is not None and prefixes and after.startswith(prefixes[-1]):
            after = prefixes[-1] + _LAST  # the rest of what this prefix stands for is not listed again
        endpoint = f"https://{call.request.head.headers.get('host', '')}/"
        body = encode_listing(endpoint, place.container, blobs, prefixes, asked, after)
        return Response(200, body, storage_headers(call.request.head), content_type=XML)

    async def _delete(self, call: Call) -> Response:
        conditions = decode_conditions(call.request.head)
        grant = call.may(Permission.BLOB_DELETE, self._place(call))
        await self._keeper.delete(grant, if_match=conditions.if_match)
        return Response(202, headers=(("x-ms-delete-type-permanent", "true"), *storage_headers(call.request.head)))

    def _place(self, call: Call) -> BlobPlace:
        return self._links.place(call.values)

    def _created(self, call: Call, blob: Blob, *more: tuple[str, str]) -> Response:
        return Response(201, headers=(*stored_headers(blob), *more, *storage_headers(call.request.head)))


def _incoming(call: Call) -> Incoming:
    body = call.request.incoming
    if body is None:
        raise NotSupported("this body was not taken as it came")
    md5 = decode_md5(call.request.head.headers.get("content-md5", ""))
    return Incoming(body, body.announced, md5)


async def _whole(body: IncomingBody | None) -> bytes:
    gathered = bytearray()
    if body is not None:
        async for piece in body:
            gathered += piece
            if len(gathered) > MAX_BLOCK_LIST:
                raise RequestTooLarge(f"a block list has at most {MAX_BLOCK_LIST} bytes")
    return bytes(gathered)


def _limit(text: str) -> int:
    wanted = int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else MAX_LISTED
    return min(max(wanted, 1), MAX_LISTED)


def _grouped(blobs: Sequence[Blob], prefix: str, delimiter: str) -> tuple[list[Blob], list[str]]:
    """Return blobs that stand for themselves, and the prefixes, up to the delimiter, that stand for all others."""
    if not delimiter:
        return list(blobs), []
    alone: list[Blob] = []
    prefixes: dict[str, None] = {}
    for blob in blobs:
        first, found, _ = blob.name[len(prefix) :].partition(delimiter)
        if found:
            prefixes[f"{prefix}{first}{delimiter}"] = None
        else:
            alone.append(blob)
    return alone, list(prefixes)
