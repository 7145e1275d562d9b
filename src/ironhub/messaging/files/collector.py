"""Collects what never completed: uploads that were never told to be over, blocks that never became part of a blob,
files that were overwritten or deleted, notifications that nobody took.

Everything that must be collected is in the store with the time when it is due, so a restart forgets none of it; each
round is bounded, and nothing is looked for by going through all blobs or all devices.
"""

import asyncio
import logging
from typing import Final

from ironhub.core.clock import Clock
from ironhub.core.errors import HubError
from ironhub.messaging.files.keeper import BlobKeeper
from ironhub.messaging.files.ports import BlobIndex, UploadStore
from ironhub.messaging.files.service import UploadService

log: Final = logging.getLogger(__name__)

BATCH: Final = 200
"""Things of a kind that are ended in one round."""
MAX_PAUSE: Final = 30.0
"""Seconds between two rounds when nothing is due earlier."""
MIN_PAUSE: Final = 0.2


class FileCollector:
    """Runs beside the services of uploads and blobs."""

    def __init__(
        self, uploads: UploadService, blobs: BlobKeeper, store: UploadStore, index: BlobIndex, clock: Clock
    ) -> None:
        self._uploads = uploads
        self._blobs = blobs
        self._store = store
        self._index = index
        self._clock = clock

    async def run(self) -> None:
        """Collect until cancelled."""
        while True:
            pause = await self._round_and_pause()
            await asyncio.sleep(pause)

    async def round(self) -> int:
        """Collect one batch of each kind; returns how many of the most frequent."""
        return max(await self._uploads.sweep(BATCH), await self._blobs.collect(BATCH))

    async def pause(self) -> float:
        """Return the seconds until something may be due."""
        due = [at for at in (await self._store.next_upload_due(), await self._index.next_content_due()) if at]
        wait = min(due, default=self._clock.now() + MAX_PAUSE) - self._clock.now()
        return min(max(wait, MIN_PAUSE), MAX_PAUSE)

    async def _round_and_pause(self) -> float:
        try:
            return MIN_PAUSE if await self.round() >= BATCH else await self.pause()
        except HubError as error:
            log.warning("files_not_collected", extra={"code": error.code})
            return MAX_PAUSE
