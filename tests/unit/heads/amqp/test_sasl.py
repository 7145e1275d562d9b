"""heads/amqp/sasl.py, through a conversation: what goes over the wire, and what it opens."""

from collections.abc import AsyncIterator

import pytest
from tests.fakes.amqp_head import AmqpHub, Peer
from tests.fakes.channel import FakeChannel
from tests.fakes.pki import self_signed

from ironhub.core.ids import identity
from ironhub.wire.amqp.frames import AMQP_HEADER, SASL_HEADER

PRESS = identity("press-7")
OK, REFUSED = 0, 1
CHAIN = (self_signed("press-7").der,)


@pytest.fixture
async def hub() -> AsyncIterator[AmqpHub]:
    made = AmqpHub()
    await made.register(PRESS)
    yield made
    await made.amqp.background.drain(0)


async def login(hub: AmqpHub, mechanism: str, response: bytes | None, channel: FakeChannel | None = None) -> Peer:
    peer = hub.dial(channel)
    peer.client.sasl(mechanism, response)
    return await peer.settle()


@pytest.mark.parametrize(("chain", "last"), [((), "ANONYMOUS"), (CHAIN, "EXTERNAL")])
async def test_the_mechanisms_come_in_the_vendors_order(hub: AmqpHub, chain: tuple[bytes, ...], last: str) -> None:
    peer = await login(hub, "ANONYMOUS", b"", FakeChannel(peer_chain=chain))
    assert peer.client.mechanisms[:3] == ("MSSBCBS", "PLAIN", "ANONYMOUS")
    assert peer.client.mechanisms[-1] == last
    assert peer.client.headers == [SASL_HEADER]


@pytest.mark.parametrize(("mechanism", "response"), [("MSSBCBS", None), ("ANONYMOUS", b""), ("ANONYMOUS", b"\0owner")])
async def test_whoever_brings_a_token_later_is_let_in_as_a_stranger(
    hub: AmqpHub, mechanism: str, response: bytes | None
) -> None:
    peer = await login(hub, mechanism, response)
    assert peer.client.outcome == OK
    peer.client.open()
    await peer.settle()
    assert peer.client.headers == [SASL_HEADER, AMQP_HEADER]
    assert peer.client.opened
    assert not peer.channel.is_identified
    assert await peer.put_token(await hub.token(PRESS)) == 200


async def test_a_certificate_may_be_named_only_by_who_has_shown_one(hub: AmqpHub) -> None:
    shown = await login(hub, "EXTERNAL", b"", FakeChannel(peer_chain=CHAIN))
    assert shown.client.outcome == OK
    assert not shown.channel.is_identified  # it is not judged before it says whose it is
    bare = await login(hub, "EXTERNAL", b"")
    assert (bare.client.outcome, bare.channel.closed) == (REFUSED, True)


async def test_a_good_password_opens_the_connection_without_a_token_more(hub: AmqpHub) -> None:
    peer = hub.dial()
    peer.client.plain("press-7@sas.hub", await hub.token(PRESS))
    peer.client.open()  # ahead of the verdict
    before = peer.channel.reading
    await peer.settle()
    assert (before, peer.channel.reading) == (False, True)
    assert peer.client.outcome == OK
    assert peer.client.opened
    assert peer.channel.is_identified
    link = peer.client.sender("/devices/press-7/messages/events")
    await peer.settle()
    assert link.is_open


async def test_a_policy_logs_in_for_the_whole_hub(hub: AmqpHub) -> None:
    peer = hub.dial()
    peer.client.plain("service@sas.root.hub", await hub.policy_token("service"))
    peer.client.open()
    await peer.settle()
    link = peer.client.sender("/messages/devicebound")
    await peer.settle()
    assert link.is_open


@pytest.mark.parametrize(
    "response",
    [
        None,
        b"",
        b"\0",
        b"\0press-7@sas.hub",
        b"\0press-7@sas.hub\0",
        b"\0press-7@sas.hub\0secret",
        b"\0press-7@sas.hub\0%s\0",
        b"\0press-7@sas.hub\0%s\0more",
        b"\0\0press-7@sas.hub\0%s",
        b"\0press-7@sas.other\0%s",
        b"\0lathe-1@sas.hub\0%s",
        b"\0\xff@sas.hub\0%s",
        b"press-7@sas.hub\0%s",
    ],
)
async def test_any_other_password_ends_the_connection(hub: AmqpHub, response: bytes | None) -> None:
    token = (await hub.token(PRESS)).encode()
    peer = await login(hub, "PLAIN", response and response.replace(b"%s", token))
    assert peer.client.outcome == REFUSED
    assert peer.channel.closed
    assert not peer.channel.is_identified


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "plain", "", "TPM"])
async def test_another_mechanism_ends_the_connection(hub: AmqpHub, mechanism: str) -> None:
    peer = await login(hub, mechanism, b"\0a\0b")
    assert (peer.client.outcome, peer.channel.closed) == (REFUSED, True)


async def test_a_refusal_tells_our_log_why_and_never_the_password(
    hub: AmqpHub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    token = await hub.token(PRESS)
    await login(hub, "PLAIN", f"\0lathe-1@sas.hub\0{token}".encode())
    (record,) = [record for record in caplog.records if record.message == "amqp_refused"]
    assert record.__dict__["detail"]
    assert not any(token[-20:] in str(record.__dict__) for record in caplog.records)
    assert hub.amqp.tally.counts == {"refused:identity.unauthorized": 1}
