"""Does import and export jobs, one at a time, and goes on with the one that the process before did not finish.

Protects against half a job that looks like a whole one: rows and how far the import got are one transaction, so a crash
loses none and repeats none; an export is written whole or not at all. And against a job that does more than its
creator may: before each step their right is asked for again, and a job that lost it ends.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from ironhub.access.model import WHOLE_HUB, Grant, Permission, PermissionDenied
from ironhub.access.service import authorise
from ironhub.core.clock import Clock
from ironhub.core.errors import HubError, InvalidArgument
from ironhub.core.ids import Identity
from ironhub.identity.gate import trust_the_hub
from ironhub.identity.model import AuthenticationFailed
from ironhub.provisioning.bulk.model import BulkResult, Row
from ironhub.provisioning.bulk.service import BulkService, Given
from ironhub.provisioning.transfer.lines import Line, lines_of
from ironhub.provisioning.transfer.model import (
    ERRORS_BLOB,
    Transfer,
    TransferKind,
    TransferRightLost,
    TransferStatus,
)
from ironhub.provisioning.transfer.ports import Containers, LineFormat, Recall, Spool, Spools, TransferStore

log: Final = logging.getLogger(__name__)

BATCH: Final = 250
"""Rows of one transaction: nobody else's write waits for longer than these take."""
PAGE: Final = 500
_DOER: Final = trust_the_hub("import and export")


class _Cancelled(Exception):
    """Somebody cancelled the job."""


class _Count(NamedTuple):
    """What an import did so far."""

    line: int = 0
    done: int = 0
    failed: int = 0
    errors_size: int = 0


class TransferRunner:
    """Runs beside the hub; `run` never returns."""

    def __init__(
        self,
        store: TransferStore,
        bulk: BulkService,
        containers: Containers,
        lines: LineFormat,
        spools: Spools,
        recall: Recall,
        clock: Clock,
        changed: asyncio.Event,
    ) -> None:
        self._store = store
        self._bulk = bulk
        self._containers = containers
        self._lines = lines
        self._spools = spools
        self._recall = recall
        self._clock = clock
        self._changed = changed

    async def run(self) -> None:
        """Do jobs until cancelled; a job that is under way then goes on at the next start."""
        while True:
            self._changed.clear()
            transfer = await self._store.active_transfer()
            if transfer is None:
                await self._changed.wait()
            else:
                await self._do(transfer)

    async def _do(self, transfer: Transfer) -> None:
        running = replace(
            transfer, status=TransferStatus.RUNNING, started_at=transfer.started_at or self._clock.now(), progress=0
        )
        try:
            if not await self._store.put_transfer(running):
                return
            work = self._import if transfer.request.kind is TransferKind.IMPORT else self._export
            note = await work(running)
            await self._end(running, TransferStatus.COMPLETED, note)
        except _Cancelled:
            log.info("transfer_cancelled", extra={"job_id": transfer.job_id})
        except HubError as error:
            log.info("transfer_failed", extra={"job_id": transfer.job_id, "code": error.code, "detail": error.detail})
            await self._end(running, TransferStatus.FAILED, f"{error} ({error.next_step})")
        except Exception:
            log.exception("transfer_broke", extra={"job_id": transfer.job_id})
            await self._end(running, TransferStatus.FAILED, "something broke in the hub; its log says what")
        if transfer.request.kind is TransferKind.IMPORT:
            self._spools.open(transfer.job_id).delete()
            await self._bulk.forget_import(_itself(Permission.REGISTRY_WRITE), _mark_name(transfer))

    async def _end(self, transfer: Transfer, status: TransferStatus, note: str) -> None:
        """The signatures are needed no more, and are kept no longer."""
        progress = 100 if status is TransferStatus.COMPLETED else transfer.progress
        request = transfer.request.without_signatures()
        ended = replace(
            transfer, status=status, ended_at=self._clock.now(), progress=progress, failure=note, request=request
        )
        await self._store.put_transfer(ended)

    async def _import(self, transfer: Transfer) -> str:
        request = transfer.request
        source, target = self._containers.open(request.input_uri), self._containers.open(request.output_uri)
        spool = self._spools.open(transfer.job_id)
        size = await source.size(request.input_blob)
        mark = await self._bulk.import_mark(await self._may(transfer, Permission.REGISTRY_WRITE), _mark_name(transfer))
        start, count = (0, _Count()) if mark is None else (mark.position, _Count(**mark.data))
        spool.cut(count.errors_size)
        async for batch in _batches(lines_of(source.read(request.input_blob, start=start), start, count.line)):
            count = await self._take(transfer, batch, count, spool)
            await self._moved(transfer, 100 * batch[-1].end // max(size, 1))
        if count.failed:
            await target.write(ERRORS_BLOB, spool.pieces())
            return f"{count.failed} of {count.done + count.failed} could not be done; see {ERRORS_BLOB}"
        return ""

    async def _take(self, transfer: Transfer, batch: Sequence[Line], count: _Count, spool: Spool) -> _Count:
        """Rows, how far the import got and how long its list of errors is are stored together."""
        rows = [self._row(line) for line in batch]
        now = count

        def notes(result: BulkResult) -> dict[str, Any]:
            nonlocal now
            told = [
                self._lines.encode_error(_row_or_none(rows[each.number]), batch[each.number].number, each.error) + b"\n"
                for each in result.errors
            ]
            size = spool.append(b"".join(told)) if told else count.errors_size
            now = _Count(batch[-1].number, count.done + result.done, count.failed + len(told), size)
            return now._asdict()

        grant = await self._may(transfer, Permission.REGISTRY_WRITE)
        position = batch[-1].end
        await self._bulk.continue_import(grant, rows, name=_mark_name(transfer), position=position, notes=notes)
        return now

    async def _export(self, transfer: Transfer) -> str:
        request = transfer.request
        target = self._containers.open(request.output_uri)
        await target.write(request.output_blob, self._devices(transfer))
        return ""

    async def _devices(self, transfer: Transfer) -> AsyncIterator[bytes]:
        after: Identity | None = None
        while page := await self._bulk.page(await self._may_read(transfer), after=after, limit=PAGE):
            with_keys = transfer.request.with_keys
            yield b"".join(self._lines.encode(each, with_keys=with_keys) + b"\n" for each in page)
            after = page[-1].owner.identity
            await self._moved(transfer, transfer.progress)

    async def _may_read(self, transfer: Transfer) -> Grant:
        """An export holds keys: who reads it must also be one who may read the registry."""
        await self._may(transfer, Permission.REGISTRY_READ)
        return await self._may(transfer, Permission.TRANSFER_READ)

    async def _may(self, transfer: Transfer, permission: Permission) -> Grant:
        """Return the proof that the job's creator may do it at this moment. Raises TransferRightLost."""
        try:
            return authorise(await self._recall(transfer.creator), permission, WHOLE_HUB)
        except (AuthenticationFailed, PermissionDenied) as error:
            lost = "the credential that the job was created with is not good any more"
            raise TransferRightLost(lost, detail=error.detail or str(error)) from error

    def _row(self, line: Line) -> Given:
        if line.content is None:
            return InvalidArgument("the line is too long")
        try:
            return self._lines.decode(line.content)
        except HubError as error:
            return error

    async def _moved(self, transfer: Transfer, progress: int) -> None:
        if not await self._store.put_transfer(replace(transfer, progress=min(progress, 99))):
            raise _Cancelled


def _itself(permission: Permission) -> Grant:
    """For tidying up, which the hub does in its own name, also behind those who lost their right."""
    return authorise(_DOER, permission, WHOLE_HUB)


def _mark_name(transfer: Transfer) -> str:
    return f"job-{transfer.job_id}"


def _row_or_none(given: Given) -> Row | None:
    return given if isinstance(given, Row) else None


async def _batches(lines: AsyncIterator[Line]) -> AsyncIterator[list[Line]]:
    batch: list[Line] = []
    async for line in lines:
        batch.append(line)
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
