"""Import and export jobs in memory."""

from collections.abc import Sequence

from ironhub.provisioning.transfer.model import Transfer, TransferBusy
from ironhub.storage.memory.state import State


class MemoryTransferStore:
    """A TransferStore in a dictionary."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def add_transfer(self, transfer: Transfer) -> None:
        """Store a new job. Raises TransferBusy."""
        if await self.active_transfer() is not None:
            raise TransferBusy("another import or export has not ended")
        self._state.transfers[transfer.job_id] = transfer

    async def get_transfer(self, job_id: str) -> Transfer | None:
        """Return the job, or None."""
        return self._state.transfers.get(job_id)

    async def list_transfers(self, *, limit: int) -> Sequence[Transfer]:
        """Return the newest jobs, newest first."""
        return list(reversed(self._state.transfers.values()))[:limit]

    async def active_transfer(self) -> Transfer | None:
        """Return the job that has not ended, or None."""
        return next((each for each in self._state.transfers.values() if not each.status.is_over), None)

    async def put_transfer(self, transfer: Transfer) -> bool:
        """Store the job unless it is over already; returns whether it was stored."""
        stored = self._state.transfers.get(transfer.job_id)
        if stored is None or stored.status.is_over:
            return False
        self._state.transfers[transfer.job_id] = transfer
        return True

    async def drop_transfers(self, before: float) -> None:
        """Forget jobs that ended before this instant."""
        over = [(each.job_id, each.ended_at) for each in self._state.transfers.values()]
        for job_id, ended_at in over:
            if ended_at is not None and ended_at < before:
                del self._state.transfers[job_id]
