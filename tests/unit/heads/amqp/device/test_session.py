"""heads/amqp/device/session.py"""

from tests.fakes.amqp_client import message
from tests.fakes.amqp_devices import LATHE, PRESS, Device, observe_twin, send_command
from tests.fakes.amqp_head import AmqpHub
from tests.fakes.grants import by_operator
from tests.fakes.head_hub import HOST
from tests.fakes.sessions import FakeSession

from ironhub.access.model import Permission
from ironhub.heads.amqp.device.session import DeviceSession
from ironhub.identity.audience import device_resource
from ironhub.identity.model import CredentialKind, Credentials, Right, SymmetricKeys
from ironhub.identity.sas import make_sas_token
from ironhub.messaging.sessions.ports import HUB_STOPS
from ironhub.registry.model import DeviceDraft

EVENTS, DEVICEBOUND, METHODS, TWIN = "messages/events", "messages/devicebound", "methods/devicebound", "twin"


def session_of(hub: AmqpHub) -> DeviceSession:
    session = hub.sessions.of(PRESS)
    assert isinstance(session, DeviceSession)
    return session


async def test_a_device_is_there_from_its_first_link_to_its_last(hub: AmqpHub, device: Device) -> None:
    assert hub.sessions.of(PRESS) is None
    events, commands = await device.sends(EVENTS), await device.receives(DEVICEBOUND)
    session = session_of(hub)
    session.enter()  # nothing has changed
    assert (session.principal.identity, session.chain, session.opened_at) == (PRESS, (), hub.clock.monotonic())
    device.client.detach(events)
    await device.settle()
    assert session_of(hub) is session
    device.client.detach(commands)
    await device.settle()
    assert hub.sessions.of(PRESS) is None
    assert not device.is_cut
    await device.sends(EVENTS)
    assert session_of(hub) is not session


async def test_the_session_is_over_with_its_connection(hub: AmqpHub, device: Device) -> None:
    await device.sends(EVENTS)
    device.peer.conversation.lost()
    assert hub.sessions.of(PRESS) is None


async def test_it_answers_methods_while_it_has_a_link_that_takes_calls(hub: AmqpHub, device: Device) -> None:
    await device.sends(METHODS)
    session = session_of(hub)
    answered = [session.answers_methods]
    session.call_method("1", "stop", b"null")  # it went away between question and call
    calls = await device.receives(METHODS)
    answered.append(session.answers_methods)
    device.client.detach(calls)
    await device.settle()
    assert [*answered, session.answers_methods] == [False, True, False]


async def test_what_the_hub_has_for_it_reaches_every_link_that_takes_it(hub: AmqpHub, device: Device) -> None:
    requests, replies = await device.sends(TWIN), await device.receives(TWIN)
    commands = await device.receives(DEVICEBOUND)
    await device.transfer(requests, observe_twin(), settled=True)
    replies.take()
    session_of(hub).offer_commands()
    await send_command(hub, b"go")
    session_of(hub).offer_desired(7, {"a": 1})
    await device.settle()
    assert (len(replies.take()), len(commands.take())) == (1, 1)


async def test_a_device_that_loses_its_right_is_out_at_once(hub: AmqpHub, device: Device) -> None:
    events, commands = await device.sends(EVENTS), await device.receives(DEVICEBOUND)
    await hub.disable(PRESS)
    await device.settle()
    assert (events.refusal, commands.refusal) == ("amqp:unauthorized-access",) * 2
    assert (device.is_cut, device.client.reason) == (True, "amqp:unauthorized-access")
    assert hub.sessions.of(PRESS) is None
    again = await hub.connected()
    assert await again.put_token(await hub.token(PRESS)) == 401


async def test_others_on_the_same_connection_lose_nothing(hub: AmqpHub) -> None:
    device = await Device.connected(hub, PRESS, LATHE)
    mine, other = await device.sends(EVENTS), await device.sends(EVENTS, LATHE)
    await hub.disable(PRESS)
    await device.settle()
    assert (mine.refusal, other.is_open, device.is_cut) == ("amqp:unauthorized-access", True, False)
    await device.transfer(other, message(b"still here"))
    assert [logged.entry.origin.identity for logged in await hub.logged()] == [LATHE]
    refused = await device.sends(EVENTS)
    assert refused.refusal == "amqp:unauthorized-access"


async def test_the_newest_connection_takes_over(hub: AmqpHub, device: Device) -> None:
    events, commands = await device.sends(EVENTS), await device.receives(DEVICEBOUND)
    await send_command(hub, b"go")
    await device.settle()
    hub.clock.advance(10)
    newer = await Device.connected(hub, PRESS)
    taken = await newer.receives(DEVICEBOUND)
    await device.settle()
    assert (events.refusal, commands.refusal) == ("amqp:link:detach-forced",) * 2
    assert (device.is_cut, device.client.reason) == (True, "amqp:link:detach-forced")
    assert session_of(hub).peer is newer.peer.conversation
    await newer.settle()
    assert [each.body for each in taken.take()] == [b"go"]


async def test_another_protocol_takes_over_too_and_is_taken_over(hub: AmqpHub, device: Device) -> None:
    events = await device.sends(EVENTS)
    other = FakeSession(PRESS)
    hub.sessions.enter(other, judged_at=hub.sessions.notices)
    await device.settle()
    assert (events.refusal, device.is_cut) == ("amqp:link:detach-forced", True)
    again = await Device.connected(hub, PRESS)
    await again.sends(EVENTS)
    assert other.ends == ["taken over by a newer connection"]


async def test_a_hub_that_stops_hangs_up_without_a_word_and_takes_no_more_links(hub: AmqpHub, device: Device) -> None:
    await device.sends(EVENTS)
    other = await Device.connected(hub, LATHE)
    hub.sessions.end_all()
    await device.settle()
    assert (device.is_cut, device.client.closed) == (True, None)
    await other.sends(EVENTS, LATHE)
    assert (other.is_cut, other.client.closed) == (True, None)
    assert hub.sessions.of(LATHE) is None


async def test_the_end_of_a_session_is_told_once(hub: AmqpHub, device: Device) -> None:
    await device.sends(EVENTS)
    session = session_of(hub)
    session.end("its right has ended")
    session.end(HUB_STOPS)
    await device.settle()
    assert device.client.reason == "amqp:unauthorized-access"


async def test_a_renewed_token_is_what_counts(hub: AmqpHub, device: Device) -> None:
    """The first was signed with the primary key, the second with the secondary one; then the primary is rolled."""
    events = await device.sends(EVENTS)
    known = await hub.stores.devices.known_identity(PRESS)
    assert known is not None
    keys = known.credentials.keys
    assert keys is not None
    second = make_sas_token(device_resource(HOST, PRESS), keys.secondary, int(hub.clock.now() + 7200))
    assert await device.peer.put_token(second) == 200
    await roll(hub, primary=bytes(range(32)), secondary=keys.secondary)
    await device.transfer(events, message(b"still here"))
    assert (events.is_open, len(await hub.logged())) == (True, 1)
    await roll(hub, primary=bytes(range(32)), secondary=bytes(range(1, 33)))
    await device.settle()
    assert (events.refusal, device.is_cut) == ("amqp:unauthorized-access", True)


async def roll(hub: AmqpHub, *, primary: bytes, secondary: bytes) -> None:
    keys = Credentials(CredentialKind.SAS, SymmetricKeys(primary, secondary))
    grant = by_operator(Permission.REGISTRY_WRITE, PRESS)
    await hub.registry.put_device(grant, DeviceDraft(credentials=keys), if_match="*")


async def test_a_token_that_is_over_ends_its_links(hub: AmqpHub) -> None:
    device = Device(hub, await hub.connected(await hub.token(PRESS, life=60)))
    events = await device.sends(EVENTS)
    hub.clock.advance(60 + 3600)
    device.peer.conversation.on_timer()
    await device.settle()
    assert (events.refusal, device.is_cut) == ("amqp:unauthorized-access", True)
    assert hub.sessions.of(PRESS) is None


async def test_devices_of_one_policy_are_told_apart(hub: AmqpHub) -> None:
    token = await hub.policy_token("device", Right.DEVICE_CONNECT)
    device = Device(hub, await hub.connected(token))
    mine, other = await device.sends(EVENTS), await device.sends(EVENTS, LATHE)
    await hub.disable(PRESS)
    await device.settle()
    assert (mine.is_open, other.is_open) == (False, True)
    await hub.policies.put(by_operator(Permission.POLICY_WRITE), "device", frozenset({Right.SERVICE_CONNECT}))
    await device.settle()
    assert (other.is_open, device.is_cut) == (False, True)


async def test_telemetry_says_how_the_device_showed_itself_last(hub: AmqpHub, device: Device) -> None:
    events = await device.sends(EVENTS)
    await device.transfer(events, message(b"own key"))
    await hub.policy_token("device", Right.DEVICE_CONNECT)
    first = session_of(hub).uplink
    assert await device.peer.put_token(await hub.token(PRESS, life=9000)) == 200
    assert session_of(hub).uplink is not first
    await device.transfer(events, message(b"again"))
    assert len(await hub.logged()) == 2
