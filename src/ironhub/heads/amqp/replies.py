"""Answers to requests ($cbs, $management): on which link they go, and where they wait until it has credit.

What it protects: the hub's memory. A peer that asks and takes no answers is bounded, however many links it asks on.
Source: azure-service-api 2.5: clients grant credit for the answer after they have asked, and some attach late.
"""

from collections.abc import Callable
from typing import ClassVar, NamedTuple

from ironhub.core.errors import HubError
from ironhub.heads.amqp.node import SETTLED_TAG, SilentNode
from ironhub.wire.amqp import IncomingLink, OutgoingLink


class TooManyRequests(HubError):
    """A client asks on without taking the answers."""

    code: ClassVar[str] = "link.too_many_requests"
    status: ClassVar[int] = 429
    next_step: ClassVar[str] = "Let the client grant credit for the answers, and wait for them."


class _Answer(NamedTuple):
    request: IncomingLink
    reply_to: str | None
    payload: bytes


class ReplyLinks:
    """The links on which one peer takes the answers from one address, and the answers that wait for credit."""

    __slots__ = ("_asking", "_limit", "_links", "_waiting")

    def __init__(self, limit: int) -> None:
        """Begin with no links; at most `limit` answers wait."""
        self._limit = limit
        self._links: dict[tuple[int, str | None], list[OutgoingLink]] = {}
        """By session and by what a request may call them; by None all of a session. The newest last."""
        self._waiting: list[_Answer] = []
        self._asking: dict[Callable[[], None], None] = {}

    @property
    def waiting(self) -> int:
        """How many answers wait."""
        return len(self._waiting)

    def enter(self, link: OutgoingLink) -> None:
        """The peer takes answers on `link`, which was accepted."""
        for key in _keys(link):
            self._links.setdefault(key, []).append(link)

    def leave(self, link: OutgoingLink) -> None:
        """`link` is over; what waits may go another way."""
        for key in _keys(link):
            links = self._links.get(key, [])
            if link in links:
                links.remove(link)
            if not links:
                self._links.pop(key, None)

    def watch(self, poured: Callable[[], None]) -> None:
        """Call `poured` whenever answers that waited are gone: there is room for more requests."""
        self._asking[poured] = None

    def unwatch(self, poured: Callable[[], None]) -> None:
        """Take back `watch`; harmless if there was none."""
        self._asking.pop(poured, None)

    def answer(self, request: IncomingLink, reply_to: str | None, payload: bytes) -> None:
        """Send `payload` (a whole message) in answer to what came on `request`, now or once there is credit.

        It goes to a link of the same session, the one whose target address or name is `reply_to`, else the newest.
        Then `Peer.soon_flush`.

        Raises:
            TooManyRequests: too many answers wait; this one is lost.
        """
        answer = _Answer(request, reply_to, payload)
        if self._waiting or not self._sent(answer):
            if len(self._waiting) >= self._limit:
                raise TooManyRequests("too many answers wait for credit")
            self._waiting.append(answer)
            self.pour()

    def forget(self, request: IncomingLink) -> None:
        """`request` is over: nobody waits for the answers to what came on it."""
        self._waiting = [answer for answer in self._waiting if answer.request is not request]

    def pour(self) -> None:
        """Send what waits, as far as there is credit, in order for each link."""
        before = len(self._waiting)
        self._waiting = [answer for answer in self._waiting if not self._sent(answer)]
        if len(self._waiting) < before:
            for poured in tuple(self._asking):
                poured()

    def _sent(self, answer: _Answer) -> bool:
        link = self._link_for(answer)
        if link is None or link.sendable < 1:
            return False
        link.send(answer.payload, SETTLED_TAG, True)
        return True

    def _link_for(self, answer: _Answer) -> OutgoingLink | None:
        session = answer.request.session_channel
        named = self._links.get((session, answer.reply_to)) if answer.reply_to else None
        links = named or self._links.get((session, None))
        return links[-1] if links else None


def _keys(link: OutgoingLink) -> set[tuple[int, str | None]]:
    session = link.session_channel
    return {(session, None), (session, link.target_address), (session, link.name)}


class ReplyNode(SilentNode):
    """The node of a link on which answers go out."""

    __slots__ = ("_link", "_replies", "_soon_flush")

    def __init__(self, replies: ReplyLinks, link: OutgoingLink, soon_flush: Callable[[], None]) -> None:
        """Enter `link`, which was accepted, into `replies`."""
        self._replies = replies
        self._link = link
        self._soon_flush = soon_flush
        replies.enter(link)

    @property
    def keeps_open(self) -> bool:
        """See `Node.keeps_open`."""
        return False

    def credited(self) -> None:
        """See `Node.credited`."""
        if self._link.sendable > 0:
            self._replies.pour()
        if self._link.drain:
            self._link.drained()
        self._soon_flush()

    def detached(self) -> None:
        """See `Node.detached`."""
        self._replies.leave(self._link)
