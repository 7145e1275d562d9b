"""Uploads into the hub's own blobs."""

from typing import Final

from ironhub.core.clock import Clock
from ironhub.dialects.azure.blob_sas import encode_link
from ironhub.identity.links import BlobAccount
from ironhub.messaging.files.model import StoredFile
from ironhub.messaging.files.ports import BlobIndex

UPLOAD_RIGHTS: Final = "rw"
"""What a device may do to the one blob of its upload."""


class OwnDepot:
    """A Depot over the hub's own blobs: they are reached under the name by which the device reached the hub."""

    def __init__(self, index: BlobIndex, account: BlobAccount, clock: Clock, container: str) -> None:
        self.container = container
        self._index = index
        self._account = account
        self._clock = clock

    def host(self, asked: str) -> str:
        """Return where the blob is to be sent."""
        return asked

    def sign(self, blob: str, *, now: float, expires_at: float) -> str:
        """Return the query that lets its holder write and read this one blob until `expires_at`."""
        return encode_link(self._account, self.container, blob, UPLOAD_RIGHTS, expires_at=expires_at)

    async def stored(self, container: str, blob: str) -> StoredFile | None:
        """Return what lies there, None when there is no such blob."""
        found = await self._index.find_blob(container, blob)
        return None if found is None else StoredFile(found[0].size, found[0].modified_at)

    async def give_up(self, container: str, blob: str) -> None:
        """The upload came to nothing: drop its blocks; a blob that was completed stays."""
        await self._index.drop_staged(container, blob, now=self._clock.now())
