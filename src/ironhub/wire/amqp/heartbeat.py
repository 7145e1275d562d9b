"""Signs of life (part 2, 2.4.5): when ours is due, and when the peer's is missing."""

from typing import Final, final

_PROGRESS: Final = 4096
"""Bytes of one frame that count as a sign of life: an honest sender on a slow line may need long for a large one."""


@final
class Heartbeat:
    """Looks at the traffic rather than to add to it: while something is sent anyway, no empty frame is."""

    __slots__ = ("_bytes", "_heard_at", "_limit", "_look_at", "_quarter", "sent")

    def __init__(self, limit: float, now: float) -> None:
        """`limit` is how long the peer may be silent, in seconds, 0 for ever."""
        self.sent = False
        """Something was sent since the last look; whoever sends says so."""
        self._limit = limit
        self._heard_at = now
        self._bytes = 0
        self._quarter = 0.0
        self._look_at = 0.0

    def begin(self, silence: float, now: float) -> None:
        """The peer bears no more than `silence` seconds of ours, 0 for any."""
        self._quarter = silence / 4
        self._look_at = now + self._quarter

    @property
    def next_at(self) -> float | None:
        """When to ask `is_dead` and `is_due`; None: never."""
        if self._quarter and self._limit:
            return min(self._look_at, self._heard_at + self._limit)
        if self._quarter:
            return self._look_at
        return self._heard_at + self._limit if self._limit else None

    def heard(self, size: int, now: float) -> None:
        """Bytes came; until they are a whole frame only many of them count: dripping bytes keep nothing alive."""
        self._bytes += size
        if self._bytes >= _PROGRESS:
            self.frame(now)

    def frame(self, now: float) -> None:
        """A whole frame came."""
        self._heard_at = now
        self._bytes = 0

    def is_dead(self, now: float) -> bool:
        """Whether the peer was silent for too long."""
        return self._limit > 0 and now >= self._heard_at + self._limit

    def is_due(self, now: float) -> bool:
        """Whether to send an empty frame: nothing went out since the last look, a quarter of what the peer bears ago.

        So its silence never lasts longer than half of that, however the traffic falls between two looks.
        """
        if not self._quarter or now < self._look_at:
            return False
        due = not self.sent
        self.sent = False
        self._look_at = now + self._quarter
        return due
