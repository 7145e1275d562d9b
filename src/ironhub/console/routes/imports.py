"""Devices by the thousand: lines of files in, lines of files out."""

from collections.abc import AsyncIterator
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from ironhub.access.model import Grant, Permission
from ironhub.console.auth import Authenticated
from ironhub.console.routes import router
from ironhub.console.shapes.rows import ImportGiven, ImportStateGiven, given_line, taken_line
from ironhub.core.errors import HubError
from ironhub.core.ids import Identity
from ironhub.dialects.azure.bulk_json import decode_line, encode_line
from ironhub.provisioning.bulk.model import BulkResult, Registered, RowMode, TooManyRows
from ironhub.provisioning.bulk.service import BulkService, Given


class ImportNotFound(HubError):
    """No import of this name has begun, or it is over."""

    code: ClassVar[str] = "import.not_found"
    status: ClassVar[int] = 404
    next_step: ClassVar[str] = "Begin it with its first lines."


routes: Final[APIRouter] = router("", "imports", ImportNotFound, TooManyRows)

Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,64}$")]
_PAGE: Final = 500


class LineFormat(StrEnum):
    """What a line is."""

    JSONL = "jsonl"
    """An object in the words of this API."""
    AZURE = "azure"
    """An object of an export of Azure IoT Hub."""


@routes.post("/imports/{name}/lines")
async def import_lines(
    caller: Authenticated,
    request: Request,
    name: Name,
    position: Annotated[int, Query(ge=0, le=2**52)],
    format: LineFormat = LineFormat.JSONL,  # noqa: A002  # what it is called in the address
    mode: RowMode | None = None,
    dry_run: bool = False,
) -> ImportGiven:
    """Take the next lines of an import (at most 1,000, and 1 MiB), all in one transaction with how far it got.

    A line that cannot be done is told, and stops none of the others. `position` is how many lines of the file have been
    taken after these; with `dry_run` nothing is changed. `mode` wins over what a line itself says.
    """
    grant = caller.may(Permission.REGISTRY_WRITE)
    rows = [_row(line, format, mode) for line in (await request.body()).split(b"\n") if line.strip()]
    bulk = caller.services.bulk
    if dry_run:
        return ImportGiven.of(await bulk.apply(grant, rows, dry_run=True))
    return ImportGiven.of(await bulk.continue_import(grant, rows, name=name, position=position, notes=_notes))


@routes.get("/imports/{name}")
async def read_import(caller: Authenticated, name: Name) -> ImportStateGiven:
    """Return how far an import got, for whoever did not hear the answer."""
    mark = await caller.services.bulk.import_mark(caller.may(Permission.REGISTRY_WRITE), name)
    if mark is None:
        raise ImportNotFound("no such import has begun")
    return ImportStateGiven(position=mark.position, newest=ImportGiven.model_validate(mark.data))


@routes.delete("/imports/{name}", status_code=204)
async def forget_import(caller: Authenticated, name: Name) -> Response:
    """Forget how far an import got: it is over."""
    await caller.services.bulk.forget_import(caller.may(Permission.REGISTRY_WRITE), name)
    return Response(status_code=204)


@routes.get("/export", response_class=StreamingResponse)
async def export_lines(
    caller: Authenticated,
    format: LineFormat = LineFormat.JSONL,  # noqa: A002  # what it is called in the address
    keys: bool = False,
    twins: bool = False,
) -> StreamingResponse:
    """Return all devices and modules, a line each, ordered by id. With `keys`, whoever reads it can act as all."""
    grant = caller.may(Permission.TRANSFER_READ)
    lines = _lines(caller.services.bulk, grant, format, with_keys=keys, with_twins=twins)
    return StreamingResponse(lines, media_type="application/x-ndjson")


async def _lines(
    bulk: BulkService, grant: Grant, form: LineFormat, *, with_keys: bool, with_twins: bool
) -> AsyncIterator[bytes]:
    after: Identity | None = None
    while page := await bulk.page(grant, after=after, limit=_PAGE):
        yield b"".join(_line(each, form, with_keys, with_twins) + b"\n" for each in page)
        after = page[-1].owner.identity


def _line(each: Registered, form: LineFormat, with_keys: bool, with_twins: bool) -> bytes:
    if form is LineFormat.AZURE:
        return encode_line(each.owner, each.twin if with_twins else None, with_keys=with_keys)
    return given_line(each, with_keys=with_keys, with_twin=with_twins)


def _row(line: bytes, form: LineFormat, mode: RowMode | None) -> Given:
    """A line that is none has its place among the others."""
    try:
        if form is LineFormat.JSONL:
            return taken_line(line, mode)
        row = decode_line(line)
        return row if mode is None else replace(row, mode=mode)
    except HubError as error:
        return error


def _notes(result: BulkResult) -> dict[str, Any]:
    return ImportGiven.of(result).model_dump(mode="json")
