"""Jobs in memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from ironhub.core.ids import DeviceId
from ironhub.core.pages import Page
from ironhub.core.receipts import Receipt, ReceiptRefused
from ironhub.messaging.jobs.model import (
    OVER,
    UNSTARTED,
    Job,
    JobCounts,
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


@dataclass(slots=True)
class Entry:
    """A job, its targets by device, and whether some of them may still lack their end."""

    job: Job
    targets: dict[DeviceId, Target] = field(default_factory=dict)
    unsettled: bool = False

    def of_status(self, status: TargetStatus | None, after: str = "") -> list[Target]:
        """Its targets by device, of one status or all, behind `after`."""
        targets = sorted(self.targets.values(), key=lambda target: target.device_id)
        return [each for each in targets if each.device_id > after and status in (None, each.status)]

    def shown(self) -> Job:
        """The job with its counts."""
        of_each = {status.value: len(self.of_status(status)) for status in TargetStatus}
        return replace(self.job, counts=JobCounts(total=len(self.targets), **of_each))

    @property
    def runs(self) -> bool:
        """Whether the job is RUNNING."""
        return self.job.status is JobStatus.RUNNING


@dataclass(slots=True)
class Jobs:
    """All jobs, by number, ascending."""

    entries: dict[int, Entry] = field(default_factory=dict)
    last_number: int = 0

    def take(self, receipt: Receipt) -> None:
        """Count a target as done, together with what was to be done. Raises ReceiptRefused."""
        entry = self.entries.get(receipt.job_number)
        target = None if entry is None else entry.targets.get(receipt.device_id)
        if entry is None or not entry.runs or target is None or target.status is not TargetStatus.RUNNING:
            raise ReceiptRefused(f"{receipt.device_id} has had its turn, or the job is over")
        entry.targets[receipt.device_id] = replace(target, status=TargetStatus.SUCCEEDED, ended_at=receipt.at)


class MemoryJobStore:
    """A JobStore in dictionaries."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    async def add_job(self, job: Job, *, max_active: int, max_scheduled: int) -> Job:
        """Store it with a number. Raises JobExists, TooManyActiveJobs, TooManyScheduledJobs."""
        if self._find(job.job_id) is not None:
            raise JobExists(f"there is a job {job.job_id} already")
        if job.status is JobStatus.SCHEDULED:
            if len(self._of_status(JobStatus.SCHEDULED)) >= max_scheduled:
                raise TooManyScheduledJobs(f"{max_scheduled} jobs are scheduled already")
        elif len(self._of_status(JobStatus.QUEUED, JobStatus.RUNNING)) >= max_active:
            raise TooManyActiveJobs(f"{max_active} jobs are active already")
        self._jobs.last_number += 1
        entry = Entry(replace(job, number=self._jobs.last_number))
        self._jobs.entries[self._jobs.last_number] = entry
        return entry.shown()

    async def get_job(self, job_id: str) -> Job | None:
        """Return the job, or None."""
        entry = self._find(job_id)
        return None if entry is None else entry.shown()

    async def list_jobs(
        self, *, kind: JobKind | None, status: JobStatus | None, before: int | None, limit: int
    ) -> Sequence[Job]:
        """Return the newest first, those with numbers below `before`."""
        wanted = [
            entry.shown()
            for number, entry in reversed(self._jobs.entries.items())
            if (before is None or number < before)
            and kind in (None, entry.job.kind)
            and status in (None, entry.job.status)
        ]
        return wanted[:limit]

    async def running_jobs(self) -> Sequence[Job]:
        """Return the jobs that are RUNNING, oldest first."""
        return [entry.shown() for entry in self._of_status(JobStatus.RUNNING)]

    async def start_jobs(self, *, now: float, limit: int) -> Sequence[Job]:
        """Make jobs whose time has come RUNNING and return them; others that are due, QUEUED."""
        due = [entry for entry in self._of_status(*UNSTARTED) if entry.job.starts_at <= now]
        due.sort(key=lambda entry: (entry.job.starts_at, entry.job.number))
        for entry in due[limit:]:
            entry.job = replace(entry.job, status=JobStatus.QUEUED)
        for entry in due[:limit]:
            entry.job = replace(entry.job, status=JobStatus.RUNNING, started_at=now)
        return [entry.shown() for entry in due[:limit]]

    async def next_start(self) -> float | None:
        """Return when the next job that has not started is to begin; None: there is none."""
        return min((entry.job.starts_at for entry in self._of_status(*UNSTARTED)), default=None)

    async def add_targets(
        self, number: int, devices: Sequence[DeviceId], *, at: float, walked_to: str | None, collected: bool
    ) -> None:
        """Write down targets as PENDING, and where the search for more goes on."""
        entry = self._jobs.entries.get(number)
        if entry is None or not entry.runs:
            return
        for device in devices:
            new = Target(device_id=device, status=TargetStatus.PENDING, created_at=at)
            entry.targets.setdefault(device, new)
        entry.job = replace(entry.job, walked_to=walked_to, collected=collected)

    async def begin_targets(self, number: int, *, at: float, limit: int) -> Sequence[DeviceId]:
        """Make the first PENDING targets RUNNING and return them."""
        entry = self._jobs.entries.get(number)
        if entry is None or not entry.runs:
            return []
        begun = entry.of_status(TargetStatus.PENDING)[:limit]
        for target in begun:
            entry.targets[target.device_id] = replace(target, status=TargetStatus.RUNNING, started_at=at)
        return [target.device_id for target in begun]

    async def finish_targets(self, number: int, results: Sequence[Result], *, at: float) -> None:
        """Store how it ended for targets that are RUNNING."""
        self._finish(number, results, at, {TargetStatus.RUNNING})

    async def recover_targets(self, number: int, *, at: float, error: tuple[str, str] | None) -> None:
        """Make targets that are RUNNING FAILED with `error`, or PENDING when that is None."""
        entry = self._jobs.entries.get(number)
        for target in entry.of_status(TargetStatus.RUNNING) if entry else ():
            status, code, text = TargetStatus.PENDING, "", ""
            if error is not None:
                status, (code, text) = TargetStatus.FAILED, error
            ended_at = None if error is None else at
            recovered = replace(target, status=status, ended_at=ended_at, error_code=code, error=text)
            self._jobs.entries[number].targets[target.device_id] = recovered

    async def end_job(self, job_id: str, status: JobStatus, *, at: float, error: tuple[str, str] = ("", "")) -> Job:
        """End a job that has not ended. Raises JobNotFound, JobOver."""
        entry = self._find(job_id)
        if entry is None:
            raise JobNotFound(f"there is no job {job_id}")
        if entry.job.status in OVER:
            raise JobOver(f"job {job_id} has ended already")
        code, reason = error
        entry.job = replace(entry.job, status=status, ended_at=at, error_code=code, reason=reason)
        entry.unsettled = True
        return entry.shown()

    async def settle_targets(self, *, at: float, limit: int) -> bool:
        """Give targets of jobs that have ended their job's end."""
        entry = next((entry for entry in self._jobs.entries.values() if entry.unsettled), None)
        if entry is None:
            return False
        left = [*entry.of_status(TargetStatus.RUNNING), *entry.of_status(TargetStatus.PENDING)]
        results = [_ending(entry.job, target.device_id) for target in left[:limit]]
        self._finish(entry.job.number, results, at, {TargetStatus.RUNNING, TargetStatus.PENDING})
        entry.unsettled = len(left) >= limit
        return True

    async def list_targets(
        self, number: int, *, status: TargetStatus | None, after: str | None, limit: int
    ) -> Page[Target]:
        """Return targets ordered by device."""
        entry = self._jobs.entries.get(number)
        targets = entry.of_status(status, after or "") if entry else []
        return Page(tuple(targets[:limit]), targets[limit - 1].device_id if len(targets) > limit else None)

    async def forget_jobs(self, *, ended_before: float, limit: int) -> bool:
        """Delete targets of the job that ended first, and with the last of them the job."""
        ended = [(entry.job.ended_at, entry.job.number) for entry in self._jobs.entries.values() if entry.job.ended_at]
        at, number = min(ended, default=(ended_before, 0))
        if at >= ended_before:
            return False
        entry = self._jobs.entries[number]
        doomed = entry.of_status(None)[:limit]
        for target in doomed:
            del entry.targets[target.device_id]
        if len(doomed) < limit:
            del self._jobs.entries[number]
        return True

    def _find(self, job_id: str) -> Entry | None:
        return next((entry for entry in self._jobs.entries.values() if entry.job.job_id == job_id), None)

    def _of_status(self, *statuses: JobStatus) -> list[Entry]:
        return [entry for entry in self._jobs.entries.values() if entry.job.status in statuses]

    def _finish(self, number: int, results: Iterable[Result], at: float, were: set[TargetStatus]) -> None:
        entry = self._jobs.entries.get(number)
        for result in results:
            target = None if entry is None else entry.targets.get(result.device_id)
            if entry is None or target is None or target.status not in were:
                continue
            entry.targets[result.device_id] = replace(
                target,
                status=result.status,
                ended_at=at,
                answer=result.answer,
                error_code=result.error_code,
                error=result.error,
            )


def _ending(job: Job, device: DeviceId) -> Result:
    if job.status is JobStatus.CANCELLED:
        return Result(device, TargetStatus.CANCELLED)
    return Result(device, TargetStatus.FAILED, None, job.error_code, job.reason)
