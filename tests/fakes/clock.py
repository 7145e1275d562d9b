"""Time that stands still until a test moves it, and randomness that is the same in every run."""

import hashlib
import uuid

START = 1_780_000_000.0
"""Where a fake clock stands unless told otherwise: 2026-05-28T20:26:40Z."""


class FakeClock:
    """A core.clock.Clock that the test turns. Both kinds of time advance together; only `now()` can be set back."""

    def __init__(self, now: float = START, *, monotonic: float = 1000.0) -> None:
        self._now = now
        self._monotonic = monotonic

    def now(self) -> float:
        """Seconds since the Unix epoch, as last set."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since some start, as last set."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass (not negative: a monotonic clock does not go back)."""
        if seconds < 0:
            raise ValueError("time does not run backwards; use set_now to put the wall clock back")
        self._now += seconds
        self._monotonic += seconds

    def set_now(self, now: float) -> None:
        """Set the wall clock, as an operator may, also backwards; the monotonic time does not notice."""
        self._now = now


class FakeEntropy:
    """A core.clock.Entropy whose bytes follow from `seed` and how much was drawn before. Never repeats itself."""

    def __init__(self, seed: str = "ironhub") -> None:
        self._seed = seed.encode()
        self._draws = 0

    def token_bytes(self, size: int) -> bytes:
        """`size` bytes, another sequence at each call."""
        self._draws += 1
        return hashlib.shake_256(self._seed + b"/%d" % self._draws).digest(size)

    def uuid(self) -> str:
        """A well-formed version 4 UUID, another one at each call."""
        return str(uuid.UUID(bytes=self.token_bytes(16), version=4))
