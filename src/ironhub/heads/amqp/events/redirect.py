"""`/messages/events/...` on the hub's own host: readers are sent to the stream's address."""

from ironhub.dialects.azure.amqp_addresses import HubEvents
from ironhub.dialects.azure.amqp_errors import LinkRedirected, redirect_address
from ironhub.heads.amqp.events.access import PORT, host_of, reader_grant
from ironhub.heads.amqp.node import Node
from ironhub.heads.amqp.peer import Peer
from ironhub.wire.amqp import OutgoingLink


async def open_redirect(peer: Peer, _link: OutgoingLink, address: HubEvents) -> Node:
    """Refuse the link by telling a back end, and nobody else, where the stream is.

    Raises:
        LinkRedirected: always, unless AuthenticationFailed or PermissionDenied.
    """
    reader_grant(peer, address.rest)
    host = host_of(peer)
    raise LinkRedirected(host, PORT, redirect_address(host, PORT, peer.hub.names.event_stream, address.rest))
