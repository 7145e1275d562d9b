"""One session: its links by the peer's handles, and what the frames on its channel mean (part 2, 2.5 to 2.7)."""

from typing import Final, final

from ironhub.wire.amqp.channel import Channel
from ironhub.wire.amqp.conditions import (
    FRAMING_ERROR,
    HANDLE_IN_USE,
    NOT_ALLOWED,
    RESOURCE_LIMIT_EXCEEDED,
    UNATTACHED_HANDLE,
)
from ironhub.wire.amqp.errors import Error, ProtocolViolation
from ironhub.wire.amqp.events import Attached, Credited, Delivered, Detached, Event, Settled
from ironhub.wire.amqp.incoming import IncomingLink
from ironhub.wire.amqp.limits import Limits
from ironhub.wire.amqp.link import Link
from ironhub.wire.amqp.outbox import Outbox
from ironhub.wire.amqp.outcomes import RECEIVED, RELEASED, DeliveryState
from ironhub.wire.amqp.outgoing import OutgoingLink
from ironhub.wire.amqp.performatives import Attach, Begin, Detach, Disposition, Flow, Transfer
from ironhub.wire.amqp.serial import MASK, distance
from ironhub.wire.amqp.transfers import encode_disposition
from ironhub.wire.amqp.violations import LinkViolation, SessionViolation

LINK_COST: Final = 1024
"""Bytes a link takes besides what its ATTACH says."""


@final
class Session:
    """Takes the frames of one channel until the peer ends it; ignores them once we ended it."""

    __slots__ = ("_free", "_limits", "_links", "_max_peer_handle", "_next_handle", "_out", "_outgoing", "channel")

    def __init__(self, number: int, begin: Begin, out: Outbox, limits: Limits) -> None:
        """`number` is the channel; the answer to BEGIN is sent at once."""
        self._limits = limits
        self._out = out
        self._max_peer_handle = begin.handle_max
        self._links: dict[int, IncomingLink | OutgoingLink] = {}
        """By the peer's handles; links that wait for the peer's DETACH among them."""
        self._outgoing: dict[int, OutgoingLink] = {}
        """By our handles."""
        self._free: list[int] = []
        """Our handles that were used and are free again."""
        self._next_handle = 0
        self.channel = Channel(number, begin, out, limits.incoming_window)
        self.channel.begin(limits.max_handle)

    def on_transfer(self, transfer: Transfer, events: list[Event]) -> None:
        """A message, or a part of one."""
        self.channel.arrived()
        link = self._links.get(transfer.handle)
        if link is None:
            raise SessionViolation(UNATTACHED_HANDLE, "a transfer on a handle without link")
        if link.detached:
            return
        if not isinstance(link, IncomingLink):
            self._cut(link, Error(NOT_ALLOWED, "a transfer from who receives"), events)
            return
        try:
            delivery = link.take(transfer)
        except LinkViolation as violation:
            self._cut(link, violation.error, events)
            return
        if delivery is not None:
            events.append(Delivered(link, delivery))

    def on_flow(self, flow: Flow, events: list[Event]) -> None:
        """Windows and, perhaps, credit."""
        if self.channel.on_flow(flow):
            self._unblock(events)
        if flow.handle < 0:
            if flow.echo:
                self.channel.flow()
            return
        link = self._links.get(flow.handle)
        if link is None:
            raise SessionViolation(UNATTACHED_HANDLE, "a flow on a handle without link")
        if link.detached:
            return
        link.on_flow(flow)
        if isinstance(link, OutgoingLink) and link.accepted:
            events.append(Credited(link))
        if flow.echo:
            self._echo(link)

    def on_disposition(self, disposition: Disposition, events: list[Event]) -> None:
        """A verdict on deliveries of ours; those that are not known, or not any more, are none of it (2.6.12).

        What the peer says as a sender needs no answer: our own verdicts are final.
        """
        state = disposition.state
        if not disposition.role or not (disposition.settled or (state is not None and state.kind != RECEIVED)):
            return
        settled = self._waiting_in(disposition.first, disposition.last)
        if not settled:
            return
        if not disposition.settled and state is not None:
            self._settle_back(settled, state)
        for delivery_id in settled:
            self._settle(delivery_id, state, events)
        if self.channel.blocked and self.channel.is_open:
            self._unblock(events)

    def on_attach(self, attach: Attach, size: int, events: list[Event]) -> None:
        """A new link; `size` is that of the frame's body. Our owner decides on it, unless there are too many."""
        if attach.handle > self._limits.max_handle:
            raise ProtocolViolation(FRAMING_ERROR, "a handle beyond handle-max")  # 2.7.3
        if attach.handle in self._links:
            raise SessionViolation(HANDLE_IN_USE, "a link is attached to a handle that is in use")
        own = self._own_handle()
        if own > self._max_peer_handle:
            raise SessionViolation(RESOURCE_LIMIT_EXCEEDED, "more links than the peer has handles for")
        link: IncomingLink | OutgoingLink
        if attach.role:
            link = self._outgoing[own] = OutgoingLink(self.channel, attach, own, size, self._limits)
        else:
            link = IncomingLink(self.channel, attach, own, size, self._limits)
        self._links[attach.handle] = link
        self._out.links += 1
        self._out.terms += LINK_COST + size
        if self._out.links > self._limits.max_links:
            link.refuse(Error(RESOURCE_LIMIT_EXCEEDED, "too many links on this connection"))
        else:
            events.append(Attached(link))

    def on_detach(self, detach: Detach, events: list[Event]) -> None:
        """The peer's last word on a link, or its answer to ours."""
        link = self._links.get(detach.handle)
        if link is None:
            raise SessionViolation(UNATTACHED_HANDLE, "a detach of a handle without link")
        if not link.detached:
            link.detach(None, detach.closed)
            events.append(Detached(link, detach.error))
        del self._links[detach.handle]
        self._outgoing.pop(link.handle, None)
        self._free.append(link.handle)
        self._release(link)

    def end(self, error: Error | None, events: list[Event]) -> None:
        """End the session from our side, for its peer's mistake."""
        self.channel.end(error)
        self.forget(error, events)

    def forget(self, error: Error | None, events: list[Event]) -> None:
        """The session is over: so are its links."""
        for link in self._links.values():
            if not link.detached:
                link.forget()
                events.append(Detached(link, error))
            self._release(link)
        self._links.clear()
        self._outgoing.clear()

    def _own_handle(self) -> int:
        """A number of ours that no link uses, and no frame of a former one that waits."""
        for index in range(len(self._free) - 1, -1, -1):
            if not self.channel.holds(self._free[index]):
                return self._free.pop(index)
        self._next_handle += 1
        return self._next_handle - 1

    def _cut(self, link: IncomingLink | OutgoingLink, error: Error, events: list[Event]) -> None:
        """Detach a link for its peer's mistake."""
        link.detach(error)
        events.append(Detached(link, error))

    def _release(self, link: Link) -> None:
        self._out.links -= 1
        self._out.terms -= LINK_COST + link.size

    def _unblock(self, events: list[Event]) -> None:
        blocked = list(self.channel.blocked)
        self.channel.blocked.clear()
        events.extend([Credited(self._outgoing[handle]) for handle in blocked])

    def _echo(self, link: IncomingLink | OutgoingLink) -> None:
        if link.accepted:
            self.channel.flow(link.handle, link.delivery_count, link.credit)
        else:
            self.channel.flow()

    def _waiting_in(self, first: int, last: int) -> list[int]:
        """Our deliveries of a range that wait for a verdict: found in the time of whichever is fewer."""
        senders = self.channel.senders
        steps = distance(first, last)
        if first == last:
            return [first] if first in senders else []
        if steps < len(senders):
            return [(first + step) & MASK for step in range(steps + 1) if (first + step) & MASK in senders]
        return [known for known in senders if (known - first) & MASK <= steps]

    def _settle(self, delivery_id: int, state: DeliveryState | None, events: list[Event]) -> None:
        link = self._outgoing[self.channel.senders[delivery_id]]
        tag = link.settled(delivery_id)
        if state is None or state.kind == RECEIVED:
            events.append(Settled(link, tag, RELEASED))
        else:
            events.append(Settled(link, tag, state.kind, state.error, state.delivery_failed, state.undeliverable_here))

    def _settle_back(self, settled: list[int], state: DeliveryState) -> None:
        """Let go of deliveries whose receiver settles second (2.6.12), run by run."""
        encoded = state.encode()
        first = last = settled[0]
        for delivery_id in settled[1:]:
            if delivery_id != (last + 1) & MASK:
                self._send_settled(first, last, encoded)
                first = delivery_id
            last = delivery_id
        self._send_settled(first, last, encoded)

    def _send_settled(self, first: int, last: int, state: bytes) -> None:
        body = encode_disposition(False, first, last, True, state)
        self._out.frame(self.channel.number, body)
