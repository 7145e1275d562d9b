"""Jobs in SQLite. A job's counts change in the transaction that changes its targets: nobody ever has to count."""

from collections.abc import Iterable, Sequence
from typing import Final

from ironhub.core.ids import DeviceId
from ironhub.core.pages import Page
from ironhub.core.receipts import Receipt, ReceiptRefused
from ironhub.messaging.jobs.model import (
    Job,
    JobExists,
    JobKind,
    JobNotFound,
    JobOver,
    JobStatus,
    Result,
    Target,
    TargetStatus,
    TooManyActiveJobs,
    TooManyScheduledJobs,
)
from ironhub.storage.sqlite import job_statements as statements
from ironhub.storage.sqlite.database import Database
from ironhub.storage.sqlite.job_rows import job_of, job_values, target_of
from ironhub.storage.sqlite.statements import Values
from ironhub.storage.sqlite.transaction import Transaction

NEWEST: Final = 2**62
"""Above every job's number."""
MANY: Final = 100_000
"""Above how many jobs may be scheduled, or run."""
_PENDING, _RUNNING = TargetStatus.PENDING.value, TargetStatus.RUNNING.value


def take_receipt(tx: Transaction, receipt: Receipt) -> None:
    """Count a target as done, in the transaction of what was to be done. Raises ReceiptRefused."""
    taken = tx.change(
        statements.RECEIVE,
        {
            **_of_target(receipt.job_number, receipt.device_id, _RUNNING),
            "of_job_status": JobStatus.RUNNING.value,
            "status": TargetStatus.SUCCEEDED.value,
            "ended_at": receipt.at,
            "updated_at": receipt.at,
        },
    )
    if not taken:
        raise ReceiptRefused(f"{receipt.device_id} has had its turn, or the job is over")
    _count(tx, receipt.job_number, running=-1, succeeded=1)


class SqliteJobStore:
    """A JobStore over the tables jobs and job_devices."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_job(self, job: Job, *, max_active: int, max_scheduled: int) -> Job:
        """Store it with a number. Raises JobExists, TooManyActiveJobs, TooManyScheduledJobs."""
        values = job_values(job)

        def work(tx: Transaction) -> Job:
            if tx.one(statements.GET, {"job_id": job.job_id}) is not None:
                raise JobExists(f"there is a job {job.job_id} already")
            _check_room(tx, job.status, max_active, max_scheduled)
            return _job(tx, tx.all(statements.ADD, values)[0][0])

        return await self._database.write(work)

    async def get_job(self, job_id: str) -> Job | None:
        """Return the job, or None."""
        row = await self._database.read(lambda tx: tx.one(statements.GET, {"job_id": job_id}))
        return None if row is None else job_of(row)

    async def list_jobs(
        self, *, kind: JobKind | None, status: JobStatus | None, before: int | None, limit: int
    ) -> Sequence[Job]:
        """Return the newest first, those with numbers below `before`."""
        asked: Values = {"before": NEWEST if before is None else before, "limit": limit}
        if status is None:
            statement = statements.LIST_ALL if kind is None else statements.LIST_KIND
            rows = await self._database.browse(lambda tx: tx.all(statement, asked | {"of_kind": kind}))
            return [job_of(row) for row in rows]
        asked["of_status"] = status.value
        return await self._database.browse(lambda tx: _of_status(tx, asked, (kind,) if kind else tuple(JobKind)))

    async def running_jobs(self) -> Sequence[Job]:
        """Return the jobs that are RUNNING, oldest first."""
        asked: Values = {"before": NEWEST, "limit": MANY, "of_status": JobStatus.RUNNING.value}
        return (await self._database.browse(lambda tx: _of_status(tx, asked, tuple(JobKind))))[::-1]

    async def start_jobs(self, *, now: float, limit: int) -> Sequence[Job]:
        """Make jobs whose time has come RUNNING and return them; others that are due, QUEUED."""

        def work(tx: Transaction) -> list[Job]:
            started = []
            for row in tx.all(statements.DUE, {"now": now, "limit": limit}):
                number = row[0]
                running = {"number": number, "status": JobStatus.RUNNING.value, "started_at": now}
                tx.change(statements.START, running)
                started.append(_job(tx, number))
            for row in tx.all(statements.DUE, {"now": now, "limit": MANY}):
                if (job := job_of(row)).status is not JobStatus.QUEUED:
                    tx.change(statements.QUEUE, {"number": job.number, "status": JobStatus.QUEUED.value})
            return started

        return await self._database.write(work)

    async def next_start(self) -> float | None:
        """Return when the next job that has not started is to begin; None: there is none."""
        row = await self._database.read(lambda tx: tx.one(statements.NEXT_START, {}))
        return None if row is None else row[0]

    async def add_targets(
        self, number: int, devices: Sequence[DeviceId], *, at: float, walked_to: str | None, collected: bool
    ) -> None:
        """Write down targets as PENDING, and where the search for more goes on."""
        new = {
            "job_number": number,
            "status": _PENDING,
            "created_at": at,
            "updated_at": at,
            "error_code": "",
            "error": "",
        }
        walk = {"number": number, "walked_to": walked_to, "collected": int(collected)}

        def work(tx: Transaction) -> None:
            if not _runs(tx, number):
                return
            added = tx.change_each(statements.ADD_TARGET, [{**new, "device_id": device} for device in devices])
            tx.change(statements.WALK, walk)
            _count(tx, number, total=max(added, 0), pending=max(added, 0))

        await self._database.write(work)

    async def begin_targets(self, number: int, *, at: float, limit: int) -> Sequence[DeviceId]:
        """Make the first PENDING targets RUNNING and return them."""

        def work(tx: Transaction) -> list[DeviceId]:
            if not _runs(tx, number):
                return []
            rows = tx.all(statements.NEXT_TARGETS, {"number": number, "of_status": _PENDING, "limit": limit})
            devices = [DeviceId(row[0]) for row in rows]
            begun = {"number": number, "status": _RUNNING, "started_at": at, "updated_at": at}
            tx.change_each(statements.BEGIN_TARGET, [{**begun, "of_device": device} for device in devices])
            _count(tx, number, pending=-len(devices), running=len(devices))
            return devices

        return await self._database.write(work)

    async def finish_targets(self, number: int, results: Sequence[Result], *, at: float) -> None:
        """Store how it ended for targets that are RUNNING."""
        await self._database.write(lambda tx: _finish(tx, number, results, _RUNNING, at))

    async def recover_targets(self, number: int, *, at: float, error: tuple[str, str] | None) -> None:
        """Make targets that are RUNNING FAILED with `error`, or PENDING when that is None."""
        status = TargetStatus.PENDING if error is None else TargetStatus.FAILED
        code, text = error or ("", "")
        values = {
            "number": number,
            "of_status": _RUNNING,
            "status": status.value,
            "ended_at": None if error is None else at,
            "updated_at": at,
            "error_code": code,
            "error": text,
        }

        def work(tx: Transaction) -> None:
            recovered = tx.change(statements.RECOVER, values)
            _count(tx, number, **{"running": -recovered, status.value: recovered})

        await self._database.write(work)

    async def end_job(self, job_id: str, status: JobStatus, *, at: float, error: tuple[str, str] = ("", "")) -> Job:
        """End a job that has not ended. Raises JobNotFound, JobOver."""
        code, reason = error
        values = {"of_job_id": job_id, "status": status.value, "ended_at": at, "settle_at": at}

        def work(tx: Transaction) -> Job:
            ended = tx.change(statements.END, {**values, "error_code": code, "reason": reason})
            row = tx.one(statements.GET, {"job_id": job_id})
            if row is None:
                raise JobNotFound(f"there is no job {job_id}")
            if not ended:
                raise JobOver(f"job {job_id} has ended already")
            return job_of(row)

        return await self._database.write(work)

    async def settle_targets(self, *, at: float, limit: int) -> bool:
        """Give targets of jobs that have ended their job's end."""

        def work(tx: Transaction) -> bool:
            row = tx.one(statements.UNSETTLED, {"limit": 1})
            if row is None:
                return False
            job = job_of(row)
            left = limit
            for status in (_RUNNING, _PENDING):
                rows = tx.all(statements.NEXT_TARGETS, {"number": job.number, "of_status": status, "limit": left})
                _finish(tx, job.number, [_ending(job, DeviceId(row[0])) for row in rows], status, at)
                left -= len(rows)
            if left:
                tx.change(statements.SETTLED, {"number": job.number})
            return True

        return await self._database.write(work)

    async def list_targets(
        self, number: int, *, status: TargetStatus | None, after: str | None, limit: int
    ) -> Page[Target]:
        """Return targets ordered by device."""
        statement = statements.TARGETS if status is None else statements.TARGETS_OF_STATUS
        asked = {"number": number, "of_status": status, "after": after or "", "limit": limit + 1}
        rows = await self._database.browse(lambda tx: tx.all(statement, asked))
        targets = tuple(target_of(row) for row in rows[:limit])
        return Page(targets, targets[-1].device_id if len(rows) > limit else None)

    async def forget_jobs(self, *, ended_before: float, limit: int) -> bool:
        """Delete targets of the job that ended first, and with the last of them the job."""

        def work(tx: Transaction) -> bool:
            row = tx.one(statements.ENDED, {"before": ended_before, "limit": 1})
            if row is None:
                return False
            number = row[0]
            if tx.change(statements.FORGET_TARGETS, {"number": number, "limit": limit}) < limit:
                tx.change(statements.FORGET, {"number": number})
            return True

        return await self._database.write(work)


def _check_room(tx: Transaction, status: JobStatus, max_active: int, max_scheduled: int) -> None:
    if status is JobStatus.SCHEDULED:
        if _how_many(tx, JobStatus.SCHEDULED) >= max_scheduled:
            raise TooManyScheduledJobs(f"{max_scheduled} jobs are scheduled already")
    elif _how_many(tx, JobStatus.QUEUED, JobStatus.RUNNING) >= max_active:
        raise TooManyActiveJobs(f"{max_active} jobs are active already")


def _how_many(tx: Transaction, *statuses: JobStatus) -> int:
    """They are few: only so many may be scheduled or active."""
    return sum(int(tx.all(statements.COUNT, {"of_status": status.value})[0][0]) for status in statuses)


def _job(tx: Transaction, number: int) -> Job:
    return job_of(tx.all(statements.GET_NUMBER, {"number": number})[0])


def _of_status(tx: Transaction, asked: Values, kinds: Iterable[JobKind]) -> list[Job]:
    """Newest first; an index holds them by kind within each status."""
    rows = [row for kind in kinds for row in tx.all(statements.LIST_STATUS_KIND, asked | {"of_kind": kind.value})]
    return sorted(map(job_of, rows), key=lambda job: job.number, reverse=True)[: asked["limit"]]


def _runs(tx: Transaction, number: int) -> bool:
    return tx.one(statements.RUNS, {"number": number, "of_status": JobStatus.RUNNING.value}) is not None


def _of_target(number: int, device: DeviceId, status: str) -> Values:
    return {"number": number, "of_device": device, "of_status": status}


def _finish(tx: Transaction, number: int, results: Sequence[Result], status: str, at: float) -> None:
    """Whoever had another status than `status` keeps it."""
    counts: dict[str, int] = {status: 0}
    for result in results:
        values = {
            **_of_target(number, result.device_id, status),
            "status": result.status.value,
            "ended_at": at,
            "updated_at": at,
            "answer_status": None if result.answer is None else result.answer.status,
            "answer_payload": None if result.answer is None else result.answer.payload,
            "error_code": result.error_code,
            "error": result.error,
        }
        if tx.change(statements.FINISH_TARGET, values):
            counts[status] -= 1
            counts[result.status.value] = counts.get(result.status.value, 0) + 1
    if counts[status]:
        _count(tx, number, **counts)


def _ending(job: Job, device: DeviceId) -> Result:
    if job.status is JobStatus.CANCELLED:
        return Result(device, TargetStatus.CANCELLED)
    return Result(device, TargetStatus.FAILED, None, job.error_code, job.reason)


def _count(tx: Transaction, number: int, **more: int) -> None:
    tx.change(
        statements.COUNT_ON, {"number": number} | {f"more_{name}": more.get(name, 0) for name in statements.COUNTS}
    )
