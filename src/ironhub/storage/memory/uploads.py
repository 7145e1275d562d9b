"""Open uploads and file notifications in memory."""

from dataclasses import dataclass, replace

from ironhub.core.clock import Entropy
from ironhub.core.ids import Identity
from ironhub.identity.links import BlobAccount
from ironhub.messaging.files.model import (
    FileLockLost,
    FileNotice,
    FileNotification,
    NotificationDelivery,
    TooManyUploads,
    Upload,
    UploadUnknown,
)
from ironhub.registry.model import DeviceNotFound
from ironhub.storage.memory.state import State


@dataclass(slots=True)
class _Waiting:
    notification: FileNotification
    lock_token: str | None = None
    locked_until: float = 0.0

    @property
    def due_at(self) -> float:
        return self.notification.notice.expires_at if self.lock_token is None else self.locked_until


class MemoryUploadStore:
    """An UploadStore in dictionaries."""

    def __init__(self, state: State, entropy: Entropy) -> None:
        self._state = state
        self._entropy = entropy
        self._queue: dict[int, _Waiting] = {}
        self._last_record_id = 0
        self._account: BlobAccount | None = None

    async def add_upload(self, upload: Upload, *, max_open: int) -> None:
        """Store it. Raises DeviceNotFound, TooManyUploads: nothing was stored."""
        if self._state.identity(upload.identity) is None:
            raise DeviceNotFound(f"{upload.identity} is not registered")
        own = [other for other in self._state.uploads.values() if other.identity == upload.identity]
        if sum(other.expires_at > upload.created_at for other in own) >= max_open:
            raise TooManyUploads(f"{upload.identity} has {max_open} uploads open already")
        self._state.uploads[upload.correlation_id] = upload

    async def get_upload(self, identity: Identity, correlation_id: str) -> Upload | None:
        """Return the open upload of this very identity, or None."""
        upload = self._state.uploads.get(correlation_id)
        return upload if upload is not None and upload.identity == identity else None

    async def end_upload(self, upload: Upload, notice: FileNotice | None) -> None:
        """Forget it and queue `notice`, both or neither. Raises UploadUnknown: it was ended before."""
        if self._state.uploads.pop(upload.correlation_id, None) is None:
            raise UploadUnknown("the upload was ended before")
        if notice is not None:
            self._last_record_id += 1
            notification = FileNotification(record_id=self._last_record_id, notice=notice, delivery_count=0)
            self._queue[self._last_record_id] = _Waiting(notification)

    async def expire_uploads(self, *, now: float, limit: int) -> list[Upload]:
        """Forget those that are longest over, at most `limit`, and return them."""
        over = sorted(
            (upload for upload in self._state.uploads.values() if upload.expires_at <= now),
            key=lambda upload: upload.expires_at,
        )[:limit]
        for upload in over:
            del self._state.uploads[upload.correlation_id]
        return over

    async def list_notifications(self, *, after: int, limit: int, now: float) -> list[FileNotification]:
        """Return unexpired notifications with record ids above `after`, in order, held or not."""
        found = [waiting.notification for waiting in self._queue.values()]
        return [each for each in found if each.record_id > after and each.notice.expires_at > now][:limit]

    async def lock_notifications(self, *, now: float, locked_until: float, limit: int) -> list[NotificationDelivery]:
        """Hand out the oldest that nobody holds and that have not expired, until `locked_until`."""
        deliveries: list[NotificationDelivery] = []
        for waiting in self._queue.values():
            if len(deliveries) < limit and waiting.lock_token is None and waiting.notification.notice.expires_at > now:
                waiting.lock_token, waiting.locked_until = self._entropy.uuid(), locked_until
                deliveries.append(NotificationDelivery(waiting.notification, waiting.lock_token))
        return deliveries

    async def complete_notification(self, lock_token: str, *, now: float) -> None:
        """Remove it for good. Raises FileLockLost, which changes nothing."""
        del self._queue[self._held(lock_token, now).notification.record_id]

    async def abandon_notification(self, lock_token: str, *, now: float, max_delivery_count: int) -> None:
        """Put it back in its place, counted; drop it when that was once too often. Raises FileLockLost."""
        self._put_back(self._held(lock_token, now), max_delivery_count)

    async def drop_notifications(self, up_to: int) -> None:
        """Forget those with record ids up to and including `up_to`."""
        self._queue = {key: waiting for key, waiting in self._queue.items() if key > up_to}

    async def expire_notifications(self, *, now: float, max_delivery_count: int, limit: int) -> int:
        """Drop what expired, end locks that ran out; returns how many were looked at."""
        due = [waiting for waiting in self._queue.values() if waiting.due_at <= now]
        due.sort(key=lambda waiting: waiting.due_at)
        for waiting in due[:limit]:
            if waiting.lock_token is None or waiting.notification.notice.expires_at <= now:
                del self._queue[waiting.notification.record_id]
            else:
                self._put_back(waiting, max_delivery_count)
        return len(due[:limit])

    async def next_upload_due(self) -> float | None:
        """Return when the next upload, notification or lock ends; None: never."""
        times = [upload.expires_at for upload in self._state.uploads.values()]
        return min(times + [waiting.due_at for waiting in self._queue.values()], default=None)

    async def blob_account(self) -> BlobAccount | None:
        """Return the account of the hub's own blobs, or None before the first start made one."""
        return self._account

    async def put_blob_account(self, account: BlobAccount) -> None:
        """Store it, replacing the one before."""
        self._account = account

    def _held(self, lock_token: str, now: float) -> _Waiting:
        for waiting in self._queue.values():
            if waiting.lock_token == lock_token and waiting.locked_until > now:
                return waiting
        raise FileLockLost("the lock has ended")

    def _put_back(self, waiting: _Waiting, max_delivery_count: int) -> None:
        count = waiting.notification.delivery_count + 1
        waiting.notification = replace(waiting.notification, delivery_count=count)
        waiting.lock_token = None
        if count >= max_delivery_count:
            del self._queue[waiting.notification.record_id]
