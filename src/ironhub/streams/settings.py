"""What can be set about an event log, and the hash that spreads devices over its partitions."""

import hashlib
from dataclasses import dataclass

from ironhub.core.ids import DeviceId


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """How an event log keeps what it is given."""

    partitions: int = 4
    """How many partitions a new log has, 1 to 1024; an existing log keeps the number it was created with."""
    commit_interval: float = 0.004
    """Seconds between two commits under load: what is appended meanwhile is committed together."""
    max_age: float = 86_400.0
    """Seconds an entry is kept; whole chunks are dropped, so the youngest entry of a chunk decides."""
    max_bytes: int = 10 << 30
    """Bytes the log may use on the disk; beyond it the oldest chunks are dropped."""
    max_pending: int = 64 << 20
    """Bytes that may wait for their commit; an append beyond it is refused."""
    max_chunk: int = 512 << 10
    """Bytes of bodies and properties in one chunk; a larger entry has a chunk of its own."""
    max_cached: int = 16 << 20
    """Bytes of the newest entries kept in memory for readers that are nearly at the end."""
    trim_interval: float = 1.0
    """Seconds between two looks for entries that are too old or too many."""


def partition_of(device_id: DeviceId, partitions: int) -> int:
    """Return the partition of a device, 0 to `partitions` - 1: the same on every node and in every release."""
    digest = hashlib.sha256(device_id.encode()).digest()
    return int.from_bytes(digest[:8], "big") % partitions
