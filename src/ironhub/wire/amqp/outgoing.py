"""A link on which we send: cuts messages into frames, and obeys the peer's credit and windows."""

from collections.abc import Sequence
from typing import Final, final

from ironhub.wire.amqp.channel import Channel
from ironhub.wire.amqp.encode import NULL
from ironhub.wire.amqp.limits import Limits
from ironhub.wire.amqp.link import Link
from ironhub.wire.amqp.performatives import Attach, Flow
from ironhub.wire.amqp.serial import MASK, remaining
from ironhub.wire.amqp.transfers import MAX_TAG
from ironhub.wire.amqp.violations import UsageError
from ironhub.wire.amqp.writer import TransferWriter

_SETTLED_TAG: Final = b"\x00"
"""A delivery that is settled needs no tag of its own (2.6.12)."""


@final
class OutgoingLink(Link):
    """We send. `sendable` says how much; `send` what; `drained` that there is no more for now."""

    __slots__ = ("_max_unsettled", "_tags", "_writer", "drain")

    def __init__(self, channel: Channel, attach: Attach, handle: int, size: int, limits: Limits) -> None:
        """See `Link`."""
        super().__init__(channel, attach, handle, size)
        self.drain = False
        """The peer wants all there is now, and to hear by `drained` that there is no more."""
        self._max_unsettled: Final = limits.max_unsettled
        self._tags: dict[int, bytes] = {}
        self._writer = TransferWriter(channel.number, handle)

    @property
    def unsettled(self) -> int:
        """Deliveries that wait for the peer's verdict."""
        return len(self._tags)

    @property
    def sendable(self) -> int:
        """How many messages may go now; ask again after a large one, which may take more than its share of the window.

        If it is 0 though there is credit, `Credited` tells when that has changed.
        """
        if self.credit == 0 or not self.accepted:
            return 0
        channel = self._channel
        room = self._max_unsettled - len(self._tags)
        if channel.waiting or channel.remote_window == 0 or room <= 0:
            channel.blocked[self.handle] = None
            return 0
        return min(self.credit, channel.remote_window, room)

    def accept(self, max_message: int = 0, properties: bytes = NULL) -> None:
        """Take the link; `properties`, an encoded map, go with the answer. Credit may be there already."""
        self._accept(max_message, properties or NULL)

    def send(self, payload: bytes, tag: bytes, settled: bool, message_format: int = 0) -> int:
        """Send an encoded message; returns its delivery id, -1 where the link is detached.

        Args:
            payload: of any size; it goes in as many frames as the peer's frame size asks for.
            tag: at most 32 bytes, of which no two unsettled deliveries of a link may have the same.
            settled: there is no verdict to wait for; otherwise `Settled` tells it.
            message_format: 0 for a plain message.

        Raises:
            UsageError: there is no credit for it, or the tag is too long.
        """
        if self.detached:
            return -1
        if self.credit == 0 or not self.accepted or len(tag) > MAX_TAG:
            raise UsageError("a message without credit, or with a tag of more than 32 bytes")
        channel = self._channel
        delivery_id = channel.delivery_id
        channel.delivery_id = (delivery_id + 1) & MASK
        self.credit -= 1
        self.delivery_count = (self.delivery_count + 1) & MASK
        if not settled:
            self._tags[delivery_id] = tag
            channel.senders[delivery_id] = self.handle
        writer = self._writer
        writer.shape(len(tag), message_format)
        out = channel.out
        if writer.overhead + len(payload) <= out.max_frame and channel.claim():
            writer.write(out.data, delivery_id, tag, payload, settled)
        else:
            self._send_parts(delivery_id, tag, payload, settled)
        return delivery_id

    def send_settled(self, payloads: Sequence[bytes]) -> None:
        """Send encoded messages, at most `sendable` of them, none of which needs a verdict."""
        for payload in payloads:
            self.send(payload, _SETTLED_TAG, True)

    def drained(self) -> None:
        """There is nothing more to send: gives back the credit that is left, if the peer asked for that by `drain`.

        While transfers wait for the peer's window, that would come too early: `Credited` then says when to call again.
        """
        if not self.drain or not self.accepted or self.detached:
            return
        channel = self._channel
        if channel.waiting:
            channel.blocked[self.handle] = None
            return
        self.delivery_count = (self.delivery_count + self.credit) & MASK
        self.credit = 0
        self.drain = False
        channel.flow(self.handle, self.delivery_count, 0, True)

    def forget(self) -> None:
        """See `Link.forget`."""
        super().forget()
        self.drain = False
        channel = self._channel
        for delivery_id in self._tags:
            channel.senders.pop(delivery_id, None)
        self._tags.clear()
        channel.blocked.pop(self.handle, None)

    def on_flow(self, flow: Flow) -> None:
        """Take the credit the peer grants."""
        if flow.link_credit >= 0:
            seen = max(flow.delivery_count, 0)  # it has not read our ATTACH yet (2.6.7)
            self.credit = remaining(flow.link_credit, seen, self.delivery_count)
        self.drain = flow.drain

    def settled(self, delivery_id: int) -> bytes:
        """The peer is done with a delivery that waited for it; returns its tag."""
        del self._channel.senders[delivery_id]
        return self._tags.pop(delivery_id)

    def _send_parts(self, delivery_id: int, tag: bytes, payload: bytes, settled: bool) -> None:
        """Frame by frame; each says all of itself, since some clients look at no other (2.7.5 allows it)."""
        channel = self._channel
        room = channel.out.max_frame - self._writer.overhead
        at = 0
        while True:
            part = payload[at : at + room]
            at += room
            more = at < len(payload)
            if channel.claim():
                self._writer.write(channel.out.data, delivery_id, tag, part, settled, more)
            else:
                frame = bytearray()
                self._writer.write(frame, delivery_id, tag, part, settled, more)
                channel.wait(self.handle, bytes(frame))
            if not more:
                return
