"""What stands behind one link: a node."""

from typing import Final, Protocol

from ironhub.wire.amqp import Delivery, Settled

SETTLED_TAG: Final = b"\0"
"""Of whatever is settled when it is sent: nobody will ever refer to it."""


class Node(Protocol):
    """Takes what happens on its link. Called in the event loop's thread; nothing here blocks.

    An exception that leaves a method ends the connection: HubError with its own words, anything else as a bug.
    """

    @property
    def overloaded(self) -> bool:
        """Nothing more should be read from the peer for now; looked at after `delivered`.

        When that ends, the node calls `Peer.adjust_reading`. Better still: grant no credit.
        """

    @property
    def keeps_open(self) -> bool:
        """Whether the connection has something to do while this link is there; not so for $cbs and the like, which do
        not keep a connection open whose other links were ended for lack of a right."""

    def delivered(self, delivery: Delivery) -> None:
        """A whole message came."""

    def credited(self) -> None:
        """Something may be sendable, or drain was asked: credit came, or the channel is no longer congested.

        Also called once right after the opener has returned, if there is credit by then.
        """

    def settled(self, event: Settled) -> None:
        """The peer settled a delivery of ours, or gave it a final state."""

    def detached(self) -> None:
        """The link is over, whoever ended it, or the whole connection; called exactly once, nothing follows."""


class SilentNode:
    """A Node to which nothing matters; inherit from it what your direction does not need."""

    __slots__ = ()

    @property
    def overloaded(self) -> bool:
        """See `Node.overloaded`."""
        return False

    @property
    def keeps_open(self) -> bool:
        """See `Node.keeps_open`."""
        return True

    def delivered(self, delivery: Delivery) -> None:
        """See `Node.delivered`."""

    def credited(self) -> None:
        """See `Node.credited`."""

    def settled(self, event: Settled) -> None:
        """See `Node.settled`."""

    def detached(self) -> None:
        """See `Node.detached`."""
