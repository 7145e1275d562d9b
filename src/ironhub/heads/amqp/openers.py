"""Who opens a link, by the kind of address it names; an address that is not here is refused with amqp:not-found."""

from typing import Final

from ironhub.dialects.azure.amqp_addresses import AddressUnknown, parse_address
from ironhub.heads.amqp.cbs import OPENERS as CBS
from ironhub.heads.amqp.device.openers import OPENERS as DEVICE
from ironhub.heads.amqp.events.openers import OPENERS as EVENTS
from ironhub.heads.amqp.node import Node
from ironhub.heads.amqp.opening import Openers
from ironhub.heads.amqp.peer import Peer
from ironhub.heads.amqp.service.openers import OPENERS as SERVICE
from ironhub.wire.amqp import IncomingLink, OutgoingLink

OPENERS: Final[dict[type, Openers]] = {**CBS, **DEVICE, **SERVICE, **EVENTS}
_NOBODY: Final = Openers()


def address_of(link: IncomingLink | OutgoingLink) -> str:
    """Return what the peer wants a link to or from, as it wrote it."""
    return (link.source_address if isinstance(link, OutgoingLink) else link.target_address) or ""


async def open_link(peer: Peer, link: IncomingLink | OutgoingLink) -> Node:
    """Return the node of a link that the peer attached, which is accepted by then. Raises HubError to refuse it."""
    text = address_of(link)
    receives = isinstance(link, OutgoingLink)
    address = parse_address(text, receiver=receives, event_stream=peer.hub.names.event_stream)
    openers = OPENERS.get(type(address), _NOBODY)
    if isinstance(link, OutgoingLink) and openers.receiver is not None:
        return await openers.receiver(peer, link, address)
    if isinstance(link, IncomingLink) and openers.sender is not None:
        return await openers.sender(peer, link, address)
    raise AddressUnknown(f"no link can be attached to {text[:200]!a} in this direction")
