"""What import and export jobs need: a store, containers, a format of lines, and a place for errors."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol

from ironhub.core.errors import HubError
from ironhub.identity.model import Principal, Remembered
from ironhub.provisioning.bulk.model import Registered, Row
from ironhub.provisioning.transfer.model import Transfer

Recall = Callable[[Remembered], Awaitable[Principal]]
"""Returns a creator as the gate would admit them now. Raises AuthenticationFailed."""


class TransferStore(Protocol):
    """Where jobs live. Whatever implements it passes tests/contracts/test_transfer_store.py."""

    async def add_transfer(self, transfer: Transfer) -> None:
        """Store a new job. Raises TransferBusy: another one has not ended; nothing was changed."""

    async def get_transfer(self, job_id: str) -> Transfer | None:
        """Return the job, or None."""

    async def list_transfers(self, *, limit: int) -> Sequence[Transfer]:
        """Return the newest jobs, newest first."""

    async def active_transfer(self) -> Transfer | None:
        """Return the job that has not ended, or None."""

    async def put_transfer(self, transfer: Transfer) -> bool:
        """Store the job unless it is over already; returns whether it was stored."""

    async def drop_transfers(self, before: float) -> None:
        """Forget jobs that ended before this instant."""


class Container(Protocol):
    """A container of blobs, and what its signature allows there. Calls raise ContainerInvalid."""

    async def size(self, blob: str) -> int:
        """Return how many bytes a blob has."""

    def read(self, blob: str, *, start: int) -> AsyncIterator[bytes]:
        """Yield a blob from the byte `start` on."""

    async def write(self, blob: str, pieces: AsyncIterator[bytes]) -> None:
        """Store a blob whole or not at all, in the place of what was there."""


class Containers(Protocol):
    """Opens containers by their address."""

    def open(self, uri: str) -> Container:
        """Return the container. Raises ContainerInvalid: it is none that may be reached; nothing was asked of it."""


class LineFormat(Protocol):
    """How devices stand in lines."""

    def decode(self, line: bytes) -> Row:
        """Return the row of a line. Raises HubError: it is none."""

    def encode(self, registered: Registered, *, with_keys: bool) -> bytes:
        """Return a line without its end."""

    def encode_error(self, row: Row | None, line: int, error: HubError) -> bytes:
        """Return a line, without its end, that tells what could not be done."""


class Spool(Protocol):
    """The errors of one import until they are written to their blob. For any thread."""

    def cut(self, size: int) -> None:
        """Forget what was appended behind `size` bytes."""

    def append(self, data: bytes) -> int:
        """Append durably and return how many bytes there are."""

    def pieces(self) -> AsyncIterator[bytes]:
        """Yield everything."""

    def delete(self) -> None:
        """It is not needed any more."""


class Spools(Protocol):
    """Gives each job its spool."""

    def open(self, job_id: str) -> Spool:
        """Return the spool of a job, as it was left."""
