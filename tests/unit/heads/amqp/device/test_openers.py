"""heads/amqp/device/openers.py"""

import asyncio

import pytest
from tests.fakes.amqp_client import message
from tests.fakes.amqp_devices import ARM, LATHE, PRESS, Device, get_twin
from tests.fakes.amqp_head import AmqpHub
from tests.fakes.channel import FakeChannel
from tests.fakes.grants import by_operator
from tests.fakes.pki import self_signed
from tests.fakes.trouble import until

from ironhub.access.model import Permission
from ironhub.core.errors import Unavailable
from ironhub.core.facts import FactKind
from ironhub.core.ids import identity
from ironhub.heads.amqp.device import openers
from ironhub.heads.amqp.services import AmqpSettings
from ironhub.identity.model import CredentialKind, Credentials, Thumbprints
from ironhub.registry.model import DeviceDraft
from ironhub.wire.amqp import encode

EVENTS, DEVICEBOUND, METHODS, TWIN = "messages/events", "messages/devicebound", "methods/devicebound", "twin"
UNAUTHORIZED = "amqp:unauthorized-access"


@pytest.mark.parametrize("rest", [EVENTS, METHODS, TWIN])
async def test_a_device_sends_on_its_own_links_only(hub: AmqpHub, device: Device, rest: str) -> None:
    assert (await device.sends(rest)).is_open
    for who in (LATHE, ARM, identity("nobody")):
        assert (await device.sends(rest, who)).refusal == UNAUTHORIZED
    assert hub.sessions.of(LATHE) is None


@pytest.mark.parametrize("rest", [DEVICEBOUND, METHODS, TWIN])
async def test_a_device_receives_on_its_own_links_only(hub: AmqpHub, device: Device, rest: str) -> None:
    assert (await device.receives(rest)).is_open
    for who in (LATHE, ARM, identity("nobody")):
        assert (await device.receives(rest, who)).refusal == UNAUTHORIZED


async def test_a_module_listens_on_its_inputs_and_hears_nothing(hub: AmqpHub) -> None:
    device = await Device.connected(hub, ARM)
    inputs = await device.receives(EVENTS, ARM)
    assert (inputs.is_open, inputs.take()) == (True, [])
    device.client.detach(inputs)
    await device.settle()
    assert hub.sessions.of(ARM) is None


async def test_nothing_is_opened_in_the_wrong_direction(hub: AmqpHub, device: Device) -> None:
    assert (await device.sends(DEVICEBOUND)).refusal == (await device.receives(EVENTS)).refusal == "amqp:not-found"


async def test_the_properties_of_a_link_do_not_decide_what_it_is_for(hub: AmqpHub, device: Device) -> None:
    """The Node SDK shares one object between its links: telemetry is attached with the properties of methods."""
    events = await device.sends(EVENTS, pair="methods:1")
    await device.transfer(events, message(b"x"))
    assert len(await hub.logged()) == 1


async def test_a_certificate_opens_the_links_of_its_own_device(hub: AmqpHub) -> None:
    certificate = self_signed("press-7")
    kept = Credentials(CredentialKind.SELF_SIGNED, thumbprints=Thumbprints(certificate.sha256_thumbprint, None))
    grant = by_operator(Permission.REGISTRY_WRITE, PRESS)
    await hub.registry.put_device(grant, DeviceDraft(credentials=kept), if_match="*")
    hub.clock.set_now(certificate.certificate.not_valid_before_utc.timestamp() + 60)
    device = Device(hub, await hub.connected(channel=FakeChannel(peer_chain=certificate.chain_der)))
    assert (await device.sends(EVENTS)).is_open
    assert (await device.sends(EVENTS, LATHE)).refusal == UNAUTHORIZED


async def test_the_model_that_a_device_announces_is_told_with_its_arrival(hub: AmqpHub, device: Device) -> None:
    named = [("com.microsoft:model-id", encode.string("dtmi:plant:press;1"))]
    device.client.sender("/devices/press-7/messages/events", properties=named)
    await device.settle()
    await hub.presence.flush()
    (fact,) = [each for each in await hub.facts() if each.kind is FactKind.CONNECTED]
    assert fact.data == {"model_id": "dtmi:plant:press;1"}


@pytest.mark.parametrize("value", [encode.uint(7), encode.string("x" * 3000)])
async def test_a_model_that_is_no_text_or_a_very_long_one_is_none(hub: AmqpHub, device: Device, value: bytes) -> None:
    device.client.sender("/devices/press-7/messages/events", properties=[("com.microsoft:model-id", value)])
    await device.settle()
    await hub.presence.flush()
    (fact,) = [each for each in await hub.facts() if each.kind is FactKind.CONNECTED]
    assert fact.data == {}


async def test_links_of_one_kind_are_counted(hub: AmqpHub, device: Device) -> None:
    for number in range(openers.MAX_OF_A_KIND):
        assert (await device.receives(DEVICEBOUND)).is_open
        assert (await device.sends(TWIN)).is_open
        assert (await device.receives(TWIN, pair=str(number))).is_open
        assert (await device.receives(METHODS, pair=str(number))).is_open
    refusals = [
        (await device.receives(DEVICEBOUND)).refusal,
        (await device.sends(TWIN)).refusal,
        (await device.receives(TWIN, pair="more")).refusal,
        (await device.receives(METHODS, pair="more")).refusal,
    ]
    assert refusals == ["com.microsoft:device-container-throttled"] * 4


async def test_links_that_are_over_count_no_more(hub: AmqpHub, device: Device) -> None:
    await device.sends(EVENTS)
    for _ in range(openers.MAX_OF_A_KIND + 1):
        links = [await device.receives(DEVICEBOUND), await device.sends(TWIN), await device.sends(METHODS)]
        links += [await device.receives(TWIN), await device.receives(METHODS), await device.sends(EVENTS)]
        assert all(link.is_open for link in links)
        for link in links:
            device.client.detach(link)
        await device.settle()


async def test_who_takes_over_a_very_young_session_waits_a_moment() -> None:
    hub = AmqpHub(AmqpSettings(takeover_delay=0.05, dismissal=0.0))
    await hub.register(PRESS)
    first, second = await Device.connected(hub, PRESS), await Device.connected(hub, PRESS)
    old = await first.sends(EVENTS)
    new = await second.sends(EVENTS)
    await first.settle()
    assert (old.is_open, new.is_open) == (True, False)
    await until(lambda: second.peer.hear().client.open_links()[2:])
    assert new.is_open
    await first.settle()
    assert old.refusal == "amqp:link:detach-forced"


async def test_a_right_that_ends_while_a_takeover_waits_opens_nothing() -> None:
    hub = AmqpHub(AmqpSettings(takeover_delay=0.05, dismissal=0.0))
    await hub.register(PRESS)
    first, second = await Device.connected(hub, PRESS), await Device.connected(hub, PRESS)
    await first.sends(EVENTS)
    new = await second.sends(EVENTS)
    await hub.disable(PRESS)
    await until(lambda: [second.peer.hear(), new.refusal][1])
    assert new.refusal == UNAUTHORIZED
    assert new.attached is not None
    assert new.attached.target is None  # it was never open
    assert hub.sessions.of(PRESS) is None


@pytest.mark.parametrize("end", ["link", "connection"])
async def test_a_link_that_is_over_before_it_was_opened_takes_nothing_over(end: str) -> None:
    hub = AmqpHub(AmqpSettings(takeover_delay=0.05, dismissal=0.0))
    await hub.register(PRESS)
    first, second = await Device.connected(hub, PRESS), await Device.connected(hub, PRESS)
    old = await first.sends(EVENTS)
    new = await second.sends(EVENTS)
    if end == "link":
        second.client.detach(new)
    else:
        second.peer.conversation.lost()
    await asyncio.sleep(0)
    await hub.amqp.background.drain(5.0)
    await first.settle()
    assert old.is_open


async def test_the_second_link_of_a_session_needs_no_new_one(hub: AmqpHub, device: Device) -> None:
    requests, replies = await device.sends(TWIN), await device.receives(TWIN)
    session = hub.sessions.of(PRESS)
    await device.sends(EVENTS)
    await device.transfer(requests, get_twin(), settled=True)
    assert hub.sessions.of(PRESS) is session
    assert len(replies.take()) == 1


async def test_a_store_out_of_order_refuses_the_link_and_the_next_try_works(hub: AmqpHub) -> None:
    device = await Device.connected(hub, PRESS)
    await hub.disable(LATHE)  # some right has changed: the gate is asked again
    known = hub.stores.devices.known_identity

    async def broken(_: object) -> None:
        raise Unavailable("the disk is full")

    hub.stores.devices.known_identity = broken  # type: ignore[method-assign,assignment]
    assert (await device.sends(EVENTS)).refusal == "amqp:internal-error"
    hub.stores.devices.known_identity = known  # type: ignore[method-assign]
    assert (await device.sends(EVENTS)).is_open


async def test_who_takes_over_an_older_session_does_not_wait(hub: AmqpHub, device: Device) -> None:
    old = await device.sends(EVENTS)
    hub.clock.advance(1)
    other = await Device.connected(hub, PRESS)
    assert (await other.receives(DEVICEBOUND)).is_open
    await device.settle()
    assert old.refusal == "amqp:link:detach-forced"


async def test_a_hub_that_stops_opens_nothing(hub: AmqpHub, device: Device) -> None:
    hub.sessions.end_all()
    assert not (await device.sends(EVENTS)).is_open
    assert device.is_cut


@pytest.mark.parametrize("rest", [METHODS, TWIN])
async def test_a_newer_link_of_a_pair_ends_the_older(hub: AmqpHub, device: Device, rest: str) -> None:
    old, new = await device.receives(rest, pair="p"), await device.receives(rest, pair="p")
    assert (old.refusal, new.is_open) == ("amqp:link:stolen", True)


@pytest.mark.parametrize("prefix", ["amqps://hub.example", "amqps://hub.example:5671"])
async def test_addresses_may_be_whole_urls_in_any_case(hub: AmqpHub, device: Device, prefix: str) -> None:
    events = device.client.sender(f"{prefix}/devices/press-7/messages/events")
    commands = device.client.receiver(f"{prefix}/devices/press-7/messages/deviceBound")
    await device.settle()
    assert (events.is_open, commands.is_open) == (True, True)
