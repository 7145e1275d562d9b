"""Open uploads and file notifications in SQLite."""

from ironhub.core.clock import Entropy
from ironhub.core.ids import Identity
from ironhub.core.sealing import Sealer
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
from ironhub.storage.sqlite import upload_statements as statements
from ironhub.storage.sqlite.database import Database
from ironhub.storage.sqlite.errors import Clash
from ironhub.storage.sqlite.rows import open_keys, reading, seal_keys
from ironhub.storage.sqlite.statements import Values, identity_of, ids_of, key_of
from ironhub.storage.sqlite.tables import Row
from ironhub.storage.sqlite.transaction import Transaction

_ACCOUNT_CONTEXT = b"blob_account"


class SqliteUploadStore:
    """An UploadStore over the tables uploads, file_notifications and blob_account."""

    def __init__(self, database: Database, sealer: Sealer, entropy: Entropy) -> None:
        self._database = database
        self._sealer = sealer
        self._entropy = entropy

    async def add_upload(self, upload: Upload, *, max_open: int) -> None:
        """Store it. Raises DeviceNotFound, TooManyUploads: nothing was stored."""
        open_ones = key_of(upload.identity) | {"now": upload.created_at}

        def work(tx: Transaction) -> None:
            counted = tx.one(statements.COUNT_UPLOADS, open_ones)
            if counted is not None and counted[0] >= max_open:
                raise TooManyUploads(f"{upload.identity} has {max_open} uploads open already")
            tx.change(statements.ADD_UPLOAD, _upload_values(upload))

        try:
            await self._database.write(work)
        except Clash:
            raise DeviceNotFound(f"{upload.identity} is not registered") from None

    async def get_upload(self, identity: Identity, correlation_id: str) -> Upload | None:
        """Return the open upload of this very identity, or None."""
        values = key_of(identity) | {"of_correlation": correlation_id}
        row = await self._database.read(lambda tx: tx.one(statements.GET_UPLOAD, values))
        return None if row is None else _upload_of(row)

    async def end_upload(self, upload: Upload, notice: FileNotice | None) -> None:
        """Forget it and queue `notice`, both or neither. Raises UploadUnknown: it was ended before."""

        def work(tx: Transaction) -> None:
            if not tx.change(statements.END_UPLOAD, {"of_correlation": upload.correlation_id}):
                raise UploadUnknown("the upload was ended before")
            if notice is not None:
                tx.change(statements.ADD_NOTIFICATION, _notice_values(notice))

        await self._database.write(work)

    async def expire_uploads(self, *, now: float, limit: int) -> list[Upload]:
        """Forget those that are longest over, at most `limit`, and return them."""

        def work(tx: Transaction) -> list[Upload]:
            over = [_upload_of(row) for row in tx.all(statements.OVER, {"now": now, "limit": limit})]
            tx.change_each(statements.END_UPLOAD, [{"of_correlation": upload.correlation_id} for upload in over])
            return over

        if not await self._database.read(lambda tx: tx.all(statements.OVER, {"now": now, "limit": 1})):
            return []
        return await self._database.write(work)

    async def list_notifications(self, *, after: int, limit: int, now: float) -> list[FileNotification]:
        """Return unexpired notifications with record ids above `after`, in order, held or not."""
        values = {"after": after, "limit": limit, "now": now}
        rows = await self._database.read(lambda tx: tx.all(statements.LIST_NOTIFICATIONS, values))
        return [_notification_of(row) for row in rows]

    async def lock_notifications(self, *, now: float, locked_until: float, limit: int) -> list[NotificationDelivery]:
        """Hand out the oldest that nobody holds and that have not expired, until `locked_until`."""
        free = {"now": now, "limit": limit}
        if not await self._database.read(lambda tx: tx.all(statements.FREE, free)):
            return []
        tokens = [self._entropy.uuid() for _ in range(limit)]

        def work(tx: Transaction) -> list[NotificationDelivery]:
            found = [_notification_of(row) for row in tx.all(statements.FREE, free)]
            deliveries = [
                NotificationDelivery(notification, token) for notification, token in zip(found, tokens, strict=False)
            ]
            for delivery in deliveries:
                it = {"of_record": delivery.notification.record_id, "lock_token": delivery.lock_token}
                tx.change(statements.LOCK, it | {"locked_until": locked_until, "due_at": locked_until})
            return deliveries

        return await self._database.write(work)

    async def complete_notification(self, lock_token: str, *, now: float) -> None:
        """Remove it for good. Raises FileLockLost, which changes nothing."""
        await self._database.write(
            lambda tx: tx.change(statements.REMOVE, {"of_record": _held(tx, lock_token, now)[0]})
        )

    async def abandon_notification(self, lock_token: str, *, now: float, max_delivery_count: int) -> None:
        """Put it back in its place, counted; drop it when that was once too often. Raises FileLockLost."""

        def work(tx: Transaction) -> None:
            record_id, delivery_count = _held(tx, lock_token, now)
            _put_back(tx, record_id, delivery_count + 1, max_delivery_count)

        await self._database.write(work)

    async def drop_notifications(self, up_to: int) -> None:
        """Forget those with record ids up to and including `up_to`."""
        await self._database.write(lambda tx: tx.change(statements.DROP, {"up_to": up_to}))

    async def expire_notifications(self, *, now: float, max_delivery_count: int, limit: int) -> int:
        """Drop what expired, end locks that ran out; returns how many were looked at."""

        def work(tx: Transaction) -> int:
            due = tx.all(statements.DUE, {"now": now, "limit": limit})
            for record_id, delivery_count, lock_token, expires_at in due:
                if lock_token is None or expires_at <= now:
                    tx.change(statements.REMOVE, {"of_record": record_id})
                else:
                    _put_back(tx, record_id, delivery_count + 1, max_delivery_count)
            return len(due)

        if not await self._database.read(lambda tx: tx.all(statements.DUE, {"now": now, "limit": 1})):
            return 0
        return await self._database.write(work)

    async def next_upload_due(self) -> float | None:
        """Return when the next upload, notification or lock ends; None: never."""

        def work(tx: Transaction) -> list[float]:
            rows = (tx.one(statements.NEXT_UPLOAD, {}), tx.one(statements.NEXT_NOTIFICATION, {}))
            return [row[0] for row in rows if row is not None and row[0] is not None]

        return min(await self._database.read(work), default=None)

    async def blob_account(self) -> BlobAccount | None:
        """Return the account of the hub's own blobs, or None before the first start made one."""
        row = await self._database.read(lambda tx: tx.one(statements.GET_ACCOUNT, {}))
        return None if row is None else BlobAccount(row[0], open_keys(self._sealer, row[1], _ACCOUNT_CONTEXT))

    async def put_blob_account(self, account: BlobAccount) -> None:
        """Store it, replacing the one before; its keys are sealed."""
        sealed = seal_keys(self._sealer, account.keys, _ACCOUNT_CONTEXT)

        def work(tx: Transaction) -> None:
            tx.change(statements.DROP_ACCOUNT, {})
            tx.change(statements.ADD_ACCOUNT, {"account_id": 1, "name": account.name, "sealed_keys": sealed})

        await self._database.write(work)


def _held(tx: Transaction, lock_token: str, now: float) -> tuple[int, int]:
    row = tx.one(statements.HELD, {"held_with": lock_token, "now": now})
    if row is None:
        raise FileLockLost("the lock has ended")
    return row[0], row[1]


def _put_back(tx: Transaction, record_id: int, delivery_count: int, max_delivery_count: int) -> None:
    it: Values = {"of_record": record_id, "delivery_count": delivery_count}
    tx.change(statements.REMOVE if delivery_count >= max_delivery_count else statements.PUT_BACK, it)


def _upload_values(upload: Upload) -> Values:
    return {
        **ids_of(upload.identity),
        "correlation_id": upload.correlation_id,
        "host": upload.host,
        "container": upload.container,
        "blob": upload.blob,
        "created_at": upload.created_at,
        "expires_at": upload.expires_at,
    }


def _upload_of(row: Row) -> Upload:
    correlation_id, device_id, module_id, host, container, blob, created_at, expires_at = row
    with reading(f"upload {correlation_id}"):
        return Upload(
            correlation_id=correlation_id,
            identity=identity_of(device_id, module_id),
            host=host,
            container=container,
            blob=blob,
            created_at=created_at,
            expires_at=expires_at,
        )


def _notice_values(notice: FileNotice) -> Values:
    return {
        **ids_of(notice.identity),
        "blob": notice.blob,
        "uri": notice.uri,
        "size": notice.size,
        "modified_at": notice.modified_at,
        "enqueued_at": notice.enqueued_at,
        "expires_at": notice.expires_at,
        "delivery_count": 0,
        "due_at": notice.expires_at,
    }


def _notification_of(row: Row) -> FileNotification:
    record_id, device_id, module_id, blob, uri, size, modified_at, enqueued_at, expires_at, delivery_count = row
    with reading(f"file notification {record_id}"):
        notice = FileNotice(
            identity=identity_of(device_id, module_id),
            blob=blob,
            uri=uri,
            size=size,
            modified_at=modified_at,
            enqueued_at=enqueued_at,
            expires_at=expires_at,
        )
        return FileNotification(record_id=record_id, notice=notice, delivery_count=delivery_count)
