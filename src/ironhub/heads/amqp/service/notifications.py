"""Files that devices uploaded, for back ends that listen."""

from ironhub.access.model import WHOLE_HUB, Grant, Permission
from ironhub.access.service import authorise
from ironhub.core.clock import Clock
from ironhub.dialects.azure.amqp_addresses import FileNotifications
from ironhub.dialects.azure.amqp_service_messages import encode_file_notification
from ironhub.heads.amqp.peer import Peer
from ironhub.heads.amqp.service.queue import Held, QueueNode
from ironhub.messaging.arrivals import Arrivals
from ironhub.messaging.files.service import UploadService
from ironhub.wire.amqp import OutgoingLink


async def open_notifications(peer: Peer, link: OutgoingLink, address: FileNotifications) -> QueueNode:
    """Open a link on which a back end receives file notifications. Raises AuthenticationFailed, PermissionDenied."""
    del address
    credential = peer.credentials.service(Permission.FILE_NOTIFICATION_READ)
    grant = authorise(credential.principal, Permission.FILE_NOTIFICATION_READ, WHOLE_HUB)
    credential.hold(link)
    link.accept()
    hub = peer.hub
    return QueueNode(peer, link, NotificationSource(hub.uploads, grant, hub.clock, hub.events.hub_name))


class NotificationSource:
    """File notifications as a queue of messages."""

    def __init__(self, uploads: UploadService, grant: Grant, clock: Clock, hub_name: str) -> None:
        self._uploads = uploads
        self._clock = clock
        self._grant = grant
        self._hub_name = hub_name

    @property
    def arrivals(self) -> Arrivals:
        """See `Source.arrivals`."""
        return self._uploads.arrivals

    async def receive(self) -> Held | None:
        """See `Source.receive`."""
        locked_until = self._clock.now() + self._uploads.lock_duration
        for delivery in await self._uploads.receive(self._grant):
            return Held(delivery.lock_token, locked_until, encode_file_notification(delivery, self._hub_name))
        return None

    async def complete(self, lock_token: str) -> None:
        """See `Source.complete`."""
        await self._uploads.complete(self._grant, lock_token)

    async def abandon(self, lock_token: str) -> None:
        """See `Source.abandon`."""
        await self._uploads.abandon(self._grant, lock_token)
