import dataclasses
from collections.abc import AsyncIterator

import pytest
from tests.fakes.amqp_client import CBS, correlation_of, message, put_token, statuses
from tests.fakes.amqp_head import AmqpHub

from ironhub.core.ids import identity
from ironhub.heads.amqp.services import AmqpSettings
from ironhub.identity.gate import Gate
from ironhub.wire.amqp import encode
from ironhub.wire.amqp.conditions import MESSAGE_SIZE_EXCEEDED, UNAUTHORIZED_ACCESS
from ironhub.wire.amqp.outcomes import ACCEPTED

PRESS, LATHE = identity("press-7"), identity("lathe-1")
REQUESTS = 4


@pytest.fixture
async def hub() -> AsyncIterator[AmqpHub]:
    made = AmqpHub(AmqpSettings(max_requests=REQUESTS, max_attempts=3))
    await made.register(PRESS, LATHE)
    yield made
    await made.amqp.background.drain(0)


@pytest.mark.parametrize(
    "message_id", [encode.ulong(0), encode.uuid(b"u" * 16), encode.string("1"), encode.binary(b"\0"), encode.null()]
)
async def test_a_good_token_is_answered_with_200_under_the_requests_own_id(hub: AmqpHub, message_id: bytes) -> None:
    peer = await hub.connected()
    requests, replies = peer.client.cbs()
    await peer.settle()
    assert not peer.channel.is_identified
    sent = peer.client.put_token(requests, await hub.token(PRESS), message_id=message_id)
    await peer.settle()
    state = requests.states[sent]
    assert state is not None
    assert state.kind == ACCEPTED
    (answer,) = replies.take()
    assert answer.settled
    assert correlation_of(answer) == message_id
    assert answer.application == {"status-code": 200, "status-description": "OK"}
    assert encode.string("status-code") + encode.int_(200) in answer.payload  # an int: some clients know no other
    assert peer.channel.is_identified


async def test_a_token_that_is_not_good_opens_nothing(hub: AmqpHub) -> None:
    peer = await hub.connected()
    assert await peer.put_token((await hub.token(PRESS)).replace("press-7", "lathe-1")) == 401
    assert not peer.channel.is_identified
    for device in ("press-7", "lathe-1"):
        link = peer.client.sender(f"/devices/{device}/messages/events")
        await peer.settle()
        assert link.refusal == UNAUTHORIZED_ACCESS


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        (put_token("Bearer eyJ"), 401),
        (put_token("x" * 16_385), 400),
        (put_token(""), 400),
        (put_token("SharedAccessSignature sr=a"), 401),
        (message(b"body", application=[("operation", "delete-token")]), 400),
        (message(b"body"), 400),
    ],
    ids=["bearer", "long", "empty", "no-token", "other", "nothing"],
)
async def test_every_other_request_is_answered_with_its_refusal(hub: AmqpHub, payload: bytes, status: int) -> None:
    peer = await hub.connected()
    requests, replies = peer.client.cbs()
    await peer.settle()
    peer.client.transfer(requests, payload, pieces=2)  # a stranger sends no larger frames
    await peer.settle()
    assert statuses(replies) == [status]


@pytest.mark.parametrize(
    ("audience", "asked"),
    [
        ("hub.example/devices/lathe-1", "hub.example/devices/lathe-1"),
        ("hub.example%2Fdevices%2Flathe-1", "hub.example/devices/lathe-1"),
        ("sb://hub.example/press", "hub.example/press"),
        ("SharedAccessSignature sr=a&sig=c2VjcmV0", ""),
    ],
)
async def test_the_log_tells_whom_a_refused_token_was_for_and_the_client_what_to_do(
    hub: AmqpHub, caplog: pytest.LogCaptureFixture, audience: str, asked: str
) -> None:
    caplog.set_level("INFO")
    peer = await hub.connected()
    requests, replies = peer.client.cbs()
    await peer.settle()
    peer.client.transfer(requests, put_token("SharedAccessSignature sr=a", audience=audience))
    await peer.settle()
    (answer,) = replies.messages
    assert "the hub's log says which" in str(answer.application["status-description"])
    (record,) = [record for record in caplog.records if record.message == "amqp_refused"]
    assert getattr(record, "asked", None) == asked


async def test_a_store_that_cannot_be_read_makes_no_token_bad(hub: AmqpHub) -> None:
    stores = hub.stores
    gate = Gate(hub.devices, stores.policies, stores.authority_source, hub.amqp.names, hub.clock)
    hub.amqp = dataclasses.replace(hub.amqp, gate=gate)
    peer = await hub.connected()
    hub.trouble.refusals = 1
    assert await peer.put_token(await hub.token(PRESS)) == 503
    assert await peer.put_token(await hub.token(PRESS)) == 200


async def test_a_token_of_a_megabyte_costs_its_link(hub: AmqpHub) -> None:
    peer = await hub.connected()
    requests, replies = peer.client.cbs()
    await peer.settle()
    peer.client.transfer(requests, put_token("x" * 1_000_000), pieces=100)
    await peer.settle()
    assert requests.refusal == MESSAGE_SIZE_EXCEEDED
    assert statuses(replies) == []
    assert not peer.channel.closed


async def test_answers_wait_until_they_are_asked_for(hub: AmqpHub) -> None:
    peer = await hub.connected()
    requests, replies = peer.client.cbs(credit=None)
    await peer.settle()
    peer.client.put_token(requests, await hub.token(PRESS))
    peer.client.put_token(requests, "nonsense")
    await peer.settle()
    assert statuses(replies) == []
    peer.client.grant(replies, 1)
    assert statuses((await peer.settle()).client.links[1]) == [200]
    peer.client.grant(replies, 5, drain=True)
    assert statuses((await peer.settle()).client.links[1]) == [401]
    assert (replies.drained, replies.credit) == (1, 0)


async def test_who_shows_nothing_but_bad_tokens_is_cut(hub: AmqpHub) -> None:
    peer = await hub.connected()
    assert [await peer.put_token("nonsense") for _ in range(2)] == [401, 401]
    await peer.put_token("nonsense")
    assert peer.channel.closed
    assert peer.client.reason == UNAUTHORIZED_ACCESS
    assert hub.amqp.tally.counts["refused:connection.too_many_attempts"] == 1


async def test_who_has_shown_a_good_one_may_err(hub: AmqpHub) -> None:
    peer = await hub.device(PRESS)
    for _ in range(10):
        assert await peer.put_token("nonsense") == 401
    assert not peer.channel.closed


async def test_tokens_come_on_several_links_and_sessions_and_each_answer_goes_back_in_its_own(hub: AmqpHub) -> None:
    peer = await hub.connected()
    first = peer.client.cbs()
    peer.client.begin(5)
    second = peer.client.cbs(channel=5)
    await peer.settle()
    peer.client.put_token(second[0], await hub.token(LATHE))
    await peer.settle()
    assert (statuses(first[1]), statuses(second[1])) == ([], [200])
    peer.client.put_token(first[0], await hub.token(PRESS))
    await peer.settle()
    assert (statuses(first[1]), statuses(second[1])) == ([200], [])
    named = peer.client.receiver(CBS, name="cbs-1")
    other = peer.client.receiver(CBS, target_address="here")
    await peer.settle()
    for reply_to, link in (("cbs-1", named), ("here", other), ("nowhere", other)):
        peer.client.transfer(first[0], put_token(await hub.token(PRESS), reply_to=reply_to))
        await peer.settle()
        assert statuses(link) == [200]
