"""The topic filters of one session, and what of the hub's publications they cover."""

from collections.abc import Iterable
from typing import ClassVar, Final

from ironhub.core.errors import HubError
from ironhub.core.ids import Identity
from ironhub.dialects.azure.topics import Feed, feeds_of
from ironhub.wire.mqtt import matches

MAX_FILTER: Final = 1024
"""Characters; the longest that is documented has some 300. What a device leaves behind is kept while it is away."""


class TooManySubscriptions(HubError):
    """A session wants to keep more topic filters than it may, or longer ones."""

    code: ClassVar[str] = "session.too_many_subscriptions"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Subscribe to the documented filters only; each once."


class Subscriptions:
    """Topic filter → granted QoS (0 or 1), for filters that reach only what is the identity's own."""

    __slots__ = ("_filters", "_limit", "feeds")

    def __init__(self, identity: Identity, stored: dict[str, int], *, limit: int) -> None:
        """Go on with what an earlier connection left; filters that mean nothing to this version are dropped."""
        self._filters = {name: qos for name, qos in stored.items() if _means_something(identity, name)}
        self._limit = limit
        self.feeds = _covered(identity, self._filters)
        """Everything the filters cover."""

    def add(self, identity: Identity, wanted: dict[str, int]) -> tuple[Feed, bool]:
        """Take filters; returns what they cover, and whether anything changed that must be stored.

        Raises:
            UnknownTopic, ForeignTopic: a filter reaches beyond the identity's own; TooManySubscriptions.
        """
        if any(len(name) > MAX_FILTER for name in wanted):
            raise TooManySubscriptions(f"a topic filter has at most {MAX_FILTER} characters")
        feeds = _covered(identity, wanted)
        changed = any(self._filters.get(name) != qos for name, qos in wanted.items())
        if len(self._filters.keys() | wanted.keys()) > self._limit:
            raise TooManySubscriptions(f"a session keeps at most {self._limit} topic filters")
        self._filters.update(wanted)
        self.feeds |= feeds
        return feeds, changed

    def remove(self, identity: Identity, topic_filters: Iterable[str]) -> None:
        """Drop filters; it is no error when one is not there."""
        for topic_filter in topic_filters:
            self._filters.pop(topic_filter, None)
        self.feeds = _covered(identity, self._filters)

    def snapshot(self) -> dict[str, int]:
        """Return a copy to store."""
        return dict(self._filters)

    def qos_for(self, topic: str) -> int | None:
        """Return the highest QoS granted for `topic`, or None when no filter matches it."""
        granted = [qos for topic_filter, qos in self._filters.items() if matches(topic_filter, topic)]
        return max(granted, default=None)


def _covered(identity: Identity, filters: Iterable[str]) -> Feed:
    feeds = Feed(0)
    for topic_filter in filters:
        feeds |= feeds_of(topic_filter, identity)
    return feeds


def _means_something(identity: Identity, topic_filter: str) -> bool:
    try:
        feeds_of(topic_filter, identity)
    except HubError:
        return False
    return True
