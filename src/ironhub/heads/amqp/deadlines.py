"""What one connection must not wait for any longer: a sign of life, an OPEN, the renewal of a credential."""

import asyncio
import math
from collections.abc import Callable

from ironhub.core.clock import Clock
from ironhub.heads.amqp.credentials import Credentials
from ironhub.wire.amqp import ServerConnection


class Deadlines:
    """One timer, set to what comes first."""

    __slots__ = ("_clock", "_credentials", "_due", "_open_by", "_stopped", "_timer", "_timer_at", "_wire")

    def __init__(
        self,
        wire: ServerConnection,
        credentials: Credentials,
        clock: Clock,
        *,
        open_timeout: float,
        due: Callable[[], None],
    ) -> None:
        """Begin without a timer: whoever has shown nothing has the listener's deadline.

        Args:
            open_timeout: seconds from now until an OPEN must have come.
            due: called when time is up; it ends what has expired, asks `missed`, and calls `arm` again.
        """
        self._wire = wire
        self._credentials = credentials
        self._clock = clock
        self._due = due
        self._open_by = clock.monotonic() + open_timeout
        self._stopped = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf

    def opened(self) -> None:
        """The OPEN came."""
        self._open_by = math.inf

    def heard(self) -> None:
        """Bytes came: the engine may want to be asked earlier than before."""
        at = self._wire.next_timeout
        if at is not None and at < self._timer_at:
            self.arm()

    def arm(self) -> None:
        """Set the timer anew."""
        self._cancel()
        if self._stopped:
            return
        now = self._clock.monotonic()
        at = self._open_by if self._wire.next_timeout is None else self._wire.next_timeout
        expires_at = self._credentials.next_expiry()
        if expires_at is not None:
            at = min(at, now + expires_at - self._clock.now())
        if at < math.inf:
            self._timer_at = at
            self._timer = asyncio.get_running_loop().call_later(max(0.0, at - now), self._due)

    def missed(self) -> bool:
        """Whether the peer was silent for too long; if not, a sign of life of ours may be in the engine."""
        now = self._clock.monotonic()
        due = self._wire.next_timeout
        return now >= self._open_by or (due is not None and due <= now and self._wire.on_timeout(now))

    def stop(self) -> None:
        """The connection is over."""
        self._stopped = True
        self._cancel()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_at = math.inf
