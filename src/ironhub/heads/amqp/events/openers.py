"""Who opens which links of the Event Hubs-compatible endpoint."""

from functools import partial
from typing import Final

from ironhub.core.errors import InvalidArgument
from ironhub.dialects.azure.amqp_addresses import HubEvents, StreamManagement, StreamPartition, StreamProducer
from ironhub.dialects.azure.amqp_errors import GroupNotFound, PartitionNotFound, StreamReadOnly
from ironhub.dialects.azure.amqp_filters import decode_start
from ironhub.heads.amqp.events.access import entity_not_found, partition_number, reader_grant
from ironhub.heads.amqp.events.management import open_replies, open_requests
from ironhub.heads.amqp.events.receiver import Reading, Receiver
from ironhub.heads.amqp.events.redirect import open_redirect
from ironhub.heads.amqp.events.start import resolve_start
from ironhub.heads.amqp.node import Node
from ironhub.heads.amqp.opening import Openers
from ironhub.heads.amqp.peer import Peer
from ironhub.messaging.telemetry.consumers import ConsumerGroupNotFound
from ironhub.wire.amqp import IncomingLink, OutgoingLink

EPOCH: Final = "com.microsoft:epoch"
RUNTIME_METRIC: Final = "com.microsoft:enable-receiver-runtime-metric"


async def open_receiver(peer: Peer, link: OutgoingLink, address: StreamPartition) -> Node:
    """Open a reader of one partition, where its filter says; with an epoch it may take the partition from others.

    Raises:
        AuthenticationFailed, PermissionDenied, EntityNotFound, FilterInvalid, InvalidArgument: its epoch is none.
        ReaderEpochTooLow, ReaderEpochNeeded, TooManyReaders. Unavailable.
    """
    hub, group = peer.hub, address.group
    path = f"ConsumerGroups/{group}/Partitions/{address.partition}"
    _, grant = reader_grant(peer, path)
    partition = partition_number(address.partition, hub.telemetry.partitions)
    if partition is None:
        raise entity_not_found(peer, f"{hub.names.event_stream}/{path}", PartitionNotFound)
    epoch = _epoch(link)
    start = await resolve_start(decode_start(link.source_filter), hub.telemetry, grant, partition)
    reading = Reading(grant, partition, start, RUNTIME_METRIC in link.desired_capabilities)
    receiver = Receiver(peer, link, reading)
    leave = partial(hub.consumers.leave, group, partition, receiver)
    try:
        await hub.consumers.enter(grant, group, partition, receiver, epoch=epoch)
        # What opens it may have ended meanwhile; from here on nothing waits.
        credential, _ = reader_grant(peer, path)
        credential.hold(link)
        receiver.open(leave)
    except ConsumerGroupNotFound as error:
        raise entity_not_found(peer, f"{hub.names.event_stream}/{path}", GroupNotFound) from error
    except BaseException:
        leave()
        raise
    return receiver


async def refuse_producer(_peer: Peer, _link: IncomingLink, _address: StreamProducer) -> Node:
    """Refuse. Raises StreamReadOnly."""
    raise StreamReadOnly("the stream of telemetry is only read here")


def _epoch(link: OutgoingLink) -> int | None:
    epoch = link.properties.get(EPOCH)
    if epoch is None:
        return None
    if not isinstance(epoch, int) or epoch < 0:
        raise InvalidArgument("an epoch is a whole number, 0 or more")
    return epoch


OPENERS: Final[dict[type, Openers]] = {
    StreamPartition: Openers(receiver=open_receiver),
    StreamManagement: Openers(sender=open_requests, receiver=open_replies),
    StreamProducer: Openers(sender=refuse_producer),
    HubEvents: Openers(receiver=open_redirect),
}
"""By the kind of address."""
