"""A job as a value: what is done, to whom, when, and how far it is.

Source: Azure IoT Hub, "Schedule jobs on multiple devices" (kinds, statuses, limits).
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final, NamedTuple

from ironhub.core.errors import HubError
from ironhub.core.ids import DeviceId
from ironhub.identity.model import Remembered
from ironhub.messaging.methods.model import MethodAnswer, MethodCall
from ironhub.twins.model import Properties

MAX_EXECUTION_TIME: Final = 30 * 86_400.0
DEFAULT_EXECUTION_TIME: Final = 3600.0
MAX_CONDITION: Final = 8192
"""Characters."""
_JOB_ID: Final = re.compile(r"[A-Za-z0-9\-.+%_#*?!(),:;=@$']{1,128}\Z")
_TAKEN: Final = frozenset({"query", ".", ".."})
"""The list of jobs stands at the first of these places among the jobs; the others are steps in an address."""


class JobKind(StrEnum):
    """What a job does. The values are stored."""

    TWIN_UPDATE = "twin_update"
    METHOD = "method"


class JobStatus(StrEnum):
    """How far a job is. The values are stored."""

    SCHEDULED = "scheduled"
    """It begins later."""
    QUEUED = "queued"
    """It begins as soon as there is room."""
    RUNNING = "running"
    COMPLETED = "completed"
    """Every device had its turn, whatever came of it."""
    FAILED = "failed"
    """Its time was over, or its creator's right, before every device had its turn."""
    CANCELLED = "cancelled"


UNSTARTED: Final = frozenset({JobStatus.SCHEDULED, JobStatus.QUEUED})
OVER: Final = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED})


class TargetStatus(StrEnum):
    """How far a job is with one device. The values are stored."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TwinChange(NamedTuple):
    """What is merged into a twin; None: not given. `if_match`: the etag each twin must have, "*" or None for any."""

    tags: Properties | None = None
    desired: Properties | None = None
    if_match: str | None = None


JobWork = TwinChange | MethodCall


class JobCounts(NamedTuple):
    """How many devices are how far."""

    total: int = 0
    pending: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0


NOTHING_YET: Final = JobCounts()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDraft:
    """What a creator gives. Instants in seconds since the epoch, durations in seconds."""

    job_id: str
    work: JobWork
    condition: str
    """Which devices, in the query language; "*": all."""
    starts_at: float | None = None
    """None, or an instant that is past: now."""
    max_execution_time: float = DEFAULT_EXECUTION_TIME


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as stored."""

    job_id: str
    work: JobWork
    condition: str
    creator: Remembered
    created_at: float
    starts_at: float
    max_execution_time: float
    status: JobStatus
    number: int = 0
    """Ascends with each job; the store gives it."""
    started_at: float | None = None
    ended_at: float | None = None
    error_code: str = ""
    reason: str = ""
    """Why it failed, for whoever reads it."""
    counts: JobCounts = NOTHING_YET
    walked_to: str | None = None
    """Behind which device the search for its targets goes on; None: it has not begun."""
    collected: bool = False
    """Whether all of its targets are written down."""

    @property
    def kind(self) -> JobKind:
        """What it does."""
        return JobKind.METHOD if isinstance(self.work, MethodCall) else JobKind.TWIN_UPDATE

    @property
    def deadline(self) -> float:
        """When its time is over, once it has started."""
        return (self.starts_at if self.started_at is None else self.started_at) + self.max_execution_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One device of a job, and what became of it."""

    device_id: DeviceId
    status: TargetStatus
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    answer: MethodAnswer | None = None
    """What the device said, of a method that it answered."""
    error_code: str = ""
    error: str = ""


class Result(NamedTuple):
    """How it ended for one device."""

    device_id: DeviceId
    status: TargetStatus
    answer: MethodAnswer | None = None
    error_code: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings:
    """The bounds of all jobs together, and of each."""

    max_active: int = 10
    """Jobs that run at the same time."""
    max_scheduled: int = 1000
    """Jobs that wait for their time."""
    concurrency: int = 64
    """Devices that one job works on at the same time."""
    max_answer: int = 16_384
    """Bytes of a device's answer that are kept; of a longer one only its status is."""
    history: float = 30 * 86_400.0
    """Seconds that a job is kept after its end."""
    reconnect_grace: float = 30.0
    """Seconds after the hub has started in which method calls wait for devices that are still on their way back."""


class JobIdInvalid(HubError):
    """A job's id has a length or a character that none may have."""

    code: ClassVar[str] = "job.id_invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = (
        "Use 1 to 128 ASCII letters, digits and - . + % _ # * ? ! ( ) , : ; = @ $ ', not `query` nor dots alone."
    )


class JobExists(HubError):
    """There is a job of this id, perhaps one that is over."""

    code: ClassVar[str] = "job.exists"
    status: ClassVar[int] = 409
    next_step: ClassVar[str] = "Give the job another id; ids of jobs that are over are kept for a while."


class JobNotFound(HubError):
    """There is no such job, or it ended so long ago that it was forgotten."""

    code: ClassVar[str] = "job.not_found"
    status: ClassVar[int] = 404
    next_step: ClassVar[str] = "Check the id: ids are case-sensitive, and jobs are forgotten some time after their end."


class JobOver(HubError):
    """The job has ended; it cannot be cancelled any more."""

    code: ClassVar[str] = "job.over"
    status: ClassVar[int] = 412
    next_step: ClassVar[str] = "Read the job to see how it ended."


class TooManyActiveJobs(HubError):
    """As many jobs as may run at the same time are running."""

    code: ClassVar[str] = "job.too_many_active"
    status: ClassVar[int] = 429
    next_step: ClassVar[str] = "Wait for a job to end, cancel one, or schedule this one for later."


class TooManyScheduledJobs(HubError):
    """As many jobs as are kept for later are scheduled."""

    code: ClassVar[str] = "job.too_many_scheduled"
    status: ClassVar[int] = 403
    next_step: ClassVar[str] = "Cancel jobs that are scheduled and not needed."


class JobTimeOver(HubError):
    """The job's time was over before every device had its turn."""

    code: ClassVar[str] = "job.time_over"
    status: ClassVar[int] = 408
    next_step: ClassVar[str] = "Begin another job for the devices that are left, with a longer execution time."


class JobRightLost(HubError):
    """The key or the right with which the job was created is gone; a job never does more than its creator may."""

    code: ClassVar[str] = "job.right_lost"
    status: ClassVar[int] = 403
    next_step: ClassVar[str] = "Create the job again with a credential that is good."


class OutcomeUnknown(HubError):
    """The hub stopped between calling a method and its answer; no job calls a device twice."""

    code: ClassVar[str] = "job.outcome_unknown"
    status: ClassVar[int] = 500
    next_step: ClassVar[str] = "Ask the device for its state before you call it again."


def check_job_id(text: str) -> str:
    """Return `text` as the id of a job (case-sensitive). Raises JobIdInvalid."""
    if not _JOB_ID.match(text) or text.lower() in _TAKEN:
        shown = text[:128].encode("ascii", "backslashreplace").decode()
        raise JobIdInvalid(f"{shown!r} is not a valid id of a job")
    return text
