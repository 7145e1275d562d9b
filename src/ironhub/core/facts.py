"""A fact is what happened to an identity, told to whoever reads the log; stored with the change it tells of."""

from enum import StrEnum
from typing import Any, NamedTuple

from ironhub.core.ids import Identity


class FactKind(StrEnum):
    """What happened. The values are stored and never change their meaning."""

    DEVICE_CREATED = "device_created"
    DEVICE_DELETED = "device_deleted"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    TWIN_UPDATED = "twin_updated"
    TWIN_REPLACED = "twin_replaced"


class Fact(NamedTuple):
    """One thing that happened, in neutral words; a dialect gives it the vendor's shape when it is read."""

    kind: FactKind
    identity: Identity
    at: float
    """Seconds since the Unix epoch, UTC."""
    data: dict[str, Any]
    """JSON values only. CONNECTED: `{"model_id"?}` that it announced.
    TWIN_*: `{"version", "tags"?, "desired"?, "reported"?}` with what changed (or all)."""
