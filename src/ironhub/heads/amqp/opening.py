"""How a link gets its node: an opener makes it, or refuses."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from ironhub.heads.amqp.node import Node
from ironhub.heads.amqp.peer import Peer
from ironhub.wire.amqp import IncomingLink, OutgoingLink

SenderOpener = Callable[[Peer, IncomingLink, Any], Awaitable[Node]]
"""Opens a link on which the peer sends: authorises, calls `link.accept`, and returns the node without waiting between
the two. Raises HubError before `accept` to refuse. The third argument is the Address, of the class it is registered
for. The link may be over (`link.detached`) when it returns; then `detached` follows at once."""

ReceiverOpener = Callable[[Peer, OutgoingLink, Any], Awaitable[Node]]
"""As SenderOpener, for a link on which the peer receives."""


class Openers(NamedTuple):
    """Who opens the links to one kind of address; None: nobody does."""

    sender: SenderOpener | None = None
    receiver: ReceiverOpener | None = None
