"""A receipt is stored together with a change, in one transaction: whoever had to make the change once can tell later,
whatever died meanwhile, that it was made."""

from typing import ClassVar, NamedTuple

from ironhub.core.errors import HubError
from ironhub.core.ids import DeviceId


class Receipt(NamedTuple):
    """One target of one job; only while it is being worked on can a receipt for it be left, and only one."""

    job_number: int
    device_id: DeviceId
    at: float
    """Seconds since the Unix epoch, UTC."""


class ReceiptRefused(HubError):
    """The change was made before, or its job is over: nothing was changed."""

    code: ClassVar[str] = "receipt.refused"
    status: ClassVar[int] = 409
    next_step: ClassVar[str] = "Look at the job and what became of its devices."
