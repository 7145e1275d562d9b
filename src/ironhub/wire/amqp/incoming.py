"""A link on which the peer sends: puts messages together from their frames, and says what became of them."""

from typing import Final, final

from ironhub.wire.amqp.channel import Channel
from ironhub.wire.amqp.conditions import (
    INVALID_FIELD,
    MESSAGE_SIZE_EXCEEDED,
    RESOURCE_LIMIT_EXCEEDED,
    TRANSFER_LIMIT_EXCEEDED,
)
from ironhub.wire.amqp.encode import NULL
from ironhub.wire.amqp.errors import Error
from ironhub.wire.amqp.limits import Limits
from ironhub.wire.amqp.link import Link
from ironhub.wire.amqp.outcomes import ACCEPTED, DeliveryState
from ironhub.wire.amqp.performatives import Attach, Flow, Transfer
from ironhub.wire.amqp.serial import MASK, distance
from ironhub.wire.amqp.transfers import encode_disposition
from ironhub.wire.amqp.violations import LinkViolation

_ACCEPTED: Final = DeliveryState(ACCEPTED).encode()


@final
class Delivery:
    """A whole message. Its repr tells the payload's size only."""

    __slots__ = ("id", "message_format", "payload", "settled", "tag")

    def __init__(self, delivery_id: int, tag: bytes, payload: bytes, settled: bool, message_format: int) -> None:
        self.id = delivery_id
        """What to settle it by; of the session, not of the link."""
        self.tag = tag
        self.payload = payload
        """The encoded message."""
        self.settled = settled
        """The peer wants no verdict."""
        self.message_format = message_format

    def __repr__(self) -> str:
        return (
            f"Delivery({self.id}, tag={self.tag!r}, payload=<{len(self.payload)} bytes>, settled={self.settled}, "
            f"message_format={self.message_format:#x})"
        )


@final
class IncomingLink(Link):
    """We receive. Nothing comes before `accept` or `grant` gave credit for it."""

    __slots__ = ("_begun", "_limits", "_max_message", "_parts")

    def __init__(self, channel: Channel, attach: Attach, handle: int, size: int, limits: Limits) -> None:
        """See `Link`."""
        super().__init__(channel, attach, handle, size)
        self.delivery_count = max(0, attach.initial_delivery_count)
        self._limits: Final = limits
        self._max_message = limits.max_message
        self._begun: Transfer | None = None
        """The first frame of a message that is not whole; what it says holds for all."""
        self._parts = bytearray()

    def accept(self, credit: int, max_message: int = 0, tolerated: int = 0) -> None:
        """Take the link, and `credit` messages.

        Args:
            max_message: bytes of a message, as the peer is told; 0: as the connection's limits say.
            tolerated: bytes of one that is taken although it is larger than that, for the owner to reject; what is
                larger still ends the link.
        """
        bound = self._limits.max_message
        told = min(max_message, bound) if max_message else bound
        self._max_message = min(max(told, tolerated), bound)
        if self._accept(told, NULL) and credit:
            self.grant(credit)

    def grant(self, credit: int) -> None:
        """Let the peer send `credit` messages from now on, whatever it was before."""
        if self.accepted and not self.detached:
            self.credit = credit
            self._channel.flow(self.handle, self.delivery_count, credit)

    def settle(self, first_id: int, last_id: int, outcome: int, error: Error | None = None) -> None:
        """Say what became of the deliveries from `first_id` to `last_id`, which all must be this link's.

        `outcome` is one of `Outcome`; `error` says why where it is REJECTED.
        """
        if self.detached:
            return
        state = _ACCEPTED if outcome == ACCEPTED else DeliveryState(outcome, error).encode()
        channel = self._channel
        channel.out.frame(channel.number, encode_disposition(True, first_id, last_id, True, state))

    def forget(self) -> None:
        """See `Link.forget`."""
        super().forget()
        self._drop()

    def on_flow(self, flow: Flow) -> None:
        """The peer tells how many deliveries it counts: what it will not use of its credit is gone."""
        if flow.delivery_count < 0:
            return
        skipped = distance(self.delivery_count, flow.delivery_count)
        if 0 < skipped <= self.credit:
            self.credit -= skipped
            self.delivery_count = flow.delivery_count

    def take(self, transfer: Transfer) -> Delivery | None:
        """The message that this frame makes whole.

        Raises:
            LinkViolation: the peer may not send that.
        """
        if self._begun is not None:
            return self._go_on(self._begun, transfer)
        if self.credit == 0:
            raise LinkViolation(TRANSFER_LIMIT_EXCEEDED, "a message without credit")
        if transfer.delivery_id < 0:
            raise LinkViolation(INVALID_FIELD, "a message without delivery id")  # 2.7.5
        self.credit -= 1
        self.delivery_count = (self.delivery_count + 1) & MASK
        if transfer.more or transfer.aborted or len(transfer.payload) > self._max_message:
            self._begin(transfer)
            return None
        message_format = max(transfer.message_format, 0)
        tag = transfer.delivery_tag
        return Delivery(
            transfer.delivery_id, b"" if tag is None else tag, transfer.payload, transfer.settled, message_format
        )

    def _begin(self, transfer: Transfer) -> None:
        if not transfer.aborted:
            self._add(transfer.payload)
            transfer.payload = b""
            self._begun = transfer

    def _go_on(self, begun: Transfer, transfer: Transfer) -> Delivery | None:
        if (
            (transfer.delivery_id >= 0 and transfer.delivery_id != begun.delivery_id)
            or (transfer.delivery_tag is not None and transfer.delivery_tag != begun.delivery_tag)
            or (transfer.message_format >= 0 and transfer.message_format != begun.message_format)
        ):
            raise LinkViolation(INVALID_FIELD, "a message begins or changes while another is not whole")  # 2.7.5
        if transfer.aborted:
            self._drop()
            return None
        if transfer.settled:
            begun.settled = True  # one frame that says so is enough (2.7.5)
        self._add(transfer.payload)
        if transfer.more:
            return None
        payload = bytes(self._parts)
        self._drop()
        message_format = max(0, begun.message_format)
        return Delivery(begun.delivery_id, begun.delivery_tag or b"", payload, begun.settled, message_format)

    def _add(self, payload: bytes) -> None:
        out = self._channel.out
        if len(self._parts) + len(payload) > self._max_message:
            raise LinkViolation(MESSAGE_SIZE_EXCEEDED, f"a message is larger than {self._max_message} bytes")
        if out.unfinished + len(payload) > self._limits.max_unfinished:
            raise LinkViolation(RESOURCE_LIMIT_EXCEEDED, "too many large messages at the same time")
        out.unfinished += len(payload)
        self._parts += payload

    def _drop(self) -> None:
        self._begun = None
        self._channel.out.unfinished -= len(self._parts)
        self._parts = bytearray()
