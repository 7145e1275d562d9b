"""What entries of the log are about, as those who watch it choose among them."""

from enum import StrEnum
from typing import Final

from ironhub.core.errors import CorruptStore
from ironhub.core.facts import FactKind
from ironhub.messaging.telemetry.facts import fact_of
from ironhub.messaging.telemetry.model import Entry, Source


class Theme(StrEnum):
    """One kind of event."""

    TELEMETRY = "telemetry"
    LIFECYCLE = "lifecycle"
    """Devices and modules are created and deleted."""
    TWIN = "twin"
    """Tags, desired or reported properties change."""
    CONNECTION = "connection"
    """Devices and modules come and go."""
    OTHER = "other"
    """What a newer hub wrote and this one does not know."""


FACTS: Final = frozenset(Theme) - {Theme.TELEMETRY}
TELEMETRY: Final = frozenset({Theme.TELEMETRY})

THEME_OF: Final[dict[FactKind, Theme]] = {
    FactKind.DEVICE_CREATED: Theme.LIFECYCLE,
    FactKind.DEVICE_DELETED: Theme.LIFECYCLE,
    FactKind.CONNECTED: Theme.CONNECTION,
    FactKind.DISCONNECTED: Theme.CONNECTION,
    FactKind.TWIN_UPDATED: Theme.TWIN,
    FactKind.TWIN_REPLACED: Theme.TWIN,
}


def kind_of(entry: Entry) -> FactKind | None:
    """Return what happened; None: it is telemetry, or a fact that a newer hub wrote."""
    if entry.origin.source is not Source.FACT:
        return None
    try:
        return fact_of(entry).kind
    except CorruptStore:
        return None


def theme_of(entry: Entry) -> Theme:
    """Return what the entry is about."""
    if entry.origin.source is Source.TELEMETRY:
        return Theme.TELEMETRY
    kind = kind_of(entry)
    return Theme.OTHER if kind is None else THEME_OF.get(kind, Theme.OTHER)
