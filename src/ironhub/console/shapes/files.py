"""Blobs, links and file notifications as callers send them and see them."""

from pydantic import Field

from ironhub.console.shapes import Given, Taken, example
from ironhub.console.shapes.instants import shown_instant
from ironhub.messaging.files.blobs import Blob
from ironhub.messaging.files.model import FileNotification, NotificationDelivery

MAX_LINK_HOURS = 24 * 365


class NotificationGiven(Given):
    """That a file came: what is stored, not what the device said of it."""

    record_id: int
    device_id: str
    blob: str
    uri: str
    size: int
    """Bytes."""
    modified_at: str
    enqueued_at: str
    delivery_count: int

    @classmethod
    def of(cls, notification: FileNotification) -> "NotificationGiven":
        """Return what callers see of `notification`."""
        notice = notification.notice
        return cls(
            record_id=notification.record_id,
            device_id=notice.identity.device_id,
            blob=notice.blob,
            uri=notice.uri,
            size=notice.size,
            modified_at=shown_instant(notice.modified_at),
            enqueued_at=shown_instant(notice.enqueued_at),
            delivery_count=notification.delivery_count,
        )


class NotificationList(Given):
    """Notifications in the order in which they were queued."""

    notifications: tuple[NotificationGiven, ...]


class DeliveryGiven(Given):
    """A notification that is held for the caller until it settles or the lock ends."""

    lock_token: str
    notification: NotificationGiven

    @classmethod
    def of(cls, delivery: NotificationDelivery) -> "DeliveryGiven":
        """Return what callers see of `delivery`."""
        return cls(lock_token=delivery.lock_token, notification=NotificationGiven.of(delivery.notification))


class DeliveryList(Given):
    """What was handed out, oldest first."""

    deliveries: tuple[DeliveryGiven, ...]


class BlobGiven(Given):
    """A blob without its content."""

    name: str
    size: int
    """Bytes."""
    content_type: str
    etag: str
    created_at: str
    modified_at: str

    @classmethod
    def of(cls, blob: Blob) -> "BlobGiven":
        """Return what callers see of `blob`."""
        return cls(
            name=blob.name,
            size=blob.size,
            content_type=blob.head.content_type,
            etag=blob.etag,
            created_at=shown_instant(blob.created_at),
            modified_at=shown_instant(blob.modified_at),
        )


class BlobList(Given):
    """A page of a container's blobs, ordered by name."""

    blobs: tuple[BlobGiven, ...]
    after: str | None
    """Pass it for the next page; null on the last."""


class NewLink(Taken):
    """A link to a container, for whoever is given it."""

    model_config = example(permissions="rl", hours=1)

    permissions: str = Field(default="rl", pattern="^[rwdl]{1,4}$")
    """Letters: r reads, w writes, d deletes, l lists."""
    hours: float = Field(default=1.0, gt=0, le=MAX_LINK_HOURS)
    host: str | None = Field(default=None, max_length=260)
    """Under which of the hub's names it is reached, with its port; null: the first, without a port."""


class LinkGiven(Given):
    """A link. Whoever has it may do what it was made for, until it ends."""

    url: str
    account: str
    """What an address begins with for clients that expect an emulator's: `https://host/account/container/blob`."""
    expires_at: str
