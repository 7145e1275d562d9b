"""Time and randomness as arguments, so that a week of expiry is a millisecond of test."""

from typing import Protocol


class Clock(Protocol):
    """Where the time comes from. `app` owns the system's; tests hand in one they turn themselves."""

    def now(self) -> float:
        """Seconds since the Unix epoch, UTC; may be set back by the operator."""

    def monotonic(self) -> float:
        """Seconds since some start; never goes back. For deadlines and durations only."""


class Entropy(Protocol):
    """Where randomness comes from. `app` owns the system's."""

    def token_bytes(self, size: int) -> bytes:
        """`size` unpredictable bytes, fit for keys."""

    def uuid(self) -> str:
        """A random UUID (version 4) as lower-case text with hyphens."""
