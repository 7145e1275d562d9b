import json
from uuid import UUID

import pytest
from tests.fakes.amqp_client import ClientLink, Received
from tests.fakes.amqp_head import AmqpHub, Peer
from tests.fakes.grants import by_operator

from ironhub.access.model import Permission
from ironhub.core.ids import identity
from ironhub.identity.model import Right
from ironhub.messaging.commands import feedback
from ironhub.messaging.commands.model import Ack, CommandDraft
from ironhub.wire.amqp.decode import decode
from ironhub.wire.amqp.outcomes import ACCEPTED, MODIFIED, REJECTED, RELEASED
from ironhub.wire.amqp.properties import decode_properties

PRESS = identity("press-7")
FEEDBACK = "/messages/servicebound/feedback"


async def listener(hub: AmqpHub, *, credit: int | None = 1000) -> tuple[Peer, ClientLink]:
    """A back end that listens."""
    peer = await hub.backend()
    link = peer.client.receiver(FEEDBACK, credit=credit)
    await peer.settle()
    assert link.is_open
    return peer, link


async def end(hub: AmqpHub, *message_ids: str) -> None:
    """Commands that are purged, which their sender wants to know."""
    for message_id in message_ids:
        draft = CommandDraft(body=b"", message_id=message_id, ack=Ack.FULL)
        await hub.amqp.commands.send(by_operator(Permission.COMMAND_SEND, PRESS), draft)
    await hub.amqp.commands.purge(by_operator(Permission.COMMAND_PURGE, PRESS))


async def comes(peer: Peer, link: ClientLink) -> Received:
    """The next batch."""
    await peer.until(lambda: link.messages)
    return link.messages.pop(0)


def ids(received: Received) -> list[str]:
    return [record["originalMessageId"] for record in json.loads(received.body)]


async def kept(hub: AmqpHub) -> int:
    records = await hub.amqp.commands.feedback(by_operator(Permission.FEEDBACK_READ), after=0, limit=1000)
    return len(records)


async def test_feedback_comes_as_one_message_for_all_that_is_there(hub: AmqpHub) -> None:
    await end(hub, "m1", "m2")
    peer, link = await listener(hub)
    received = await comes(peer, link)
    first, second = json.loads(received.body)
    assert (first["originalMessageId"], first["statusCode"], first["deviceId"]) == ("m1", "Purged", "press-7")
    assert second["originalMessageId"] == "m2"
    said = decode_properties(received.message.properties)
    assert said.content_type == "application/vnd.microsoft.iothub.feedback.json"
    assert said.user_id == b"hub.example"
    assert "iothub-enqueuedtime" in received.annotations
    assert not received.settled


async def test_the_tag_is_the_lock_token(hub: AmqpHub) -> None:
    await end(hub, "m1")
    peer, link = await listener(hub)
    received = await comes(peer, link)
    message_id, _ = decode(decode_properties(received.message.properties).message_id_raw)
    assert (len(received.tag), str(UUID(bytes=received.tag))) == (16, message_id)


async def test_feedback_that_comes_later_wakes_who_listens(hub: AmqpHub) -> None:
    peer, link = await listener(hub)
    assert link.messages == []
    await end(hub, "m1")
    assert ids(await comes(peer, link)) == ["m1"]
    await end(hub, "m2")
    assert ids(await comes(peer, link)) == ["m2"]


@pytest.mark.parametrize("kind", [ACCEPTED, REJECTED])
async def test_what_is_completed_is_gone_however_often_that_is_said(hub: AmqpHub, kind: int) -> None:
    await end(hub, "m1")
    peer, link = await listener(hub)
    received = await comes(peer, link)
    for settled in (False, True, True):
        peer.client.dispose(link, received.delivery_id, kind=kind, settled=settled)
    await peer.settle()
    assert (await kept(hub), link.messages, link.is_open) == (0, [], True)


@pytest.mark.parametrize("kind", [RELEASED, MODIFIED])
async def test_what_is_given_back_comes_again(hub: AmqpHub, kind: int) -> None:
    await end(hub, "m1")
    peer, link = await listener(hub)
    first = await comes(peer, link)
    peer.client.dispose(link, first.delivery_id, kind=kind)
    second = await comes(peer, link)
    assert ids(second) == ["m1"]
    assert second.tag != first.tag
    peer.client.dispose(link, second.delivery_id)
    await peer.settle()
    assert await kept(hub) == 0


async def test_a_batch_that_nobody_settled_goes_to_others_when_its_link_is_over(hub: AmqpHub) -> None:
    await end(hub, "m1")
    one, first = await listener(hub)
    await comes(one, first)
    other, second = await listener(hub)
    assert second.messages == []
    one.client.detach(first)
    assert ids(await comes(other, second)) == ["m1"]
    other.conversation.lost()
    last, third = await listener(hub)
    assert ids(await comes(last, third)) == ["m1"]


async def test_readers_that_hold_all_there_may_be_leave_the_rest_until_one_settles(
    hub: AmqpHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feedback, "MAX_LOCKED", 1)
    peer, link = await listener(hub)
    await end(hub, "m1")
    received = await comes(peer, link)
    await end(hub, "m2")
    await peer.settle()
    assert link.messages == []
    peer.client.dispose(link, received.delivery_id)
    assert ids(await comes(peer, link)) == ["m2"]


async def test_only_back_ends_with_the_right_hear_of_it(hub: AmqpHub) -> None:
    press = await hub.device(PRESS)
    reader = await hub.connected(await hub.policy_token("reader", Right.REGISTRY_READ, Right.DEVICE_CONNECT))
    for peer in (press, reader):
        link = peer.client.receiver(FEEDBACK)
        await peer.settle()
        assert link.refusal == "amqp:unauthorized-access"
    assert len(hub.amqp.feedback.arrivals) == 0
