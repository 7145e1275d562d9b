"""heads/amqp/replies.py; which link is chosen when is in test_cbs.py too."""

from collections.abc import AsyncIterator

import pytest
from tests.fakes.amqp_client import CBS, statuses
from tests.fakes.amqp_head import AmqpHub, Peer

from ironhub.core.ids import identity
from ironhub.heads.amqp.replies import ReplyLinks, TooManyRequests
from ironhub.heads.amqp.services import AmqpSettings
from ironhub.wire.amqp import IncomingLink
from ironhub.wire.amqp.conditions import DETACH_FORCED

PRESS = identity("press-7")
LIMIT = 3


@pytest.fixture
async def hub() -> AsyncIterator[AmqpHub]:
    made = AmqpHub(AmqpSettings(max_requests=LIMIT, dismissal=0.0))
    await made.register(PRESS)
    yield made
    await made.amqp.background.drain(0)


def request_of(peer: Peer, number: int = 0) -> IncomingLink:
    """The hub's end of the links that requests come on."""
    found = [link for link in peer.conversation._nodes if isinstance(link, IncomingLink)]
    return found[number]


async def test_an_answer_waits_for_a_link_that_comes_later(hub: AmqpHub) -> None:
    peer = await hub.connected()
    requests = peer.client.sender(CBS)
    await peer.settle()
    peer.client.put_token(requests, await hub.token(PRESS))
    await peer.settle()
    replies = peer.client.receiver(CBS)
    await peer.settle()
    assert statuses(replies) == [200]


async def test_an_answer_goes_another_way_when_its_link_has_gone(hub: AmqpHub) -> None:
    peer = await hub.connected()
    requests, replies = peer.client.cbs(credit=None)
    await peer.settle()
    peer.client.put_token(requests, await hub.token(PRESS))
    await peer.settle()
    peer.client.detach(replies)
    other = peer.client.receiver(CBS)
    await peer.settle()
    assert statuses(other) == [200]


async def test_nobody_waits_for_the_answers_of_a_link_that_has_gone(hub: AmqpHub) -> None:
    peer = await hub.connected()
    requests = peer.client.sender(CBS)
    await peer.settle()
    peer.client.put_token(requests, await hub.token(PRESS))
    await peer.settle()
    links = peer.conversation.replies(CBS)
    assert links.waiting == 1
    peer.client.detach(requests)
    await peer.settle()
    assert links.waiting == 0


async def test_too_many_answers_that_nobody_takes_are_an_error(hub: AmqpHub) -> None:
    peer = await hub.connected()
    peer.client.sender(CBS)
    await peer.settle()
    links = ReplyLinks(2)
    for _ in range(2):
        links.answer(request_of(peer), None, b"")
    with pytest.raises(TooManyRequests):
        links.answer(request_of(peer), None, b"")


async def test_credit_on_many_links_gets_nobody_past_the_limit(hub: AmqpHub) -> None:
    peer = await hub.connected()
    links = [peer.client.sender(CBS) for _ in range(LIMIT)]
    await peer.settle()
    for link in links:
        for _ in range(LIMIT):
            peer.client.put_token(link, "nonsense")
    await peer.settle()
    assert peer.channel.closed
    assert peer.client.reason == "com.microsoft:device-container-throttled"


async def test_who_watches_hears_of_room_until_it_stops(hub: AmqpHub) -> None:
    peer = await hub.connected()
    peer.client.cbs(credit=None)
    await peer.settle()
    heard: list[int] = []
    links = peer.conversation.replies(CBS)

    def poured() -> None:
        heard.append(links.waiting)

    links.watch(poured)
    links.pour()
    assert heard == []
    links.answer(request_of(peer), None, b"\x00\x53\x77\x40")
    links.answer(request_of(peer), None, b"\x00\x53\x77\x40")
    peer.client.grant(peer.client.links[1], 1)
    assert heard == [1]
    links.unwatch(poured)
    links.unwatch(poured)
    peer.hear()
    peer.client.grant(peer.client.links[1], 1)
    assert heard == [1]
    assert links.waiting == 0


async def test_the_newest_link_of_a_name_is_taken_and_the_one_before_it_when_that_has_gone(hub: AmqpHub) -> None:
    peer = await hub.connected()
    requests = peer.client.sender(CBS)
    older, newer = (peer.client.receiver(CBS, target_address="cbs") for _ in range(2))
    other = peer.client.receiver(CBS)
    await peer.settle()
    for link in (newer, older, other):
        peer.client.put_token(requests, await hub.token(PRESS))
        await peer.settle()
        assert [len(each.take()) for each in (older, newer, other)] == [each is link for each in (older, newer, other)]
        peer.client.detach(link)
        await peer.settle()


async def test_reply_links_keep_no_connection_open(hub: AmqpHub) -> None:
    peer = await hub.device(PRESS)
    link = peer.client.sender("/devices/press-7/messages/events")
    await peer.settle()
    session = hub.sessions.of(PRESS)
    assert session is not None
    session.end("taken over by a newer connection")
    await peer.settle()
    assert (link.refusal, peer.client.reason) == (DETACH_FORCED, DETACH_FORCED)
