"""`$cbs`: tokens come as requests, and each gets an answer that says whether it was good.

What it protects: anybody may ask here, so one token after the other is looked at, of a bounded size, and who shows
nothing but bad ones is cut. A token's text goes to the gate and nowhere else.
Source: azure-service-api 2.5, azure-device-api 3.3.
"""

from functools import partial
from typing import Final
from urllib.parse import unquote

from ironhub.core.errors import HubError, Unavailable
from ironhub.dialects.azure.amqp_addresses import CBS_NODE, CbsNode
from ironhub.dialects.azure.amqp_cbs import MAX_TOKEN, OK, decode_put_token, encode_reply
from ironhub.dialects.azure.errors import error_text
from ironhub.heads.amqp.node import Node
from ironhub.heads.amqp.opening import Openers
from ironhub.heads.amqp.peer import Peer
from ironhub.heads.amqp.replies import ReplyNode
from ironhub.heads.amqp.requests import Requests
from ironhub.identity.audience import parse_audience
from ironhub.wire.amqp import IncomingLink, OutgoingLink
from ironhub.wire.amqp.message import RawMessage

MALFORMED: Final = 400
REFUSED: Final = 401
_OVERHEAD: Final = 8192
"""Bytes of a request besides its token."""


async def open_requests(peer: Peer, link: IncomingLink, _: CbsNode) -> Node:
    """Take tokens from anybody: who they are is what the tokens tell."""
    link.accept(peer.hub.settings.max_requests, MAX_TOKEN + _OVERHEAD)
    return Requests(peer, link, CBS_NODE, partial(_reply, peer))


async def open_replies(peer: Peer, link: OutgoingLink, _: CbsNode) -> Node:
    """Send the answers."""
    link.accept()
    return ReplyNode(peer.replies(CBS_NODE), link, peer.soon_flush)


async def _reply(peer: Peer, message: RawMessage, message_id: bytes) -> bytes:
    asked = ""
    try:
        put = decode_put_token(message)
        asked = _named(put.audience)
        await peer.credentials.put(put.token)
    except Unavailable as error:  # of which the client must not think that its token is bad
        return encode_reply(message_id, error.status, error_text(error))
    except HubError as error:
        peer.refused(error, asked)
        return encode_reply(message_id, REFUSED if error.status == REFUSED else MALFORMED, error_text(error))
    return encode_reply(message_id, OK, "OK")


def _named(audience: str) -> str:
    """For the log: who or what the token was put for, and nothing else that somebody may have written there."""
    parsed = parse_audience(unquote(audience))
    return "" if parsed is None else f"{parsed.host}{parsed.path}"


OPENERS: Final[dict[type, Openers]] = {CbsNode: Openers(open_requests, open_replies)}
