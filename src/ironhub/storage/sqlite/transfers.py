"""Import and export jobs in SQLite; what they may reach is sealed."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from sqlalchemy import bindparam, delete, insert, select, update

from ironhub.core.sealing import Sealer
from ironhub.core.strict_json import encode_json
from ironhub.identity.model import Remembered
from ironhub.provisioning.transfer.model import Transfer, TransferBusy, TransferKind, TransferRequest, TransferStatus
from ironhub.storage.sqlite.database import Database
from ironhub.storage.sqlite.rows import json_object, reading
from ironhub.storage.sqlite.statements import Values, limited, names, sql
from ironhub.storage.sqlite.tables import TRANSFERS, Row
from ironhub.storage.sqlite.transaction import Transaction

_C: Final = TRANSFERS.c
_ALL: Final = select(*TRANSFERS.columns)
_STATE: Final = names(TRANSFERS, "number", "job_id", "kind", "created_at")

ADD: Final = sql(insert(TRANSFERS), *names(TRANSFERS, "number"))
GET: Final = sql(_ALL.where(_C.job_id == bindparam("wanted")))
LIST: Final = sql(limited(_ALL.order_by(_C.number.desc())))
ACTIVE: Final = sql(limited(_ALL.where(_C.ended_at.is_(None)).order_by(_C.number)))
PUT: Final = sql(update(TRANSFERS).where(_C.job_id == bindparam("wanted"), _C.ended_at.is_(None)), *_STATE)
DROP: Final = sql(delete(TRANSFERS).where(_C.ended_at < bindparam("before")))


class SqliteTransferStore:
    """A TransferStore over the transfers table."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def add_transfer(self, transfer: Transfer) -> None:
        """Store a new job. Raises TransferBusy."""
        values = self._values(transfer)

        def work(tx: Transaction) -> None:
            if tx.one(ACTIVE, {"limit": 1}) is not None:
                raise TransferBusy("another import or export has not ended")
            tx.change(ADD, values)

        await self._database.write(work)

    async def get_transfer(self, job_id: str) -> Transfer | None:
        """Return the job, or None."""
        row = await self._database.read(lambda tx: tx.one(GET, {"wanted": job_id}))
        return None if row is None else self._transfer(row)

    async def list_transfers(self, *, limit: int) -> Sequence[Transfer]:
        """Return the newest jobs, newest first."""
        rows = await self._database.browse(lambda tx: tx.all(LIST, {"limit": limit}))
        return [self._transfer(row) for row in rows]

    async def active_transfer(self) -> Transfer | None:
        """Return the job that has not ended, or None."""
        row = await self._database.read(lambda tx: tx.one(ACTIVE, {"limit": 1}))
        return None if row is None else self._transfer(row)

    async def put_transfer(self, transfer: Transfer) -> bool:
        """Store the job unless it is over already; returns whether it was stored."""
        values = self._values(transfer) | {"wanted": transfer.job_id}
        return await self._database.write(lambda tx: tx.change(PUT, values) > 0)

    async def drop_transfers(self, before: float) -> None:
        """Forget jobs that ended before this instant."""
        await self._database.write(lambda tx: tx.change(DROP, {"before": before}))

    def _values(self, transfer: Transfer) -> Values:
        sealed = encode_json({"creator": asdict(transfer.creator), **asdict(transfer.request)})
        return {
            "job_id": transfer.job_id,
            "kind": transfer.request.kind.value,
            "status": transfer.status.value,
            "created_at": transfer.created_at,
            "started_at": transfer.started_at,
            "ended_at": transfer.ended_at,
            "progress": transfer.progress,
            "failure": transfer.failure,
            "sealed_request": self._sealer.seal(sealed, _context(transfer.job_id)),
        }

    def _transfer(self, row: Row) -> Transfer:
        _, job_id, kind, status, created_at, started_at, ended_at, progress, failure, sealed = row
        with reading(f"job {job_id}"):
            request = json_object(self._sealer.open(sealed, _context(job_id)).decode())
            return Transfer(
                job_id=job_id,
                creator=Remembered(**request.pop("creator")),
                request=TransferRequest(**{**request, "kind": TransferKind(kind)}),
                status=TransferStatus(status),
                created_at=created_at,
                started_at=started_at,
                ended_at=ended_at,
                progress=progress,
                failure=failure,
            )


def _context(job_id: str) -> bytes:
    return f"transfers/{job_id}".encode()
