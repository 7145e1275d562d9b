"""Answers to twin requests whose connection broke: kept for the device's next connection.

The Python and Node SDKs neither repeat a twin request after a reconnect nor give up waiting for its answer, but still
match the answer when it comes on the next connection (seen on the wire).
"""

from collections import OrderedDict
from typing import Final, NamedTuple

from ironhub.core.ids import Identity

MAX_PER_IDENTITY: Final = 16
MAX_BYTES: Final = 16 << 20
"""For all identities together; beyond it the oldest answers are dropped."""

MAX_IDENTITIES: Final = 10_000


class Reply(NamedTuple):
    """One answer as it is published."""

    topic: str
    payload: bytes


class ParkedReplies:
    """A bounded memory of answers that found no connection."""

    def __init__(self) -> None:
        self._sent: OrderedDict[Identity, set[int]] = OrderedDict()
        self._replies: OrderedDict[Identity, list[Reply]] = OrderedDict()
        self._bytes = 0

    def park(self, identity: Identity, reply: Reply) -> None:
        """Keep `reply` for the next connection of `identity`."""
        replies = self._replies.setdefault(identity, [])
        self._replies.move_to_end(identity)
        replies.append(reply)
        self._bytes += _size(reply)
        if len(replies) > MAX_PER_IDENTITY:
            self._bytes -= _size(replies.pop(0))
        while self._bytes > MAX_BYTES:
            self.take(next(iter(self._replies)))

    def take(self, identity: Identity) -> list[Reply]:
        """Return what waits for `identity`, oldest first, and forget it."""
        replies = self._replies.pop(identity, [])
        self._bytes -= sum(map(_size, replies))
        return replies

    def remember_sent(self, identity: Identity, numbers: set[int]) -> None:
        """Commands (sequence numbers) were sent and not acknowledged: when they come again, they are marked so."""
        if numbers:
            self._sent[identity] = numbers
            self._sent.move_to_end(identity)
            if len(self._sent) > MAX_IDENTITIES:
                self._sent.popitem(last=False)

    def take_sent(self, identity: Identity) -> set[int]:
        """Return what `remember_sent` was told last, and forget it."""
        return self._sent.pop(identity, set())


def _size(reply: Reply) -> int:
    return len(reply.topic) + len(reply.payload) + 200
