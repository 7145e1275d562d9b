"""The base of every error raised on purpose, and the few that belong to no single feature."""

from typing import ClassVar


class HubError(Exception):
    """Base of all errors we raise on purpose; anything else that escapes a service is a bug.

    `str(error)` is for the caller and never says why a secret was wrong; `detail` is for our own log and may.
    """

    code: ClassVar[str] = "hub.error"
    """Stable for ever; clients match on it."""
    status: ClassVar[int] = 500
    """HTTP status; each head maps it to its own dialect."""
    next_step: ClassVar[str] = "Look into the hub's log for this time."
    """What the reader can do now, one sentence."""

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


class InvalidArgument(HubError):
    """A value the caller gave is not one that can be taken."""

    code = "argument.invalid"
    status = 400
    next_step = "Correct the value the message names and send the request again."


class Unavailable(HubError):
    """The hub cannot store right now (disk full, read-only or failing); nothing was changed or acknowledged."""

    code = "hub.unavailable"
    status = 503
    next_step = "Look at the disk under the data directory (`ironhub doctor`) and retry; nothing was lost."


class CorruptStore(HubError):
    """What was read from the disk is not what was written there."""

    code = "store.corrupt"
    status = 500
    next_step = "Restore the data directory from a backup, or report the file and offset that the message names."


class StoreTooNew(HubError):
    """The data directory was written by a newer version of the hub."""

    code = "store.too_new"
    status = 500
    next_step = "Start the newer version again, or restore a backup that this version made."
