"""Import and export jobs as values."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Final

from ironhub.core.errors import HubError
from ironhub.identity.model import Remembered

DEFAULT_BLOB: Final = "devices.txt"
ERRORS_BLOB: Final = "importErrors.log"
"""Where what an import could not do is written, in its output container."""
MAX_URI: Final = 4096


class TransferKind(StrEnum):
    """Which way devices go. The values are stored."""

    IMPORT = "import"
    EXPORT = "export"


class TransferStatus(StrEnum):
    """Where a job stands. The values are stored."""

    ENQUEUED = "enqueued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing will happen any more."""
        return self not in (TransferStatus.ENQUEUED, TransferStatus.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRequest:
    """What a job shall do. A URI holds a signature that opens somebody's storage."""

    kind: TransferKind
    input_uri: str = field(default="", repr=False)
    """The container that an import reads from."""
    input_blob: str = DEFAULT_BLOB
    output_uri: str = field(repr=False)
    """The container that an export, or the errors of an import, are written to."""
    output_blob: str = DEFAULT_BLOB
    with_keys: bool = True
    """Whether an export holds the keys."""

    def without_signatures(self) -> "TransferRequest":
        """Return it as anybody may see it."""
        return TransferRequest(
            kind=self.kind,
            input_uri=self.input_uri.partition("?")[0],
            input_blob=self.input_blob,
            output_uri=self.output_uri.partition("?")[0],
            output_blob=self.output_blob,
            with_keys=self.with_keys,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One job. Instants: seconds since the epoch."""

    job_id: str
    request: TransferRequest
    creator: Remembered
    status: TransferStatus = TransferStatus.ENQUEUED
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    progress: int = 0
    """Per cent."""
    failure: str = ""
    """Why it failed, or what could not be done."""


class TransferNotFound(HubError):
    """There is no import or export job of this id."""

    code: ClassVar[str] = "transfer.not_found"
    status: ClassVar[int] = 404
    next_step: ClassVar[str] = "List the jobs; those that ended long ago are forgotten."


class TransferBusy(HubError):
    """Another import or export job has not ended."""

    code: ClassVar[str] = "transfer.busy"
    status: ClassVar[int] = 403
    next_step: ClassVar[str] = "Wait until it ends, or cancel it."


class TransferRightLost(HubError):
    """The key or the right with which the job was created is gone; a job never does more than its creator may."""

    code: ClassVar[str] = "transfer.right_lost"
    status: ClassVar[int] = 403
    next_step: ClassVar[str] = "Create the job again with a credential that is good."


class ContainerInvalid(HubError):
    """A container cannot be used for an import or export."""

    code: ClassVar[str] = "transfer.container_invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = (
        "Give the HTTPS address of a container of this hub (`ironhub files container-url`) or of a host that the "
        "setting transfer_hosts names, with a signature that allows what the job does."
    )
