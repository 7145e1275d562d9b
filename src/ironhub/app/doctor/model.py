"""What a check finds, and what it may look at."""

from dataclasses import asdict, dataclass
from enum import StrEnum

from ironhub.app.datadir import DataDirectory, RunInfo
from ironhub.app.plain import plain
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

    def lines(self) -> list[str]:
        """Return it as people read it: what was found, and below it what to do."""
        told = [f"{self.level:<4}  {self.check:<12}  {plain(self.what)}"]
        return [*told, f"{'':<20}→ {plain(self.next_step)}"] if self.next_step else told


@dataclass(frozen=True, slots=True)
class Patient:
    """The set-up that is looked at."""

    directory: DataDirectory
    settings: Settings
    running: RunInfo | None
    clock: Clock
