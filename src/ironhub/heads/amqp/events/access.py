"""Who may use the stream of telemetry, and what its parts are called in errors."""

from typing import Final

from ironhub.access.model import WHOLE_HUB, Grant, Permission
from ironhub.access.service import authorise
from ironhub.dialects.azure.amqp_errors import EntityNotFound
from ironhub.heads.amqp.credential import ServiceCredential
from ironhub.heads.amqp.peer import Peer
from ironhub.identity.audience import EVENTS_PATH

PORT: Final = 5671
"""Where AMQP clients dial, whatever a redirect says (azure-service-api 6.6)."""


def reader_grant(peer: Peer, rest: str = "") -> tuple[ServiceCredential, Grant]:
    """Return the peer's credential for the stream, or for what is at `rest` below it, and the grant it gives.

    Raises:
        AuthenticationFailed: it has shown none. PermissionDenied.
    """
    near = f"{EVENTS_PATH}/{rest}" if rest else EVENTS_PATH
    credential = peer.credentials.service(Permission.TELEMETRY_READ, near=near)
    return credential, authorise(credential.principal, Permission.TELEMETRY_READ, WHOLE_HUB)


def host_of(peer: Peer) -> str:
    """Return the name of this hub that the peer dialled, or another one if that is none of ours."""
    names = peer.hub.names
    return peer.hostname if peer.hostname in names else next(iter(names), "localhost")


def entity_not_found(peer: Peer, entity: str, kind: type[EntityNotFound] = EntityNotFound) -> EntityNotFound:
    """Return the error for something that is not below this host, in the words that clients look for."""
    return kind(f"sb://{host_of(peer)}/{entity}")


def partition_number(text: str, partitions: int) -> int | None:
    """Return which partition is called `text`, or None: they are called "0", "1" and so on."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 4 else partitions
    return number if number < partitions and str(number) == text else None
