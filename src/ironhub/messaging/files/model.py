"""Uploads of devices, and what back ends are told of them.

Source: Azure IoT Hub, "Upload files with IoT Hub" (handshake, limits, notifications).
"""

from dataclasses import dataclass
from typing import ClassVar

from ironhub.core.errors import HubError
from ironhub.core.ids import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSettings:
    """The bounds of uploads and of the queue of file notifications."""

    max_open: int = 10
    """Uploads a device may have open; the next is refused."""
    link_ttl: float = 3600.0
    """Seconds an upload, and the link it is made with, is good for."""
    notifications: bool = True
    """Whether back ends are told of files that came."""
    notification_ttl: float = 3600.0
    """Seconds a notification waits for somebody to take it."""
    lock_duration: float = 60.0
    """Seconds a receiver has to settle a notification."""
    max_delivery_count: int = 10
    """Deliveries before a notification is dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An upload that was begun and not told to be over."""

    correlation_id: str
    """Names it between the device and the hub; opaque."""
    identity: Identity
    host: str
    """Where the blob is sent, as the device was told; may carry a port."""
    container: str
    blob: str
    created_at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class Offer:
    """What a device is told when it begins an upload."""

    upload: Upload
    token: str
    """Signed query that lets its holder write this one blob."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a device says became of its upload."""

    success: bool
    status_code: int
    description: str


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What really lies in the store; the device is not asked."""

    size: int
    """Bytes."""
    modified_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FileNotice:
    """That a file came, before it has its place in the queue."""

    identity: Identity
    blob: str
    uri: str
    size: int
    """Bytes, as stored."""
    modified_at: float
    enqueued_at: float
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FileNotification:
    """One entry of the queue that back ends read."""

    record_id: int
    notice: FileNotice
    delivery_count: int
    """How often it was handed out before."""


@dataclass(frozen=True, slots=True)
class NotificationDelivery:
    """A notification in the hands of a receiver, until it settles or the lock ends."""

    notification: FileNotification
    lock_token: str


class TooManyUploads(HubError):
    """The device has all the uploads open that it may have."""

    code: ClassVar[str] = "file.too_many_uploads"
    status: ClassVar[int] = 403
    next_step: ClassVar[str] = "Tell the outcome of uploads that are over, or wait until their links end."


class UploadUnknown(HubError):
    """The device has no open upload of this correlation id."""

    code: ClassVar[str] = "file.upload_unknown"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Use the correlation id of the answer that began the upload, once."


class UploadExpired(HubError):
    """The time of the upload is over."""

    code: ClassVar[str] = "file.upload_expired"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Begin the upload again."


class FileMissing(HubError):
    """A device told of success, and there is no such blob."""

    code: ClassVar[str] = "file.missing"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Upload the blob to the address of the first answer, whole, then tell of it again."


class DepotUnreachable(HubError):
    """The storage account that uploads go to did not answer as it should."""

    code: ClassVar[str] = "file.depot_unreachable"
    status: ClassVar[int] = 503
    next_step: ClassVar[str] = "Check the account that the setting upload_account names, and the way to it."


class FileLockLost(HubError):
    """The lock ended, or never was; somebody else may have the notification."""

    code: ClassVar[str] = "file.lock_lost"
    status: ClassVar[int] = 412
    next_step: ClassVar[str] = "Receive again; the notification comes back unless it was settled or expired."
