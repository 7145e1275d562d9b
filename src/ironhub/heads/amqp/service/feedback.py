"""What became of commands, for back ends that listen: batches, each under one lock."""

from ironhub.access.model import WHOLE_HUB, Grant, Permission
from ironhub.access.service import authorise
from ironhub.dialects.azure.amqp_addresses import CommandFeedback
from ironhub.dialects.azure.amqp_service_messages import encode_feedback_message
from ironhub.heads.amqp.peer import Peer
from ironhub.heads.amqp.service.queue import Held, QueueNode
from ironhub.messaging.arrivals import Arrivals
from ironhub.messaging.commands.feedback import FeedbackReader, TooManyBatches
from ironhub.wire.amqp import OutgoingLink


async def open_feedback(peer: Peer, link: OutgoingLink, address: CommandFeedback) -> QueueNode:
    """Open a link on which a back end receives feedback. Raises AuthenticationFailed, PermissionDenied."""
    del address
    credential = peer.credentials.service(Permission.FEEDBACK_READ)
    grant = authorise(credential.principal, Permission.FEEDBACK_READ, WHOLE_HUB)
    credential.hold(link)
    link.accept()
    return QueueNode(peer, link, FeedbackSource(peer.hub.feedback, grant, peer.hub.events.hub_name))


class FeedbackSource:
    """Feedback as a queue of messages."""

    def __init__(self, reader: FeedbackReader, grant: Grant, hub_name: str) -> None:
        self._reader = reader
        self._grant = grant
        self._hub_name = hub_name

    @property
    def arrivals(self) -> Arrivals:
        """See `Source.arrivals`."""
        return self._reader.arrivals

    async def receive(self) -> Held | None:
        """See `Source.receive`. When readers hold all the batches they may, the next that is settled makes room."""
        try:
            batch = await self._reader.receive(self._grant)
        except TooManyBatches:
            return None
        if batch is None:
            return None
        return Held(batch.lock_token, batch.locked_until, encode_feedback_message(batch, self._hub_name))

    async def complete(self, lock_token: str) -> None:
        """See `Source.complete`."""
        await self._reader.complete(self._grant, lock_token)

    async def abandon(self, lock_token: str) -> None:
        """See `Source.abandon`."""
        await self._reader.abandon(self._grant, lock_token)
