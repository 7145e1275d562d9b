"""heads/amqp/nodes.py"""

import pytest
from tests.fakes.amqp_engine import EngineClient

from ironhub.heads.amqp.node import SilentNode
from ironhub.heads.amqp.nodes import Nodes
from ironhub.wire.amqp import Delivered, Delivery, IncomingLink, Outcome, OutgoingLink, Settled


class Listening(SilentNode):
    """Notes what happens on its link."""

    def __init__(self, *, keeps_open: bool = True) -> None:
        self.heard: list[object] = []
        self.is_full = False
        self.has_purpose = keeps_open

    @property
    def overloaded(self) -> bool:
        return self.is_full

    @property
    def keeps_open(self) -> bool:
        return self.has_purpose

    def delivered(self, delivery: Delivery) -> None:
        self.heard.append(delivery.payload)

    def credited(self) -> None:
        self.heard.append("credited")

    def settled(self, event: Settled) -> None:
        self.heard.append(event.tag)

    def detached(self) -> None:
        self.heard.append("detached")


@pytest.fixture
def client() -> EngineClient:
    return EngineClient.opened()


@pytest.fixture
def incoming(client: EngineClient) -> IncomingLink:
    return client.sender()


@pytest.fixture
def outgoing(client: EngineClient) -> OutgoingLink:
    return client.receiver()


def came(link: IncomingLink) -> Delivered:
    return Delivered(link, Delivery(0, b"tag", b"one", False, 0))


def test_each_node_hears_what_happens_on_its_own_link(incoming: IncomingLink, outgoing: OutgoingLink) -> None:
    nodes, sending, receiving = Nodes(), Listening(), Listening()
    nodes.add(incoming, sending)
    nodes.add(outgoing, receiving)
    assert (incoming.app, outgoing.app) == (sending, receiving)
    assert list(nodes) == [incoming, outgoing]
    nodes.delivered(came(incoming))
    nodes.credited(outgoing)
    nodes.settled(Settled(outgoing, b"tag", Outcome.ACCEPTED))
    assert (sending.heard, receiving.heard) == ([b"one"], ["credited", b"tag"])


def test_a_link_without_a_node_is_passed_by(incoming: IncomingLink, outgoing: OutgoingLink) -> None:
    nodes = Nodes()
    nodes.delivered(came(incoming))
    nodes.credited(outgoing)
    nodes.settled(Settled(outgoing, b"tag", Outcome.ACCEPTED))
    nodes.end(incoming)
    assert list(nodes) == []


def test_the_end_of_a_link_is_told_once_and_nothing_after_it(incoming: IncomingLink) -> None:
    nodes, node = Nodes(), Listening()
    nodes.add(incoming, node)
    nodes.end(incoming)
    nodes.end(incoming)
    nodes.delivered(came(incoming))
    assert node.heard == ["detached"]


def test_links_may_end_while_all_are_gone_through(incoming: IncomingLink, outgoing: OutgoingLink) -> None:
    nodes = Nodes()
    for link in (incoming, outgoing):
        nodes.add(link, Listening())
    for link in nodes:
        nodes.end(link)
    assert list(nodes) == []


def test_who_sends_goes_on_when_the_peer_reads_again(incoming: IncomingLink, outgoing: OutgoingLink) -> None:
    nodes, sending, receiving = Nodes(), Listening(), Listening()
    nodes.add(incoming, sending)
    nodes.add(outgoing, receiving)
    nodes.resumed()
    assert (sending.heard, receiving.heard) == ([], ["credited"])


@pytest.mark.parametrize("by_its_end", [True, False])
def test_a_node_that_is_full_counts_until_it_says_otherwise_or_ends(incoming: IncomingLink, by_its_end: bool) -> None:
    nodes, node = Nodes(), Listening()
    nodes.add(incoming, node)
    node.is_full = True
    assert not nodes.are_full()  # it is looked at when something came
    nodes.delivered(came(incoming))
    assert nodes.are_full()
    if by_its_end:
        nodes.end(incoming)
    else:
        node.is_full = False
    assert not nodes.are_full()


def test_a_connection_is_kept_open_by_any_node_with_a_purpose(incoming: IncomingLink, outgoing: OutgoingLink) -> None:
    nodes = Nodes()
    assert not nodes.keep_open
    nodes.add(incoming, Listening(keeps_open=False))
    assert not nodes.keep_open
    nodes.add(outgoing, Listening())
    assert nodes.keep_open
