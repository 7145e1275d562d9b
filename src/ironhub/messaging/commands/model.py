"""A command on its way to a device, and what becomes of it.

Source: Azure IoT Hub, "Send cloud-to-device messages" and "Understand cloud-to-device messaging" (life cycle, limits).
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Final

from ironhub.core.errors import HubError
from ironhub.core.ids import Identity

MAX_TEXT: Final = 128
"""Characters of a message id, correlation id, user id, content type or content encoding."""


class Ack(StrEnum):
    """Which outcomes the sender wants feedback about. The values are stored."""

    NONE = "none"
    POSITIVE = "positive"
    NEGATIVE = "negative"
    FULL = "full"


class Outcome(StrEnum):
    """What became of a command. The values are stored."""

    SUCCESS = "success"
    EXPIRED = "expired"
    DELIVERY_COUNT_EXCEEDED = "delivery_count_exceeded"
    REJECTED = "rejected"
    PURGED = "purged"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSettings:
    """The bounds of the command queues."""

    max_pending: int = 50
    """Commands per device or module; the next send is refused."""
    default_ttl: float = 3600.0
    """Seconds a command waits when its sender names no expiry."""
    max_ttl: float = 172_800.0
    """Seconds; a later expiry is refused."""
    lock_duration: float = 60.0
    """Seconds a receiver has to settle; MQTT sessions hold theirs until the connection ends."""
    max_delivery_count: int = 10
    """Deliveries before a command is dead-lettered."""
    max_body: int = 65_536
    """Bytes of body and properties together."""
    feedback_ttl: float = 3600.0
    """Seconds a feedback record is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command as stored."""

    identity: Identity
    sequence_number: int
    """Per hub, ascending; queues are ordered by it."""
    message_id: str
    body: bytes
    enqueued_at: float
    expires_at: float
    ack: Ack = Ack.NONE
    correlation_id: str = ""
    user_id: str = ""
    content_type: str = ""
    content_encoding: str = ""
    properties: dict[str, str] = field(default_factory=dict)
    """The sender's own properties."""
    delivery_count: int = 0
    """How often it was handed out before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandDraft:
    """What a sender gives. None: the default."""

    body: bytes
    message_id: str | None = None
    expires_at: float | None = None
    ack: Ack = Ack.NONE
    correlation_id: str = ""
    user_id: str = ""
    content_type: str = ""
    content_encoding: str = ""
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A command in the hands of a receiver, until it settles or the lock ends."""

    command: Command
    lock_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What a sender who asked for it learns of its command."""

    record_id: int
    identity: Identity
    generation_id: str
    message_id: str
    outcome: Outcome
    at: float
    expires_at: float


class QueueFull(HubError):
    """The device has all the pending commands it may have."""

    code: ClassVar[str] = "command.queue_full"
    status: ClassVar[int] = 403
    next_step: ClassVar[str] = "Wait until the device took some, or purge its queue (`ironhub c2d purge ID`)."


class LockLost(HubError):
    """The lock ended, or never was; somebody else may have the command."""

    code: ClassVar[str] = "command.lock_lost"
    status: ClassVar[int] = 412
    next_step: ClassVar[str] = "Receive again; the command comes back unless it was settled or expired."


class CommandTooLarge(HubError):
    """Body and properties together are over the bound."""

    code: ClassVar[str] = "command.too_large"
    status: ClassVar[int] = 413
    next_step: ClassVar[str] = "Send less, or let the device fetch the rest itself."


class ExpiryInvalid(HubError):
    """The expiry lies in the past or too far ahead."""

    code: ClassVar[str] = "command.expiry_invalid"
    status: ClassVar[int] = 403
    next_step: ClassVar[str] = "Give an expiry in the future, at most two days ahead, or none."
