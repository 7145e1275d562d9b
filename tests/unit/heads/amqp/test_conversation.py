"""heads/amqp/conversation.py, with nodes that the tests put behind two addresses."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from tests.fakes.amqp_client import ClientLink, message
from tests.fakes.amqp_head import AmqpHub, Peer
from tests.fakes.channel import FakeChannel

from ironhub.core.bus import PolicyChanged
from ironhub.core.errors import HubError, InvalidArgument
from ironhub.core.ids import identity
from ironhub.dialects.azure.amqp_addresses import CommandFeedback, ServiceCommands
from ironhub.dialects.azure.amqp_errors import LinkRedirected
from ironhub.heads.amqp.conversation import MAX_OPENING
from ironhub.heads.amqp.node import Node, SilentNode
from ironhub.heads.amqp.openers import OPENERS
from ironhub.heads.amqp.opening import Openers
from ironhub.heads.amqp.peer import Peer as HeadPeer
from ironhub.heads.amqp.services import AmqpSettings
from ironhub.wire.amqp import Delivery, Error, IncomingLink, Limits, Settled
from ironhub.wire.amqp.conditions import (
    DETACH_FORCED,
    FRAMING_ERROR,
    INTERNAL_ERROR,
    RESOURCE_LIMIT_EXCEEDED,
    UNAUTHORIZED_ACCESS,
)
from ironhub.wire.amqp.frames import AMQP_HEADER

PRESS = identity("press-7")
IN, OUT = "/messages/devicebound", "/messages/servicebound/feedback"
FORCED = Error(DETACH_FORCED, "enough")


class Listening(SilentNode):
    """Notes what happens on its link; `trouble` is raised by what comes next."""

    def __init__(self, peer: HeadPeer, link: Any) -> None:
        self.peer = peer
        self.link = link
        self.heard: list[object] = []
        self.trouble: Exception | None = None
        self.is_full = False
        self.then: Callable[[], None] = lambda: None
        """What it does about whatever happens."""

    @property
    def overloaded(self) -> bool:
        return self.is_full

    def delivered(self, delivery: Delivery) -> None:
        self.note(delivery.payload)

    def credited(self) -> None:
        self.note("credited")

    def settled(self, event: Settled) -> None:
        self.note(event.tag)

    def detached(self) -> None:
        self.note("detached")

    def note(self, what: object) -> None:
        self.heard.append(what)
        self.then()
        if self.trouble is not None:
            raise self.trouble


class Stage:
    """A hub whose links lead to the test's own nodes."""

    def __init__(self, hub: AmqpHub) -> None:
        self.hub = hub
        self.nodes: list[Listening] = []
        self.refusal: Exception | None = None
        self.gate: asyncio.Event | None = None
        """Openers wait for it."""

    async def open(self, peer: HeadPeer, link: Any, _: object) -> Node:
        if self.gate is not None:
            await self.gate.wait()
        if self.refusal is not None:
            raise self.refusal
        node = Listening(peer, link)
        self.nodes.append(node)
        link.accept(10) if isinstance(link, IncomingLink) else link.accept()
        return node

    async def peer(self, channel: FakeChannel | None = None) -> Peer:
        """A connection that has shown a device's token."""
        return await self.hub.device(PRESS, channel=channel)

    async def sender(self) -> tuple[Peer, ClientLink, Listening]:
        """A client that may send to a node."""
        peer = await self.peer()
        link = peer.client.sender(IN)
        await peer.settle()
        return peer, link, self.nodes[-1]

    async def receiver(self, credit: int | None = None) -> tuple[Peer, ClientLink, Listening]:
        """A client that may receive from a node."""
        peer = await self.peer()
        link = peer.client.receiver(OUT, credit=credit)
        await peer.settle()
        return peer, link, self.nodes[-1]


@pytest.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    made = Stage(AmqpHub())
    await made.hub.register(PRESS)
    monkeypatch.setitem(OPENERS, ServiceCommands, Openers(sender=made.open))
    monkeypatch.setitem(OPENERS, CommandFeedback, Openers(receiver=made.open))
    yield made
    await made.hub.amqp.background.drain(0)


# Links and their nodes.


async def test_what_happens_on_a_link_reaches_its_node(stage: Stage) -> None:
    peer, link, node = await stage.sender()
    assert node.link.app is node
    peer.client.transfer(link, message(b"one"))
    peer.client.detach(link)
    await peer.settle()
    assert node.heard == [message(b"one"), "detached"]
    cbs = 2  # links to `$cbs` that each peer has
    assert stage.hub.amqp.activity.counts == {"links_opened": cbs + 1, "links_closed": 1}
    peer, link, node = await stage.receiver()
    peer.client.grant(link, 5)
    node.link.send(message(b"two"), b"tag", False)
    node.peer.flush()
    (came,) = peer.hear().client.links[-1].take()
    peer.client.dispose(link, came.delivery_id)
    assert node.heard == ["credited", b"tag"]
    assert (node.peer.container, node.peer.hostname) == ("client", "hub.example")
    assert stage.hub.amqp.activity.counts == {"links_opened": 2 * cbs + 2, "links_closed": 1}
    peer.conversation.lost()
    assert stage.hub.amqp.activity.counts == {"links_opened": 2 * cbs + 2, "links_closed": cbs + 2}


async def test_credit_that_came_before_the_answer_is_told_after_it(stage: Stage) -> None:
    _, _, node = await stage.receiver(credit=5)
    assert node.heard == ["credited"]


async def test_what_an_opener_refuses_is_told_and_counted(stage: Stage) -> None:
    stage.refusal = InvalidArgument("not like that")
    peer = await stage.peer()
    link = peer.client.sender(IN)
    await peer.settle()
    assert link.refusal == "com.microsoft:argument-error"
    assert stage.hub.amqp.tally.counts["refused:argument.invalid"] == 1
    stage.refusal = LinkRedirected("hub.example", 5671, "amqps://hub.example:5671/events")
    link = peer.client.sender(IN)
    await peer.settle()
    assert link.refusal == "amqp:link:redirect"
    assert "refused:link.redirected" not in stage.hub.amqp.tally.counts


async def test_a_bug_in_an_opener_costs_its_connection_only(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    other = await stage.peer()
    stage.refusal = ZeroDivisionError()
    peer = await stage.peer()
    peer.client.sender(IN)
    await peer.settle()
    assert peer.client.reason == INTERNAL_ERROR
    assert peer.channel.closed
    assert not other.channel.closed
    assert "amqp_work_failed" in caplog.text


async def test_a_link_that_went_while_it_was_opened_is_told_to_its_node(stage: Stage) -> None:
    stage.gate = asyncio.Event()
    peer = await stage.peer()
    link = peer.client.sender(IN)
    peer.client.detach(link)
    stage.gate.set()
    await peer.settle()
    assert stage.nodes[0].heard == ["detached"]
    stage.gate.clear()
    peer.client.sender(IN)
    peer.conversation.lost()
    stage.gate.set()
    await stage.hub.settle()
    assert stage.nodes[1].heard == ["detached"]


async def test_a_refusal_after_the_end_of_the_connection_harms_nobody(stage: Stage) -> None:
    stage.gate, stage.refusal = asyncio.Event(), InvalidArgument("no")
    peer = await stage.peer()
    peer.client.sender(IN)
    peer.conversation.lost()
    stage.gate.set()
    await stage.hub.settle()
    assert not peer.channel.closed  # the conversation was told, not asked


# What a node can do.


async def test_a_link_is_detached_with_its_error_and_told_once(stage: Stage) -> None:
    peer, link, node = await stage.sender()
    node.peer.detach(node.link, FORCED)
    node.peer.detach(node.link, InvalidArgument("again"))
    await peer.settle()
    assert (link.refusal, node.heard) == (DETACH_FORCED, ["detached"])
    assert not peer.channel.closed


async def test_a_link_is_detached_with_one_of_our_errors_or_none(stage: Stage) -> None:
    peer, link, node = await stage.sender()
    node.peer.detach(node.link, InvalidArgument("no"))
    other = peer.client.sender(IN)
    await peer.settle()
    stage.nodes[1].peer.detach(stage.nodes[1].link, None)
    await peer.settle()
    assert (link.refusal, other.refusal) == ("com.microsoft:argument-error", "")
    assert other.detached


@pytest.mark.parametrize("error", [FORCED, InvalidArgument("no")])
async def test_with_the_last_link_that_keeps_it_open_the_connection_is_dismissed(
    stage: Stage, error: Error | HubError
) -> None:
    peer, link, node = await stage.sender()
    kept = peer.client.sender(IN)
    await peer.settle()
    node.peer.dismiss([node.link], error)
    await peer.settle()
    assert link.refusal
    assert kept.is_open
    assert not peer.channel.closed
    node.peer.dismiss([stage.nodes[1].link], error)
    node.peer.dismiss([], error)
    await peer.settle()
    assert peer.client.reason == kept.refusal == link.refusal
    assert peer.channel.closed


async def test_a_client_has_time_to_go_on_or_to_close_before_it_is_closed(stage: Stage) -> None:
    peer, link, node = await stage.sender()
    node.peer.dismiss([node.link], FORCED)
    node.peer.flush()
    peer.hear()
    assert link.refusal
    assert not peer.channel.closed
    again = peer.client.sender(IN)
    await peer.settle()
    assert again.is_open
    node.peer.dismiss([stage.nodes[1].link], FORCED)
    peer.client.close()
    await peer.settle()
    assert peer.client.reason == ""
    assert peer.channel.closed


async def test_what_came_together_is_told_to_be_whole_before_anything_is_sent(stage: Stage) -> None:
    peer, link, node = await stage.sender()
    held: list[bytes] = []
    peer.client.send = held.append
    peer.client.transfer(link, b"\x00\x53\x75\xa0\x01a")
    peer.client.transfer(link, b"\x00\x53\x75\xa0\x01b")
    seen: list[int] = []
    node.then = lambda: node.peer.when_read(lambda: seen.append(len(node.heard)))
    peer.conversation.receive(b"".join(held))
    assert seen == [2, 2]
    node.peer.when_read(lambda: seen.append(-1))
    assert seen == [2, 2]
    await peer.settle()
    assert seen == [2, 2, -1]


async def test_many_wishes_to_send_are_one_write(stage: Stage) -> None:
    peer, link, node = await stage.receiver(credit=5)
    writes: list[bytes] = []
    peer.channel.send = writes.append  # type: ignore[method-assign,assignment]
    for _ in range(3):
        node.link.send(message(b"x"), b"", True)
        node.peer.soon_flush()
    assert writes == []
    await stage.hub.settle()
    assert len(writes) == 1
    peer.client.hear(writes[0])
    assert len(link.take()) == 3


async def test_a_node_that_is_full_stops_the_reading_until_it_says_so(stage: Stage) -> None:
    peer, link, node = await stage.sender()
    node.is_full = True
    peer.client.transfer(link, message(b"x"))
    assert not peer.channel.reading
    node.peer.adjust_reading()
    assert not peer.channel.reading
    node.is_full = False
    node.peer.adjust_reading()
    assert peer.channel.reading


async def test_links_that_wait_to_be_opened_are_bounded_also_if_the_peer_has_ended_them(stage: Stage) -> None:
    peer = await stage.peer()
    stage.gate = asyncio.Event()
    reads = []
    for _ in range(MAX_OPENING + 1):
        peer.client.detach(peer.client.sender(IN))
        reads.append(peer.channel.reading)
    stage.gate.set()
    await stage.hub.settle()
    assert [*reads, peer.channel.reading] == [True] * MAX_OPENING + [False, True]


async def test_who_sends_goes_on_when_the_peer_reads_again(stage: Stage) -> None:
    peer, _, node = await stage.receiver()
    peer.client.sender(IN)
    await peer.settle()
    peer.conversation.resumed()
    assert node.heard == ["credited"]
    assert stage.nodes[1].heard == []


async def test_work_that_fails_ends_the_connection_with_its_error(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(error: Exception) -> None:
        raise error

    for error, condition in ((InvalidArgument("no"), "com.microsoft:argument-error"), (KeyError(), INTERNAL_ERROR)):
        peer, _, node = await stage.sender()
        node.peer.spawn(fail(error))
        await peer.settle()
        assert peer.client.reason == condition
        assert node.heard == ["detached"]
    assert caplog.text.count("amqp_work_failed") == 1


async def test_an_error_of_a_node_ends_the_connection(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    peer, link, node = await stage.sender()
    node.trouble = InvalidArgument("not that")
    peer.client.transfer(link, message(b"x"))
    peer.hear()
    assert peer.client.reason == "com.microsoft:argument-error"
    assert peer.channel.closed
    assert "amqp_node_failed" in caplog.text  # it failed once more when it was told of the end


@pytest.mark.parametrize("error", [InvalidArgument("no"), ZeroDivisionError()])
async def test_an_error_after_the_reading_ends_the_connection(stage: Stage, error: Exception) -> None:
    peer, _, node = await stage.sender()

    def fail() -> None:
        raise error

    node.peer.when_read(fail)
    await peer.settle()
    assert peer.client.reason
    assert peer.channel.closed


async def test_nothing_is_done_after_the_end(stage: Stage) -> None:
    peer, _, node = await stage.sender()
    node.peer.close()
    peer.channel.take()
    node.peer.close(FORCED)
    node.peer.fail(InvalidArgument("late"))
    node.peer.soon_flush()
    node.peer.flush()
    peer.conversation.receive(b"late")
    peer.conversation.admitted()
    peer.conversation.on_timer()
    peer.conversation.lost()
    await stage.hub.settle()
    assert peer.channel.take() == b""
    assert node.peer.closed
    assert node.heard == ["detached"]


async def test_events_behind_the_end_are_not_led_on(stage: Stage) -> None:
    peer, link, node = await stage.sender()
    held: list[bytes] = []
    peer.client.send = held.append
    for _ in range(2):
        peer.client.transfer(link, message(b"x"))
    node.then = node.peer.close
    peer.conversation.receive(b"".join(held))
    assert node.heard == [message(b"x"), "detached"]


# The peer's end.


async def test_a_peer_that_closes_is_answered(stage: Stage) -> None:
    peer, _, node = await stage.sender()
    peer.client.close()
    peer.hear()
    assert peer.client.closed
    assert peer.channel.closed
    assert node.heard == ["detached"]


async def test_a_peer_that_breaks_the_protocol_is_told_how_and_harms_nobody_else(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    other = await stage.peer()
    peer, _, node = await stage.sender()
    peer.client.send(b"\0\0\0\7\2\0\0\0")
    peer.hear()
    assert peer.client.reason == FRAMING_ERROR
    assert node.heard == ["detached"]
    assert "amqp_connection_ended" in caplog.text
    assert not other.channel.closed


async def test_what_is_no_amqp_gets_our_header_and_the_end(stage: Stage) -> None:
    peer = stage.hub.dial()
    peer.client.send(b"GET / HTTP/1.1\r\n\r\n")
    assert peer.channel.take()[:4] == AMQP_HEADER[:4]
    assert peer.channel.closed


# Strangers.


async def test_a_stranger_is_bounded_until_it_has_shown_something_good(stage: Stage) -> None:
    peer = await stage.hub.connected()
    for _ in range(Limits().max_stranger_links + 1):
        peer.client.sender("$cbs")
    peer.hear()
    assert peer.client.reason == RESOURCE_LIMIT_EXCEEDED
    peer = await stage.peer()
    for _ in range(Limits().max_stranger_links + 1):
        peer.client.sender("$cbs")
    await peer.settle()
    assert not peer.channel.closed


async def test_a_stranger_that_tries_on_and_on_is_cut(stage: Stage) -> None:
    attempts = AmqpSettings().max_attempts
    peer = await stage.hub.connected()
    for number in range(attempts):
        assert not peer.channel.closed
        link = peer.client.sender(f"/devices/d{number}/messages/events")
        await peer.settle()
        assert link.refusal == UNAUTHORIZED_ACCESS
        peer.client.detach(link)
    assert peer.channel.closed
    assert peer.client.reason == UNAUTHORIZED_ACCESS


# Time.


async def test_what_is_not_renewed_ends_when_its_time_is_over(stage: Stage) -> None:
    hub = stage.hub
    peer = await hub.connected(await hub.token(PRESS, life=10.0))
    link = peer.client.sender("/devices/press-7/messages/events")
    await peer.settle()
    hub.clock.advance(309.0)
    peer.conversation.wire.receive(b"\0\0\0\x08\2\0\0\0", hub.clock.monotonic())
    peer.conversation.on_timer()
    assert link.is_open
    hub.clock.advance(1.0)
    peer.conversation.on_timer()
    await peer.settle()
    assert link.refusal == peer.client.reason == UNAUTHORIZED_ACCESS
    assert peer.channel.closed
    assert hub.sessions.of(PRESS) is None


async def test_a_renewal_in_time_keeps_the_links(stage: Stage) -> None:
    hub = stage.hub
    peer = await hub.connected(await hub.token(PRESS, life=10.0))
    link = peer.client.sender("/devices/press-7/messages/events")
    await peer.settle()
    hub.clock.advance(200.0)
    assert await peer.put_token(await hub.token(PRESS)) == 200
    hub.clock.advance(200.0)
    peer.conversation.on_timer()
    peer.hear()
    assert link.is_open


async def test_a_silent_peer_is_closed(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    peer, _, node = await stage.sender()
    stage.hub.clock.advance(Limits().idle_timeout - 1)
    peer.conversation.on_timer()
    assert not peer.channel.closed
    stage.hub.clock.advance(1)
    peer.conversation.on_timer()
    peer.hear()
    assert peer.client.reason == RESOURCE_LIMIT_EXCEEDED
    assert node.heard == ["detached"]
    assert "amqp_peer_silent" in caplog.text


async def test_who_logs_in_and_never_opens_is_cut(stage: Stage) -> None:
    hub = stage.hub
    peer = hub.dial()
    peer.client.plain("press-7@sas.hub", await hub.token(PRESS))
    await peer.settle()
    hub.clock.advance(AmqpSettings().open_timeout - 1)
    peer.conversation.on_timer()
    assert not peer.channel.closed
    hub.clock.advance(1)
    peer.conversation.on_timer()
    assert peer.channel.closed


async def test_the_peers_idle_time_out_is_obeyed(stage: Stage) -> None:
    peer = stage.hub.dial()
    peer.client.open(idle=8000)
    peer.hear()
    for _ in range(4):
        stage.hub.clock.advance(2.0)
        peer.conversation.on_timer()
    peer.hear()
    assert 2 <= peer.client.heartbeats <= 4
    assert not peer.channel.closed


# Rights that end.


async def test_a_policy_that_is_deleted_ends_its_back_ends_and_no_other(stage: Stage) -> None:
    hub = stage.hub
    one, other = await hub.connected(await hub.policy_token("one")), await hub.connected(await hub.policy_token("two"))
    await hub.stores.policies.delete_policy("one")
    hub.bus.publish(PolicyChanged("one"))
    await one.settle()
    assert one.client.reason == UNAUTHORIZED_ACCESS
    assert not other.channel.closed


async def test_a_device_that_is_disabled_ends_and_the_others_on_its_connection_do_not(stage: Stage) -> None:
    hub, lathe = stage.hub, identity("lathe-1")
    await hub.register(lathe)
    peer = await hub.connected(await hub.token(PRESS), await hub.token(lathe))
    links = [peer.client.sender(f"/devices/{who}/messages/events") for who in (PRESS, lathe)]
    await peer.settle()
    await hub.disable(PRESS)
    await peer.settle()
    assert [link.refusal for link in links] == [UNAUTHORIZED_ACCESS, ""]
    assert not peer.channel.closed
    await hub.disable(lathe)
    await peer.settle()
    assert peer.client.reason == UNAUTHORIZED_ACCESS
