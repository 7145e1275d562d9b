"""Uploads of devices: begin, end, and the queue that tells back ends of them.

Protects against a device that writes under another's name, keeps more uploads open than it may, or tells of a file that
is not there or has another size: what is told is what lies in the store.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from ironhub.access.model import Grant, Permission
from ironhub.core.clock import Clock, Entropy
from ironhub.core.errors import HubError, InvalidArgument
from ironhub.core.tally import Tally
from ironhub.messaging.arrivals import Arrivals
from ironhub.messaging.files.blobs import check_blob_name
from ironhub.messaging.files.model import (
    FileMissing,
    FileNotice,
    FileNotification,
    FileSettings,
    NotificationDelivery,
    Offer,
    Outcome,
    Upload,
    UploadExpired,
    UploadUnknown,
)
from ironhub.messaging.files.ports import Depot, UploadStore

log: Final = logging.getLogger(__name__)

MAX_RECEIVED: Final = 100


class UploadService:
    """Uploads of all devices, and file notifications. Every answer comes after the change is durable."""

    def __init__(
        self, store: UploadStore, depot: Depot, clock: Clock, entropy: Entropy, settings: FileSettings | None = None
    ) -> None:
        self.tally = Tally()
        """"begun", "completed", "failed", "expired"."""
        self.arrivals = Arrivals()
        """Tells who waits that there may be a notification which nobody holds."""
        self._store = store
        self._depot = depot
        self._clock = clock
        self._entropy = entropy
        self._settings = settings or FileSettings()

    async def begin(self, grant: Grant, name: str, *, host: str) -> Offer:
        """Open an upload of the device's own, and return where it may write.

        Args:
            name: what the device calls the file; it will lie under the device's id.
            host: as the device reached the hub, with the port if it named one.

        Raises:
            BlobNameInvalid, TooManyUploads, DeviceNotFound.
        """
        grant.require(Permission.FILE_UPLOAD)
        blob = check_blob_name(f"{grant.device_id}/{name}")
        now = self._clock.now()
        upload = Upload(
            correlation_id=self._entropy.uuid(),
            identity=grant.identity,
            host=self._depot.host(host),
            container=self._depot.container,
            blob=blob,
            created_at=now,
            expires_at=now + self._settings.link_ttl,
        )
        await self._store.add_upload(upload, max_open=self._settings.max_open)
        self.tally.add("begun")
        return Offer(upload, self._depot.sign(blob, now=now, expires_at=upload.expires_at))

    async def end(self, grant: Grant, correlation_id: str, outcome: Outcome) -> None:
        """The device says how its upload went. Back ends hear of a success, with what is really stored.

        Raises:
            UploadUnknown, UploadExpired; FileMissing: told of success, and it may try again; DepotUnreachable.
        """
        grant.require(Permission.FILE_UPLOAD)
        upload = await self._store.get_upload(grant.identity, correlation_id)
        if upload is None:
            raise UploadUnknown("there is no such open upload")
        now = self._clock.now()
        if now >= upload.expires_at:
            raise UploadExpired("the upload took too long")
        notice = await self._notice(upload, now) if outcome.success else None
        await self._end(upload, notice if self._settings.notifications else None)
        self.tally.add("completed" if outcome.success else "failed")
        if not outcome.success:
            fields = {"device": str(upload.identity), "status": outcome.status_code, "text": outcome.description[:500]}
            log.info("upload_failed", extra=fields)
            await self._give_up(upload)

    async def notifications(self, grant: Grant, *, after: int, limit: int) -> Sequence[FileNotification]:
        """Return what is in the queue, without taking it."""
        grant.require_whole_hub(Permission.FILE_NOTIFICATION_READ)
        return await self._store.list_notifications(after=after, limit=limit, now=self._clock.now())

    async def receive(self, grant: Grant, *, limit: int = 1) -> Sequence[NotificationDelivery]:
        """Hand out the oldest under a lock that ends by itself."""
        grant.require_whole_hub(Permission.FILE_NOTIFICATION_READ)
        if not 1 <= limit <= MAX_RECEIVED:
            raise InvalidArgument(f"1 to {MAX_RECEIVED} notifications can be received at once")
        now = self._clock.now()
        until = now + self._settings.lock_duration
        return await self._store.lock_notifications(now=now, locked_until=until, limit=limit)

    @property
    def lock_duration(self) -> float:
        """Seconds until a lock of `receive` ends by itself."""
        return self._settings.lock_duration

    async def complete(self, grant: Grant, lock_token: str) -> None:
        """It was taken. Raises FileLockLost."""
        grant.require_whole_hub(Permission.FILE_NOTIFICATION_READ)
        await self._store.complete_notification(lock_token, now=self._clock.now())

    async def abandon(self, grant: Grant, lock_token: str) -> None:
        """It is wanted again later; too often, and it is dropped. Raises FileLockLost."""
        grant.require_whole_hub(Permission.FILE_NOTIFICATION_READ)
        limit = self._settings.max_delivery_count
        await self._store.abandon_notification(lock_token, now=self._clock.now(), max_delivery_count=limit)
        self.arrivals.tell()

    async def drop(self, grant: Grant, *, up_to: int) -> None:
        """Forget notifications with record ids up to and including `up_to`."""
        grant.require_whole_hub(Permission.FILE_NOTIFICATION_READ)
        await self._store.drop_notifications(up_to)

    async def sweep(self, limit: int) -> int:
        """End what is over, at most `limit` of each kind; returns how many were looked at. For the collector."""
        now = self._clock.now()
        over = await self._store.expire_uploads(now=now, limit=limit)
        for upload in over:
            await self._give_up(upload)
        self.tally.add("expired", len(over))
        looked = await self._store.expire_notifications(
            now=now, max_delivery_count=self._settings.max_delivery_count, limit=limit
        )
        if looked:
            self.arrivals.tell()  # locks ended
        return max(len(over), looked)

    async def _end(self, upload: Upload, notice: FileNotice | None) -> None:
        """Store, then tell, also when the device hangs up half-way: no notification waits unseen for who listens."""

        async def store_and_tell() -> None:
            await self._store.end_upload(upload, notice)
            self.arrivals.tell()

        await asyncio.shield(store_and_tell())

    async def _notice(self, upload: Upload, now: float) -> FileNotice:
        stored = await self._depot.stored(upload.container, upload.blob)
        if stored is None:
            raise FileMissing("the blob is not there")
        return FileNotice(
            identity=upload.identity,
            blob=upload.blob,
            uri=f"https://{upload.host}/{upload.container}/{upload.blob}",
            size=stored.size,
            modified_at=stored.modified_at,
            enqueued_at=now,
            expires_at=now + self._settings.notification_ttl,
        )

    async def _give_up(self, upload: Upload) -> None:
        """What is left over is collected in time even if this fails."""
        try:
            await self._depot.give_up(upload.container, upload.blob)
        except HubError as error:
            log.warning("upload_not_given_up", extra={"code": error.code, "device": str(upload.identity)})
