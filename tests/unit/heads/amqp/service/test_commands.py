import asyncio
from dataclasses import replace

import pytest
from tests.fakes.amqp_client import ClientLink, message
from tests.fakes.amqp_head import AmqpHub, Peer
from tests.fakes.grants import by_device, by_operator
from tests.fakes.trouble import until

from ironhub.access.model import Grant, Permission
from ironhub.core.ids import Identity, identity
from ironhub.heads.amqp.service import commands
from ironhub.identity.model import Right
from ironhub.messaging.commands.model import Ack, Command, CommandDraft, CommandSettings
from ironhub.messaging.commands.service import CommandService
from ironhub.wire.amqp import encode
from ironhub.wire.amqp.conditions import UNAUTHORIZED_ACCESS
from ironhub.wire.amqp.message import BATCH
from ironhub.wire.amqp.outcomes import ACCEPTED, REJECTED
from ironhub.wire.amqp.properties import properties_section
from ironhub.wire.amqp.sections import application_section, data_section, encode_message

PRESS, ARM, PERCENT = identity("press-7"), identity("press-7", "arm"), identity("press%2D8")
DEVICE_BOUND = "/messages/devicebound"
MAX_PENDING = CommandSettings().max_pending
MAX_BODY = CommandSettings().max_body


@pytest.fixture
async def hub() -> AmqpHub:
    hub = AmqpHub()
    await hub.register(PRESS, ARM, PERCENT)
    return hub


class CountingCommands(CommandService):
    """Takes its time, and counts how many wait for it."""

    def __init__(self, hub: AmqpHub, settings: CommandSettings) -> None:
        super().__init__(hub.commands, hub.bus, hub.clock, hub.entropy, settings)
        self.now = self.most = 0

    async def send(self, grant: Grant, draft: CommandDraft) -> Command:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        return await super().send(grant, draft)


async def sender(hub: AmqpHub) -> tuple[Peer, ClientLink]:
    """A back end with an open link to send on."""
    peer = await hub.backend()
    link = peer.client.sender(DEVICE_BOUND)
    await peer.settle()
    assert link.is_open
    return peer, link


async def queued(hub: AmqpHub, who: Identity = PRESS) -> list[Command]:
    """What waits for a device, taken by it."""
    grant = by_device(Permission.COMMAND_RECEIVE, who)
    return [held.command for held in await hub.amqp.commands.receive(grant, limit=1000)]


def to(who: str = "press-7", body: bytes = b"go") -> bytes:
    return message(body, to=f"/devices/{who}/messages/devicebound")


def outcomes(link: ClientLink) -> list[tuple[int, str]]:
    """How each delivery ended, in order, and why."""
    states = [link.states[number] for number in sorted(link.states)]
    return [(state.kind, state.error.condition if state.error else "") for state in states if state is not None]


async def sent(peer: Peer, link: ClientLink, *payloads: bytes) -> list[tuple[int, str]]:
    """Send these and return how each ended."""
    before = len(link.states)
    for payload in payloads:
        peer.client.transfer(link, payload, pieces=1 + len(payload) // 60_000)
    await peer.until(lambda: len(link.states) >= before + len(payloads))
    return outcomes(link)[before:]


async def test_a_command_is_accepted_when_it_is_stored_with_all_that_belongs_to_it(hub: AmqpHub) -> None:
    peer, link = await sender(hub)
    expiry = round((hub.clock.now() + 60) * 1000)
    payload = encode_message(
        properties=properties_section(
            message_id=encode.string("m1"),
            to="/devices/press-7/messages/deviceBound",
            correlation_id=encode.string("c1"),
            content_type="application/json",
            content_encoding="utf-8",
            absolute_expiry_ms=expiry,
        ),
        application_properties=application_section(
            [("iothub-ack", encode.string("full")), ("hall", encode.string("b"))]
        ),
        body=data_section(b"{}"),
    )
    assert await sent(peer, link, payload) == [(ACCEPTED, "")]
    [command] = await queued(hub)
    assert (command.message_id, command.correlation_id, command.body) == ("m1", "c1", b"{}")
    assert (command.content_type, command.content_encoding) == ("application/json", "utf-8")
    assert (command.ack, command.properties) == (Ack.FULL, {"hall": "b"})
    assert command.expires_at == expiry / 1000


async def test_nothing_is_accepted_before_the_store_has_it(hub: AmqpHub) -> None:
    peer, link = await sender(hub)
    hub.trouble.only = frozenset({"add_command"})
    hub.trouble.stick()
    peer.client.transfer(link, to())
    await peer.settle()
    assert link.states == {}
    hub.trouble.unstick()
    await peer.until(lambda: outcomes(link) == [(ACCEPTED, "")])


async def test_commands_keep_their_order_and_credit_never_ends(hub: AmqpHub) -> None:
    peer, link = await sender(hub)
    for turn in range(5):
        numbers = range(turn * MAX_PENDING, (turn + 1) * MAX_PENDING)
        told = await sent(peer, link, *(to(body=b"%d" % number) for number in numbers))
        assert told == [(ACCEPTED, "")] * MAX_PENDING
        taken = await queued(hub)
        assert [command.body for command in taken] == [b"%d" % number for number in numbers]
        await hub.amqp.commands.purge(by_operator(Permission.COMMAND_PURGE, PRESS))
        assert 0 < link.credit <= commands.CREDIT


async def test_modules_are_reached_and_ids_are_decoded_once_where_that_names_somebody(hub: AmqpHub) -> None:
    peer, link = await sender(hub)
    module = message(b"arm", to="/devices/press-7/modules/arm/messages/deviceBound")
    assert await sent(peer, link, module, to("press%2D7"), to("press%2D8"), to("press%252D8")) == [(ACCEPTED, "")] * 4
    assert [command.body for command in await queued(hub, ARM)] == [b"arm"]
    assert len(await queued(hub, PRESS)) == 1
    assert len(await queued(hub, PERCENT)) == 2


async def test_what_cannot_be_queued_is_rejected_with_its_reason_and_the_link_goes_on(hub: AmqpHub) -> None:
    peer, link = await sender(hub)
    unknown, no_module = to("nobody"), message(b"x", to="/devices/press-7/modules/leg/messages/devicebound")
    late = encode_message(
        properties=properties_section(to="/devices/press-7/messages/devicebound", absolute_expiry_ms=1000),
        body=data_section(b""),
    )
    odd = message(b"", to="/devices/press-7/messages/devicebound", application=[("iothub-ack", "sometimes")])
    assert await sent(peer, link, unknown, no_module, to(body=b"x" * (MAX_BODY + 1)), late, odd) == [
        (REJECTED, "amqp:not-found"),
        (REJECTED, "amqp:not-found"),
        (REJECTED, "amqp:link:message-size-exceeded"),
        (REJECTED, "com.microsoft:argument-out-of-range"),
        (REJECTED, "com.microsoft:argument-error"),
    ]
    await sent(peer, link, *[to()] * MAX_PENDING)
    assert await sent(peer, link, to()) == [(REJECTED, "amqp:resource-limit-exceeded")]
    assert await sent(peer, link, to("press%2D8")) == [(ACCEPTED, "")]
    assert link.is_open


@pytest.mark.parametrize("address", [None, "", "/devices/", "/devices/press-7", "/twins/press-7", "x" * 5000])
async def test_a_command_for_nobody_is_rejected(hub: AmqpHub, address: str | None) -> None:
    peer, link = await sender(hub)
    payload = message(b"") if address is None else message(b"", to=address)
    assert await sent(peer, link, payload) == [(REJECTED, "com.microsoft:argument-error")]


async def test_what_is_no_message_is_rejected_counted_and_logged(
    hub: AmqpHub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    peer, link = await sender(hub)
    assert await sent(peer, link, b"\x00\x53\x75", b"nonsense") == [(REJECTED, "amqp:decode-error")] * 2
    assert hub.amqp.activity.counts["rejected:message.malformed"] == 2
    told = [vars(record) for record in caplog.records if record.message == "amqp_command_rejected"]
    assert [(each["code"], each["policy"]) for each in told] == [("message.malformed", "service")] * 2


async def test_a_batch_is_accepted_once_or_rejected_for_the_first_that_cannot_be(hub: AmqpHub) -> None:
    peer, link = await sender(hub)

    def batch(*messages: bytes) -> bytes:
        return b"".join(data_section(each) for each in messages)

    good = batch(to(body=b"1"), to(body=b"2"))
    bad = batch(to(body=b"3"), to("nobody"), to(body=b"4"))
    for payload in (good, bad):
        peer.client.transfer(link, payload, message_format=BATCH)
    peer.client.transfer(link, to(body=b"5"))
    peer.client.transfer(link, batch(to(body=b"6"), b"nonsense"), message_format=BATCH)
    await peer.until(lambda: len(link.states) == 4)
    assert [condition for _, condition in outcomes(link)] == ["", "amqp:not-found", "", "amqp:decode-error"]
    assert [command.body for command in await queued(hub)] == [b"1", b"2", b"3", b"4", b"5"]


async def test_who_wants_no_answer_gets_none(hub: AmqpHub) -> None:
    peer, link = await sender(hub)
    for payload in (to(), to("nobody")):
        peer.client.transfer(link, payload, settled=True)
    await peer.settle()
    assert (link.states, len(await queued(hub))) == ({}, 1)


async def test_a_store_out_of_order_is_told_and_costs_the_sender_nothing_else(hub: AmqpHub) -> None:
    peer, link = await sender(hub)
    hub.trouble.only, hub.trouble.refusals = frozenset({"add_command"}), 1
    assert await sent(peer, link, to(), to()) == [(REJECTED, "amqp:internal-error"), (ACCEPTED, "")]


async def test_what_waits_to_be_stored_is_bounded(hub: AmqpHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "MAX_UNSTORED", 100)
    peer, link = await sender(hub)
    hub.trouble.only = frozenset({"add_command"})
    hub.trouble.stick()
    peer.client.transfer(link, to(body=b"x" * 60))
    assert not peer.channel.reading
    hub.trouble.unstick()
    await until(lambda: peer.channel.reading)
    await peer.until(lambda: outcomes(link) == [(ACCEPTED, "")])


async def test_a_sender_that_goes_loses_nothing_that_it_sent(hub: AmqpHub) -> None:
    peer, link = await sender(hub)
    peer.client.transfer(link, to())
    peer.client.detach(link)
    await peer.settle()
    assert link.states == {}
    assert len(await queued(hub)) == 1


async def test_a_transfer_beyond_all_bounds_ends_the_link(hub: AmqpHub) -> None:
    peer, link = await sender(hub)
    peer.client.transfer(link, b"x" * (commands.MAX_TRANSFER + 1), pieces=8)
    await peer.settle()
    assert link.refusal == "amqp:link:message-size-exceeded"
    assert not peer.channel.closed


async def test_only_back_ends_with_the_right_send_commands(hub: AmqpHub) -> None:
    press = await hub.device(PRESS)
    reader = await hub.connected(await hub.policy_token("reader", Right.REGISTRY_READ, Right.DEVICE_CONNECT))
    one = await hub.connected(await hub.policy_token("service", resource="hub.example/devices/press-7"))
    for peer in (press, reader, one):
        link = peer.client.sender(DEVICE_BOUND)
        await peer.settle()
        assert link.refusal == "amqp:unauthorized-access"


async def test_a_policy_that_loses_its_right_loses_its_links(hub: AmqpHub) -> None:
    peer, link = await sender(hub)
    await hub.policies.put(by_operator(Permission.POLICY_WRITE), "service", frozenset({Right.REGISTRY_READ}))
    await peer.until(lambda: link.detached is not None)
    assert link.refusal == "amqp:unauthorized-access"


async def test_what_came_before_the_right_ended_and_is_not_stored_yet_is_dropped(hub: AmqpHub) -> None:
    peer, link = await sender(hub)
    credential = peer.conversation.credentials.service(Permission.COMMAND_SEND)
    peer.conversation.when_read(lambda: credential.end_backend(credential.principal, "its right has ended"))
    peer.client.transfer(link, to())
    await peer.settle()
    assert link.refusal == UNAUTHORIZED_ACCESS
    assert await queued(hub) == []


async def test_a_batch_of_many_goes_in_few_at_a_time_and_nothing_overtakes_it(hub: AmqpHub) -> None:
    hub.amqp = replace(hub.amqp, commands=CountingCommands(hub, CommandSettings(max_pending=1000)))
    peer, link = await sender(hub)
    count = 3 * commands.MAX_AT_ONCE
    batch = b"".join(data_section(to(body=b"%d" % number)) for number in range(count))
    peer.client.transfer(link, batch, message_format=BATCH)
    peer.client.transfer(link, to(body=b"%d" % count))
    await peer.until(lambda: len(link.states) == 2)
    assert [each.body for each in await queued(hub)] == [b"%d" % number for number in range(count + 1)]
    counted = hub.amqp.commands
    assert isinstance(counted, CountingCommands)
    assert 1 < counted.most <= commands.MAX_AT_ONCE
