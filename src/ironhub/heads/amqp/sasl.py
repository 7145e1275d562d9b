"""Which SASL mechanisms a peer may choose, and what its choice shows.

What it protects: no mechanism lets anybody in but PLAIN with a good token. ANONYMOUS and MSSBCBS say that a token or a
certificate comes later, and EXTERNAL that a certificate was shown already; until then the peer is a stranger.
Source: azure-service-api 2.4, 5.1.
"""

from typing import Final

from ironhub.heads.amqp.credentials import Credentials
from ironhub.heads.channel import Channel
from ironhub.identity.model import AuthenticationFailed
from ironhub.wire.amqp import SaslInit
from ironhub.wire.amqp.errors import MalformedValue
from ironhub.wire.amqp.sasl import decode_plain

TOKENS: Final = "MSSBCBS"
PLAIN: Final = "PLAIN"
ANONYMOUS: Final = "ANONYMOUS"
EXTERNAL: Final = "EXTERNAL"


def mechanisms_for(channel: Channel) -> tuple[str, ...]:
    """Return what the peer may choose from, in the vendor's order: some clients take the first that they know."""
    offered = (TOKENS, PLAIN, ANONYMOUS)
    return (*offered, EXTERNAL) if channel.peer_chain else offered


async def log_in(init: SaslInit, channel: Channel, credentials: Credentials) -> None:
    """Return when the peer may go on, as a stranger unless the mechanism was PLAIN. Raises AuthenticationFailed."""
    if init.mechanism not in mechanisms_for(channel):
        raise AuthenticationFailed("the mechanism was not accepted", detail=f"mechanism {init.mechanism[:40]!a}")
    if init.mechanism == PLAIN:
        try:
            _, username, password = decode_plain(init.response)
        except MalformedValue as error:
            raise AuthenticationFailed("the credential was not accepted", detail=str(error)) from error
        await credentials.plain(username, password)
