"""Links on which a peer asks ($management): one question after the other, each answered on a link of the same session.

What it protects: a peer that asks and takes no answers gets no credit to ask on.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from ironhub.dialects.azure.amqp_reading import MessageMalformed, read_head, read_message
from ironhub.heads.amqp.node import SilentNode
from ironhub.heads.amqp.peer import Peer
from ironhub.heads.work import SerialWork
from ironhub.wire.amqp import Delivery, IncomingLink, Outcome
from ironhub.wire.amqp.message import RawMessage

Reply = Callable[[RawMessage, bytes], Awaitable[bytes]]
"""Returns the whole answer to a request; the second argument is the request's message id, as encoded."""


class Requests(SilentNode):
    """The node of a link on which requests to `address` come."""

    __slots__ = ("_address", "_link", "_peer", "_reply", "_work")

    def __init__(self, peer: Peer, link: IncomingLink, address: str, reply: Reply) -> None:
        """`link` was accepted with `AmqpSettings.max_requests` of credit."""
        self._peer = peer
        self._link = link
        self._address = address
        self._reply = reply
        self._work = SerialWork(peer.hub.background, done=self._renew, failed=peer.fail)
        peer.replies(address).watch(self._renew)

    @property
    def keeps_open(self) -> bool:
        """See `Node.keeps_open`."""
        return False

    def delivered(self, delivery: Delivery) -> None:
        """See `Node.delivered`. That it came is told at once; what became of it, by the answer."""
        if not delivery.settled:
            self._link.settle(delivery.id, delivery.id, Outcome.ACCEPTED)
        self._work.add(partial(self._answer, delivery.payload))

    def detached(self) -> None:
        """See `Node.detached`."""
        self._work.forget()
        replies = self._peer.replies(self._address)
        replies.unwatch(self._renew)
        replies.forget(self._link)

    async def _answer(self, payload: bytes) -> None:
        try:
            message = read_message(payload)
            head = read_head(message)
        except MessageMalformed as error:
            self._peer.refused(error)
            return  # there is nothing to name in an answer
        reply = await self._reply(message, head.message_id)
        if not self._peer.closed:
            self._peer.replies(self._address).answer(self._link, head.reply_to, reply)

    def _renew(self) -> None:
        limit = self._peer.hub.settings.max_requests
        busy = len(self._work) + self._peer.replies(self._address).waiting
        if self._link.credit + busy <= limit // 2:
            self._link.grant(limit - busy)
        self._peer.soon_flush()
