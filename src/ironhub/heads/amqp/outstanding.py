"""What is out on one link, each entry under a lock that ends by itself: how much more may go, and what still counts.

A disposition that comes after its lock has ended, or twice, counts for nothing: the entry is in its queue again, or
with somebody else, and to detach the link over it would cost the peer all that it has received in time.
"""

from uuid import UUID

from ironhub.core.clock import Clock
from ironhub.wire.amqp import SND_SETTLED, OutgoingLink


class Outstanding:
    """The entries that one peer holds."""

    __slots__ = ("_clock", "_held", "_link", "_max_unsettled", "_window")

    def __init__(self, link: OutgoingLink, clock: Clock, *, window: int, max_unsettled: int) -> None:
        """Begin with none.

        Args:
            window: entries that may be out at a time, whatever credit the link has.
            max_unsettled: deliveries that the peer may leave without a disposition; their locks have ended, but its
                link remembers them.
        """
        self._link = link
        self._clock = clock
        self._window = window
        self._max_unsettled = max_unsettled
        self._held: dict[bytes, tuple[str, float]] = {}
        """By delivery tag: lock token, and when the lock ends."""

    def room(self) -> int:
        """Return how many more may go out now."""
        now = self._clock.now()
        for tag in [tag for tag, (_, until) in self._held.items() if until <= now]:
            del self._held[tag]
        link = self._link
        return min(link.sendable, self._window - len(self._held), self._max_unsettled - link.unsettled)

    def send(self, payload: bytes, lock_token: str, locked_until: float) -> bool:
        """Send an entry, for which there is credit; True: that was all, since this peer settles nothing."""
        tag = UUID(lock_token).bytes  # .NET takes the tag for the lock token
        settled = self._link.snd_settle_mode == SND_SETTLED
        if not settled:
            self._held[tag] = lock_token, locked_until
        self._link.send(payload, tag, settled=settled)
        return settled

    def take(self, tag: bytes) -> str | None:
        """Return the lock token of an entry that the peer has decided about; None: it counts no more."""
        token, _ = self._held.pop(tag, (None, 0.0))
        return token

    def take_all(self) -> list[str]:
        """Return the lock tokens of all that is out: the link is over."""
        tokens = [token for token, _ in self._held.values()]
        self._held.clear()
        return tokens
