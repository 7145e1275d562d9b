"""What the machines of one simulation share: the hub's address, time that may run faster, and what was counted."""

import asyncio
import ssl
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from ironhub.app.simulator.profile import Profile
from ironhub.core.clock import Clock

TOKEN_LIFETIME: Final = 24 * 3600
"""Seconds that a token of a machine is good for; it shows a new one at each connect."""

MAX_NETWORK_SPEED: Final = 60.0
"""A network that failed much faster than life would let nobody in."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the hub is."""

    address: str
    port: int
    name: str
    """What its certificate must be good for, and what tokens are signed for."""


@dataclass(slots=True)
class Counts:
    """What happened; only `connected` ever falls."""

    connected: int = 0
    sent: int = 0
    """Messages handed to the connection."""
    acked: int = 0
    """Messages the hub has stored."""
    dropped: int = 0
    """Messages that a machine had no room to keep while it was cut off."""
    warnings: int = 0
    faults: int = 0
    repairs: int = 0
    drops: int = 0
    """Connections that the simulated network cut."""
    reconnects: int = 0
    """Connections that were made again."""
    failures: int = 0
    """Connections that could not be made, or that the hub or the real network ended."""
    refused: int = 0
    """CONNECTs that the hub refused."""
    methods: int = 0
    desired: int = 0
    commands: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return all by name."""
        return asdict(self)


@dataclass(slots=True)
class Plant:
    """One running simulation."""

    profile: Profile
    seed: int
    target: Target
    tls: ssl.SSLContext
    clock: Clock
    speed: float
    """Simulated seconds in a second."""
    interval: float
    """Seconds between two messages of a machine, until an operator says otherwise."""
    loop: asyncio.AbstractEventLoop
    counts: Counts = field(default_factory=Counts)
    waiting: "asyncio.Queue[Any]" = field(default_factory=asyncio.Queue)
    """Machines that want to be connected."""
    begun_at: float = 0.0
    began: float = 0.0
    last_refusal: str = ""
    """Why a machine was not let in, the last time that happened."""

    def __post_init__(self) -> None:
        self.begun_at, self.began = self.clock.now(), self.clock.monotonic()

    def now(self) -> float:
        """Return the simulated instant, in seconds since the epoch: it begins now and runs `speed` times as fast."""
        return self.begun_at + (self.clock.monotonic() - self.began) * self.speed

    @property
    def network_speed(self) -> float:
        """Simulated seconds in a second, for the network."""
        return min(self.speed, MAX_NETWORK_SPEED)

    def network_now(self) -> float:
        """Return the simulated instant by which the network fails and recovers."""
        return self.begun_at + (self.clock.monotonic() - self.began) * self.network_speed
