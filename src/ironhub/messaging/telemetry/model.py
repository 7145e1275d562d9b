"""What the event log keeps of a message, as received: nobody decodes a property or a body on the way in."""

from enum import IntEnum, StrEnum
from typing import ClassVar, Final, NamedTuple

from ironhub.core.errors import HubError
from ironhub.core.ids import Identity

WAITING_OVERHEAD: Final = 128
"""Bytes that an entry costs while it waits for its commit, besides what it says."""
MAX_MESSAGE: Final = 262_144
"""Bytes of a message's body and properties together, and of a batch's."""


class MessageTooLarge(HubError):
    """Body and properties of a message are together over the bound."""

    code: ClassVar[str] = "message.too_large"
    status: ClassVar[int] = 413
    next_step: ClassVar[str] = "Send at most 256 KiB at a time, properties included."


class Source(StrEnum):
    """Where an entry of the log came from. The values are stored."""

    TELEMETRY = "telemetry"
    FACT = "fact"


class Encoding(StrEnum):
    """How the properties of an entry are written. The values are stored; a dialect reads its own."""

    AZURE_TOPIC = "azure_topic"
    """The property bag of an Azure MQTT topic, percent-encoded, as sent."""
    JSON = "json"
    """A JSON object of strings (system properties by their dialect's names)."""
    AZURE_AMQP = "azure_amqp"
    """The sections of an AMQP message that hold properties, joined, as sent."""


class Flag(IntEnum):
    """Bits of an entry's `flags`. The values are stored."""

    RETAIN = 1
    """The device asked for RETAIN; the reader's view carries a property that says so."""
    DUPLICATE = 2
    """The device marked it as possibly sent before."""
    WILL = 4
    """It is the device's last will."""


class Origin(NamedTuple):
    """What is the same for every message of one connection; a chunk stores it once."""

    identity: Identity
    source: Source
    encoding: Encoding
    generation_id: str = ""
    proof: str = ""
    """identity.model.Proof that convinced the gate; readers translate it to the vendor's auth-method text."""
    policy: str = ""
    model_id: str = ""
    """Plug-and-play model the device announced when it connected."""


class Entry(NamedTuple):
    """One message on its way into the log. Cheap to make: one per message."""

    origin: Origin
    properties: bytes
    body: bytes
    flags: int = 0


class Logged(NamedTuple):
    """One message as read from the log."""

    partition: int
    sequence_number: int
    """Per partition, from 0, without gaps among what is not damaged."""
    enqueued_at: float
    """Seconds since the epoch, UTC; never goes back within a partition."""
    entry: Entry


class ConsumerGroup(NamedTuple):
    """A name that readers read under; groups know nothing of each other."""

    name: str
    """As it was created; names compare case-insensitively."""
    created_at: float | None
    """None: it came with the hub."""


class PartitionEnds(NamedTuple):
    """The bounds of one partition."""

    first: int
    """Sequence number of the oldest entry still kept; equals `next` when it is empty."""
    next: int
    """Sequence number that the next entry will get."""
    last_enqueued_at: float | None


class Damage(NamedTuple):
    """A chunk that could not be read; reading goes on behind it."""

    partition: int
    first: int
    entries: int
    reason: str


class Batch(NamedTuple):
    """What one read returned."""

    entries: tuple[Logged, ...]
    next: int
    """Where to read on: pass it as `start` of the next read."""
    damage: tuple[Damage, ...]
