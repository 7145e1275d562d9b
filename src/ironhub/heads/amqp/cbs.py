"""`$cbs`: tokens come as requests, and each gets an answer that says whether it was good.

What it protects: one token after the other is looked at, of a bounded size; its text goes to the gate and nowhere else.
Source: azure-service-api 2.5, azure-device-api 3.3.
"""

from functools import partial
from typing import Final

from ironhub.core.errors import HubError, Unavailable
from ironhub.dialects.azure.amqp_addresses import CBS_NODE, CbsNode
from ironhub.dialects.azure.amqp_cbs import MAX_TOKEN, OK, decode_put_token, encode_reply
from ironhub.dialects.azure.amqp_reading import read_head, read_message
from ironhub.heads.amqp.node import Node, Openers, SilentNode
from ironhub.heads.amqp.peer import Peer
from ironhub.heads.amqp.replies import ReplyNode
from ironhub.heads.work import SerialWork
from ironhub.wire.amqp import Delivery, IncomingLink, Outcome, OutgoingLink
from ironhub.wire.amqp.message import RawMessage

MALFORMED: Final = 400
REFUSED: Final = 401
UNAVAILABLE: Final = 503
_OVERHEAD: Final = 8192
"""Bytes of a request besides its token."""


class TokenRequests(SilentNode):
    """The node of a link on which tokens come."""

    __slots__ = ("_link", "_peer", "_work")

    def __init__(self, peer: Peer, link: IncomingLink) -> None:
        self._peer = peer
        self._link = link
        self._work = SerialWork(peer.hub.background, done=self._answered, failed=peer.fail)

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

    async def _answer(self, payload: bytes) -> None:
        try:
            request = read_message(payload)
            asked = read_head(request)
        except HubError as error:
            self._peer.refused(error)
            return  # there is nothing to name in an answer
        status, description = await self._outcome(request)
        if self._peer.closed:
            return
        reply = encode_reply(asked.message_id, status, description)
        self._peer.replies(CBS_NODE).answer(self._link, asked.reply_to, reply)

    async def _outcome(self, request: RawMessage) -> tuple[int, str]:
        try:
            await self._peer.credentials.put(decode_put_token(request).token)
        except Unavailable as error:
            return UNAVAILABLE, str(error)
        except HubError as error:
            self._peer.refused(error)
            return REFUSED if error.status == REFUSED else MALFORMED, str(error)
        return OK, "OK"

    def _answered(self) -> None:
        settings = self._peer.hub.settings
        busy = len(self._work) + self._peer.replies(CBS_NODE).waiting
        if self._link.credit + busy <= settings.max_requests // 2:
            self._link.grant(settings.max_requests - busy)
        self._peer.soon_flush()


async def open_requests(peer: Peer, link: IncomingLink, _: CbsNode) -> Node:
    """Take tokens from anybody: who they are is what the tokens tell."""
    link.accept(peer.hub.settings.max_requests, MAX_TOKEN + _OVERHEAD)
    return TokenRequests(peer, link)


async def open_replies(peer: Peer, link: OutgoingLink, _: CbsNode) -> Node:
    """Send the answers."""
    link.accept()
    return ReplyNode(peer.replies(CBS_NODE), link, peer.soon_flush)


OPENERS: Final[dict[type, Openers]] = {CbsNode: Openers(open_requests, open_replies)}
