"""What a check finds, and what it may look at."""

from dataclasses import asdict, dataclass
from enum import StrEnum

from ironhub.app.datadir import DataDirectory, RunInfo
from ironhub.app.settings import Settings
from ironhub.core.clock import Clock


class Level(StrEnum):
    """How grave it is."""

    OK = "ok"
    WARN = "warn"
    """The hub works; something will hurt."""
    BAD = "bad"
    """The hub, or some of its clients, cannot work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    check: str
    """What was looked at, one word."""
    what: str
    next_step: str = ""
    """Empty only when all is well."""

    def as_dict(self) -> dict[str, str]:
        """Return it as JSON has it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Patient:
    """The set-up that is looked at."""

    directory: DataDirectory
    settings: Settings
    running: RunInfo | None
    clock: Clock
