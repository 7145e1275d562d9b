"""`$management`: what readers ask about the stream and its partitions before they read."""

from functools import partial
from typing import Final

from ironhub.access.model import WHOLE_HUB, Grant, Permission
from ironhub.access.service import authorise
from ironhub.core.errors import HubError
from ironhub.dialects.azure.amqp_addresses import MANAGEMENT_NODE, StreamManagement
from ironhub.dialects.azure.amqp_cbs import encode_reply
from ironhub.dialects.azure.amqp_errors import PartitionNotFound
from ironhub.dialects.azure.amqp_management import (
    ManagementRequest,
    decode_management_request,
    encode_partition_reply,
    encode_stream_reply,
)
from ironhub.dialects.azure.errors import error_text
from ironhub.heads.amqp.events.access import entity_not_found, partition_number, reader_grant
from ironhub.heads.amqp.node import Node
from ironhub.heads.amqp.peer import Peer
from ironhub.heads.amqp.replies import ReplyNode
from ironhub.heads.amqp.requests import Requests
from ironhub.wire.amqp import IncomingLink, OutgoingLink
from ironhub.wire.amqp.message import RawMessage

MAX_REQUEST: Final = 32_768
"""Bytes; a token and a few names fit."""
FORBIDDEN: Final = 403
UNAUTHORIZED: Final = 401


async def open_requests(peer: Peer, link: IncomingLink, _: StreamManagement) -> Node:
    """Take questions from a back end that may read the stream. Raises AuthenticationFailed, PermissionDenied."""
    credential, _grant = reader_grant(peer)
    credential.hold(link)
    link.accept(peer.hub.settings.max_requests, MAX_REQUEST)
    return Requests(peer, link, MANAGEMENT_NODE, partial(_reply, peer))


async def open_replies(peer: Peer, link: OutgoingLink, _: StreamManagement) -> Node:
    """Send it the answers. Raises AuthenticationFailed, PermissionDenied."""
    credential, _grant = reader_grant(peer)
    credential.hold(link)
    link.accept()
    return ReplyNode(peer.replies(MANAGEMENT_NODE), link, peer.soon_flush)


async def _reply(peer: Peer, message: RawMessage, message_id: bytes) -> bytes:
    try:
        request = decode_management_request(message)
        grant = await _grant_for(peer, request)
        return await _answer(peer, request, grant, message_id)
    except HubError as error:
        status = UNAUTHORIZED if error.status == FORBIDDEN else error.status  # clients know no other for a token
        return encode_reply(message_id, status, error_text(error))


async def _grant_for(peer: Peer, request: ManagementRequest) -> Grant:
    """A token that comes with the question must be good too, though the connection has shown one already."""
    if not request.security_token:
        return reader_grant(peer)[1]
    principal = await peer.hub.gate.admit_service(request.security_token)
    return authorise(principal, Permission.TELEMETRY_READ, WHOLE_HUB)


async def _answer(peer: Peer, request: ManagementRequest, grant: Grant, message_id: bytes) -> bytes:
    hub = peer.hub
    name, partitions = hub.names.event_stream, hub.telemetry.partitions
    if request.name.lower() != name:
        raise entity_not_found(peer, request.name)
    if request.partition is None:
        return encode_stream_reply(message_id, name, partitions, hub.created_at)
    partition = partition_number(request.partition, partitions)
    if partition is None:
        raise entity_not_found(peer, f"{name}/Partitions/{request.partition}", PartitionNotFound)
    return encode_partition_reply(message_id, name, partition, await hub.telemetry.telemetry_ends(grant, partition))
