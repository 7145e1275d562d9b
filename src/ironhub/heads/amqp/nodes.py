"""The open links of one connection: what happens on each is led to its node."""

from collections.abc import Iterator

from ironhub.heads.amqp.node import Node
from ironhub.wire.amqp import Delivered, IncomingLink, OutgoingLink, Settled

Link = IncomingLink | OutgoingLink


class Nodes:
    """Which node stands behind which link. Events of a link that has none, or none any more, are passed by."""

    __slots__ = ("_busy", "_nodes")

    def __init__(self) -> None:
        self._nodes: dict[Link, Node] = {}
        self._busy: set[Node] = set()
        """Those that were overloaded when looked at last."""

    def __iter__(self) -> Iterator[Link]:
        return iter(tuple(self._nodes))

    def __contains__(self, link: Link) -> bool:
        return link in self._nodes

    def add(self, link: Link, node: Node) -> None:
        """`link` is open."""
        self._nodes[link] = node
        link.app = node

    def end(self, link: Link) -> None:
        """`link` is over: its node hears it, once."""
        node = self._nodes.pop(link, None)
        if node is not None:
            self._busy.discard(node)
            node.detached()

    def delivered(self, event: Delivered) -> None:
        """A message came."""
        if (node := self._nodes.get(event.link)) is not None:
            node.delivered(event.delivery)
            if node.overloaded:
                self._busy.add(node)

    def credited(self, link: OutgoingLink) -> None:
        """Something may be sendable."""
        if (node := self._nodes.get(link)) is not None:
            node.credited()

    def settled(self, event: Settled) -> None:
        """The peer has decided about a delivery."""
        if (node := self._nodes.get(event.link)) is not None:
            node.settled(event)

    def resumed(self) -> None:
        """The peer reads again: whoever had to stop sending goes on."""
        for link in self:
            if isinstance(link, OutgoingLink):
                self.credited(link)

    def are_full(self) -> bool:
        """Whether nothing more should be read from the peer for now."""
        if self._busy:
            self._busy = {node for node in self._busy if node.overloaded}
        return bool(self._busy)

    @property
    def keep_open(self) -> bool:
        """Whether the connection has something to do while these links are there: see `Node.keeps_open`."""
        return any(node.keeps_open for node in self._nodes.values())
