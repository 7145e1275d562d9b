"""What back ends and operators do with import and export jobs."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from ironhub.access.model import Grant, Permission
from ironhub.access.service import remember
from ironhub.core.clock import Clock, Entropy
from ironhub.core.errors import InvalidArgument
from ironhub.provisioning.transfer.model import (
    MAX_URI,
    Transfer,
    TransferKind,
    TransferNotFound,
    TransferRequest,
    TransferStatus,
)
from ironhub.provisioning.transfer.ports import Containers, TransferStore

MAX_LISTED: Final = 100
KEPT: Final = 30 * 86_400.0
"""Seconds that a job is remembered after its end."""
MAX_BLOB_NAME: Final = 1024


class TransferService:
    """Starts, shows and cancels jobs; `runner` does them, one at a time."""

    def __init__(self, store: TransferStore, containers: Containers, clock: Clock, entropy: Entropy) -> None:
        self.changed = asyncio.Event()
        """Set when there is a job to be done, or one was cancelled."""
        self._store = store
        self._containers = containers
        self._clock = clock
        self._entropy = entropy

    async def create(self, grant: Grant, request: TransferRequest, *, reading: Grant | None = None) -> Transfer:
        """Enqueue a job and return it.

        Args:
            reading: for an export: the proof that the caller may read the registry, keys and all.

        Raises:
            ContainerInvalid, InvalidArgument, PermissionDenied, TransferBusy.
        """
        grant.require_whole_hub(Permission.TRANSFER_WRITE)
        if request.kind is TransferKind.EXPORT:
            (reading or grant).require_whole_hub(Permission.REGISTRY_READ)
        self._check(request)
        now = self._clock.now()
        await self._store.drop_transfers(now - KEPT)
        creator = remember(grant.principal)
        transfer = Transfer(job_id=self._entropy.uuid(), request=request, creator=creator, created_at=now)
        await self._store.add_transfer(transfer)
        self.changed.set()
        return transfer

    async def get(self, grant: Grant, job_id: str) -> Transfer:
        """Return a job. Raises TransferNotFound."""
        grant.require_whole_hub(Permission.TRANSFER_READ)
        return await self._found(job_id)

    async def list(self, grant: Grant) -> Sequence[Transfer]:
        """Return the newest jobs, newest first."""
        grant.require_whole_hub(Permission.TRANSFER_READ)
        return await self._store.list_transfers(limit=MAX_LISTED)

    async def cancel(self, grant: Grant, job_id: str) -> Transfer:
        """Cancel a job and return it as it is then; what it did before stays done. Raises TransferNotFound."""
        grant.require_whole_hub(Permission.TRANSFER_WRITE)
        found = await self._found(job_id)
        await self._store.put_transfer(
            replace(
                found,
                status=TransferStatus.CANCELLED,
                ended_at=self._clock.now(),
                request=found.request.without_signatures(),
            )
        )
        self.changed.set()
        return await self._found(job_id)

    async def _found(self, job_id: str) -> Transfer:
        found = await self._store.get_transfer(job_id)
        if found is None:
            raise TransferNotFound("there is no such job")
        return found

    def _check(self, request: TransferRequest) -> None:
        uris = [request.output_uri] + ([request.input_uri] if request.kind is TransferKind.IMPORT else [])
        for uri in uris:
            if len(uri) > MAX_URI:
                raise InvalidArgument(f"the address of a container has at most {MAX_URI} characters")
            self._containers.open(uri)
        for name in (request.input_blob, request.output_blob):
            if not 1 <= len(name) <= MAX_BLOB_NAME or not name.isprintable() or ".." in name.split("/"):
                raise InvalidArgument("no blob has such a name")
