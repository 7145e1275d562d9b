"""heads/mqtt/conversation.py"""

import asyncio
from collections.abc import Sequence

import pytest
from tests.fakes.channel import FakeChannel
from tests.fakes.mqtt_head import MqttHub, Peer, username
from tests.fakes.mqtt_packets import MALFORMED, MALFORMED_CONNECTS, connect, publish, subscribe

from ironhub.core.errors import Unavailable
from ironhub.core.ids import identity
from ironhub.heads.mqtt.services import MqttSettings

PRESS = identity("press-7")
ARM = identity("press-7", "arm")
OVEN = identity("oven-1")
EVENTS = "devices/press-7/messages/events/"

ACCEPTED = [(0x20, b"\x00\x00")]
REFUSED = [(0x20, b"\x00\x05")]
LATER = [(0x20, b"\x00\x03")]


@pytest.fixture
async def hub() -> MqttHub:
    small = MqttHub()
    await small.register(PRESS, ARM, OVEN)
    return small


async def answers(hub: MqttHub, hello: bytes) -> tuple[Peer, Sequence[tuple[int, bytes]]]:
    peer = hub.dial()
    peer.say(hello)
    await hub.settle()
    return peer, peer.hear()


@pytest.mark.parametrize("who", [PRESS, ARM])
async def test_a_good_token_is_accepted_and_the_device_is_a_stranger_no_more(hub: MqttHub, who: object) -> None:
    assert who in (PRESS, ARM)
    peer, heard = await answers(hub, await hub.hello(PRESS if who == PRESS else ARM))
    assert heard == ACCEPTED
    assert peer.channel.is_identified
    assert len(hub.sessions) == 1


async def test_a_refused_device_hears_code_5_and_then_the_end(hub: MqttHub) -> None:
    peer, heard = await answers(hub, connect("press-7", username=username(PRESS), password=b"nonsense"))
    assert heard == REFUSED
    assert peer.channel.closed
    assert not peer.channel.is_identified
    assert len(hub.sessions) == 0


@pytest.mark.parametrize(
    ("client_id", "name"),
    [
        ("press-7", "hub.example/oven-1/?api-version=2021-04-12"),
        ("press-7/arm", "hub.example/press-7/?api-version=2021-04-12"),
        ("press-7", "other.example/press-7/?api-version=2021-04-12"),
        ("press-7", "hub.example/press-7/"),
        ("", "hub.example//?api-version=2021-04-12"),
        ("press-7", None),
    ],
)
async def test_whoever_names_somebody_else_or_another_hub_is_refused(
    hub: MqttHub, client_id: str, name: str | None
) -> None:
    token = (await hub.token(PRESS)).encode() if name else None
    _, heard = await answers(hub, connect(client_id, username=name, password=token))
    assert heard == REFUSED


async def test_a_password_that_is_no_text_is_refused(hub: MqttHub) -> None:
    _, heard = await answers(hub, connect("press-7", username=username(PRESS), password=b"\xff\xfe"))
    assert heard == REFUSED


async def test_neither_token_nor_certificate_is_refused(hub: MqttHub) -> None:
    _, heard = await answers(hub, connect("press-7", username=username(PRESS)))
    assert heard == REFUSED


@pytest.mark.parametrize("topic", ["devices/oven-1/messages/events/", "$iothub/twin/GET/?$rid=1"])
async def test_a_will_that_is_not_the_devices_own_telemetry_is_refused(hub: MqttHub, topic: str) -> None:
    _, heard = await answers(hub, await hub.hello(PRESS, will=(topic, b"gone")))
    assert heard == REFUSED


async def test_a_store_that_is_out_of_order_is_no_fault_of_the_device(hub: MqttHub) -> None:
    hello = await hub.hello(PRESS)

    async def fail(_identity: object) -> None:
        raise Unavailable("the disk")

    hub.gate._identities = type("Broken", (), {"known_identity": staticmethod(fail)})()
    _, heard = await answers(hub, hello)
    assert heard == LATER


async def test_a_bug_while_judging_costs_the_connection_only(hub: MqttHub, caplog: pytest.LogCaptureFixture) -> None:
    hello = await hub.hello(PRESS)

    async def fail(_identity: object) -> None:
        raise ValueError("a bug")

    hub.gate._identities = type("Broken", (), {"known_identity": staticmethod(fail)})()
    peer, heard = await answers(hub, hello)
    assert heard == LATER
    assert peer.channel.closed
    assert "mqtt_connect_failed" in caplog.text


async def test_a_bug_behind_the_verdict_leaves_no_connection_that_nobody_ends(
    hub: MqttHub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise ValueError("a bug")

    peer = hub.dial()
    monkeypatch.setattr(peer.channel, "identified", fail)
    peer.say(await hub.hello(PRESS))
    await hub.settle()
    assert peer.channel.aborted
    assert len(hub.sessions) == 0
    assert "mqtt_connect_failed" in caplog.text


@pytest.mark.parametrize(("level", "answer"), [(5, [(0x20, b"\x00\x84\x00")]), (3, [(0x20, b"\x00\x01")])])
async def test_other_versions_of_mqtt_are_told_so_in_their_own_words(
    hub: MqttHub, level: int, answer: list[tuple[int, bytes]]
) -> None:
    name = "MQIsdp" if level == 3 else "MQTT"
    hello = connect("press-7", username=username(PRESS), password=b"x", level=level, name=name)
    _, heard = await answers(hub, hello)
    assert heard == answer


async def test_what_is_sent_before_the_verdict_is_done_after_it(hub: MqttHub) -> None:
    peer = hub.dial()
    peer.say(await hub.hello(PRESS), publish(EVENTS, b"early", qos=1, packet_id=7))
    assert peer.hear() == []
    assert await hub.logged() == ()
    await hub.settle()
    assert peer.hear() == [*ACCEPTED, (0x40, b"\x00\x07")]
    assert [each.entry.body for each in await hub.logged()] == [b"early"]


async def test_nothing_a_stranger_sends_reaches_anything(hub: MqttHub) -> None:
    peer = hub.dial()
    peer.say(
        connect("press-7", username=username(PRESS), password=b"wrong"),
        publish(EVENTS, b"x", qos=1),
        subscribe(2, ("$iothub/methods/POST/#", 0)),
    )
    await hub.settle()
    assert peer.hear() == REFUSED
    assert await hub.logged() == ()


@pytest.mark.parametrize("name", MALFORMED_CONNECTS)
async def test_a_malformed_first_packet_ends_the_connection(hub: MqttHub, name: str) -> None:
    peer, _ = await answers(hub, MALFORMED_CONNECTS[name])
    assert peer.channel.closed
    assert len(hub.sessions) == 0


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_packet_ends_the_session_and_no_other(hub: MqttHub, name: str) -> None:
    bystander = await hub.connected(OVEN)
    peer = await hub.connected(PRESS)
    for byte in MALFORMED[name]:
        peer.say(bytes([byte]))
    await hub.settle()
    assert peer.channel.closed
    assert not bystander.channel.closed
    assert len(hub.sessions) == 1


async def test_the_newest_connection_of_an_identity_wins_and_the_old_one_ends_without_a_packet(hub: MqttHub) -> None:
    old = await hub.connected(PRESS)
    hub.clock.advance(10.0)
    new = await hub.connected(PRESS)
    assert old.channel.aborted
    assert old.hear() == []
    assert not new.channel.closed
    assert len(hub.sessions) == 1


async def test_two_clients_of_one_id_cannot_throw_each_other_out_at_full_speed() -> None:
    hub = MqttHub(MqttSettings(takeover_delay=0.2))
    await hub.register(PRESS)
    loop = asyncio.get_running_loop()
    await hub.connected(PRESS)
    began = loop.time()
    await hub.connected(PRESS)
    assert loop.time() - began >= 0.2


async def test_silence_of_one_and_a_half_keep_alive_ends_the_session(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS)
    hub.clock.advance(89.0)
    peer.conversation.on_timer()
    assert not peer.channel.closed
    hub.clock.advance(1.5)
    peer.conversation.on_timer()
    assert peer.channel.aborted


async def test_an_expired_token_ends_the_session_without_its_will(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, will=(EVENTS, b"gone"))
    for _ in range(40):
        hub.clock.advance(100.0)
        peer.say(b"\xc0\x00")
        peer.conversation.on_timer()
    await hub.settle()
    assert peer.channel.aborted
    assert await hub.logged() == ()


async def test_a_timer_that_fires_after_the_end_does_nothing(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS)
    peer.conversation.close()
    peer.conversation.on_timer()
    peer.conversation.arm()
    peer.conversation.lost()
    peer.say(publish(EVENTS, b"late"))
    await hub.settle()
    assert await hub.logged() == ()


async def test_a_peer_that_is_gone_before_the_verdict_enters_nowhere(hub: MqttHub) -> None:
    peer = hub.dial()
    peer.say(await hub.hello(PRESS))
    peer.conversation.lost()
    await hub.settle()
    assert len(hub.sessions) == 0
    refused = hub.dial()
    refused.say(connect("press-7", username=username(PRESS), password=b"wrong"))
    refused.conversation.lost()
    await hub.settle()
    assert refused.hear() == []


async def test_reading_waits_while_too_much_is_queued_before_the_verdict(hub: MqttHub) -> None:
    peer = hub.dial(FakeChannel())
    peer.say(await hub.hello(PRESS), publish(EVENTS, b"early", qos=1))
    assert not peer.is_read()
    await hub.settle()
    assert peer.is_read()


async def test_a_right_that_ends_while_it_is_judged_ends_the_session(hub: MqttHub) -> None:
    peer = hub.dial()
    peer.say(await hub.hello(PRESS))
    await hub.disable(PRESS)
    await hub.settle()
    assert peer.channel.closed
    assert len(hub.sessions) == 0


async def test_a_right_that_ends_while_a_takeover_waits_lets_nothing_of_the_newcomer_in() -> None:
    hub = MqttHub(MqttSettings(takeover_delay=0.1))
    await hub.register(PRESS)
    await hub.connected(PRESS)
    peer = hub.dial()
    peer.say(await hub.hello(PRESS), publish(EVENTS, b"sent ahead", qos=1))
    await asyncio.sleep(0)
    await hub.disable(PRESS)
    await hub.settle()
    assert peer.hear() == REFUSED
    assert await hub.logged() == ()


async def test_a_connect_that_is_judged_while_the_hub_stops_opens_nothing(hub: MqttHub) -> None:
    hello = await hub.hello(PRESS, will=(EVENTS, b"gone"))
    hub.sessions.end_all()
    peer, heard = await answers(hub, hello + publish(EVENTS, b"x", qos=1, packet_id=7))
    assert heard == []
    assert peer.channel.closed
    assert len(hub.sessions) == 0
    assert not await hub.logged()
