"""heads/mqtt/device.py"""

import asyncio
import gc
import json
import logging
from dataclasses import replace
from typing import Any

import pytest
from tests.fakes.grants import by_operator
from tests.fakes.mqtt_head import MqttHub, packet_id, published
from tests.fakes.mqtt_packets import publish, subscribe, unsubscribe
from tests.fakes.trouble import troubled

from ironhub.access.model import Permission
from ironhub.core.errors import Unavailable
from ironhub.core.ids import identity
from ironhub.heads.mqtt.conversation import MqttConversation
from ironhub.heads.mqtt.device import DeviceSession
from ironhub.heads.mqtt.services import MqttSettings
from ironhub.messaging.methods.model import DeviceConnectionLost, MethodCall
from ironhub.messaging.sessions.ports import TAKEN_OVER
from ironhub.messaging.telemetry.model import Flag

PRESS = identity("press-7")
ARM = identity("press-7", "arm")
OVEN = identity("oven-1")
EVENTS = "devices/press-7/messages/events/"
RESPONSES = "$iothub/twin/res/#"
DESIRED = "$iothub/twin/PATCH/properties/desired/#"
METHODS = "$iothub/methods/POST/#"
PUBACK_7 = (0x40, b"\x00\x07")


@pytest.fixture
async def hub() -> MqttHub:
    small = MqttHub()
    await small.register(PRESS, ARM, OVEN)
    return small


# Telemetry


async def test_telemetry_is_acknowledged_after_it_is_stored_and_never_before(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS)
    held: list[Any] = []
    hub.log.append = lambda *arguments: held.append(arguments)  # type: ignore[method-assign]  # the disk is slow
    peer.say(publish(EVENTS + "a=b", b"20.5", qos=1, packet_id=7))
    assert peer.hear() == []
    ((_, (entry,), stored),) = held
    stored(None)
    assert peer.hear() == [PUBACK_7]
    assert (entry.properties, entry.body, entry.flags) == (b"a=b", b"20.5", 0)
    assert entry.origin.identity == PRESS


async def test_what_came_together_is_stored_and_acknowledged_together_in_order(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS)
    peer.say(*(publish(EVENTS, b"%d" % number, qos=number % 2, packet_id=number) for number in range(1, 6)))
    await hub.settle()
    assert peer.hear() == [(0x40, bytes([0, number])) for number in (1, 3, 5)]
    assert [each.entry.body for each in await hub.logged()] == [b"1", b"2", b"3", b"4", b"5"]


async def test_retain_and_dup_are_kept_for_the_reader(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS)
    peer.say(publish(EVENTS, retain=True), publish(EVENTS, qos=1, dup=True))
    await hub.settle()
    assert [each.entry.flags for each in await hub.logged()] == [Flag.RETAIN, Flag.DUPLICATE]


async def test_what_could_not_be_stored_is_never_acknowledged_and_the_device_sends_it_again(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS)
    hub.log.append = lambda _p, _e, stored: stored(Unavailable("disk full"))  # type: ignore[method-assign,assignment]
    peer.say(publish(EVENTS, b"x", qos=1))
    await hub.settle()
    assert peer.hear() == []
    assert peer.channel.closed


async def test_a_message_over_the_limit_ends_the_session_but_what_came_before_it_is_stored(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS)
    peer.say(publish(EVENTS, b"fits", qos=1), publish(EVENTS + "a=b", bytes(262_142), qos=1, packet_id=2))
    await hub.settle()
    assert peer.channel.closed
    assert [each.entry.body for each in await hub.logged()] == [b"fits"]


async def test_exactly_256_kib_is_taken(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS)
    peer.say(publish(EVENTS, bytes(262_144), qos=1, packet_id=7))
    await hub.settle()
    assert peer.hear() == [PUBACK_7]


async def test_reading_pauses_while_too_much_waits_for_its_commit() -> None:
    hub = MqttHub(MqttSettings(max_unstored=1000))
    await hub.register(PRESS)
    peer = await hub.connected(PRESS)
    held: list[Any] = []
    hub.log.append = lambda *arguments: held.append(arguments[2])  # type: ignore[method-assign]
    peer.say(publish(EVENTS, bytes(2000), qos=1))
    assert not peer.is_read()
    held[0](None)
    assert peer.is_read()


@pytest.mark.parametrize(
    "topic",
    [
        "devices/oven-1/messages/events/",
        "devices/press-7/modules/arm/messages/events/",
        "devices/press-7/messages/devicebound/x",
        "$iothub/methods/POST/stop/?$rid=1",
        "$iothub/twin/res/200/?$rid=1",
        "anything/else",
    ],
)
async def test_publishing_anywhere_else_ends_the_session(hub: MqttHub, topic: str) -> None:
    peer = await hub.connected(PRESS)
    peer.say(publish(topic, b"x", qos=1))
    await hub.settle()
    assert peer.channel.closed
    assert await hub.logged() == ()


# The last will


async def test_a_will_is_telemetry_when_the_connection_is_lost(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, will=(EVENTS, b"gone"))
    peer.conversation.lost()
    await hub.settle()
    (logged,) = await hub.logged()
    assert (logged.entry.body, logged.entry.flags) == (b"gone", Flag.WILL)


async def test_an_orderly_disconnect_takes_the_will_back(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, will=(EVENTS, b"gone"))
    peer.say(b"\xe0\x00")
    await hub.settle()
    assert peer.channel.closed
    assert await hub.logged() == ()


async def test_a_will_is_not_sent_once_its_right_has_ended(hub: MqttHub, caplog: pytest.LogCaptureFixture) -> None:
    peer = await hub.connected(PRESS, will=(EVENTS, b"gone"))
    with caplog.at_level(logging.INFO):
        await hub.disable(PRESS)
        await hub.settle()
    assert peer.channel.aborted
    assert await hub.logged() == ()
    assert "mqtt_will_withheld" in caplog.text


async def test_a_stop_of_the_hub_sends_no_will(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, will=(EVENTS, b"gone"))
    hub.sessions.end_all()
    await hub.settle()
    assert peer.channel.aborted
    assert await hub.logged() == ()


@pytest.mark.parametrize("reason", [TAKEN_OVER, "its right has ended"])
async def test_requests_that_wait_are_done_after_a_takeover_and_dropped_when_the_right_ended(
    hub: MqttHub, reason: str
) -> None:
    peer = await hub.connected(PRESS)
    session = hub.sessions.of(PRESS)
    assert session is not None
    peer.say(*(publish("$iothub/twin/PATCH/properties/reported/?$rid=1", b'{"n":%d}' % n) for n in range(9)))
    session.end(reason)
    await hub.settle()
    twin = await hub.twins.get_twin(PRESS)
    assert twin is not None
    assert twin.reported.properties == ({"n": 8} if reason == TAKEN_OVER else {})


async def test_a_will_that_cannot_be_stored_is_reported(hub: MqttHub, caplog: pytest.LogCaptureFixture) -> None:
    peer = await hub.connected(PRESS, will=(EVENTS, b"gone"))
    hub.log.append = lambda _p, _e, stored: stored(Unavailable("disk full"))  # type: ignore[method-assign,assignment]
    peer.conversation.lost()
    await hub.settle()
    assert "mqtt_will_not_stored" in caplog.text


# The twin


async def test_the_twin_is_read_without_tags(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, (RESPONSES, 0))
    peer.say(publish("$iothub/twin/GET/?$rid=ab-1", b" ", qos=1, packet_id=7))
    await hub.settle()
    response, acknowledgement = peer.hear()
    topic, payload = published(response)
    assert topic == "$iothub/twin/res/200/?$rid=ab-1"
    assert json.loads(payload) == {"desired": {"$version": 1}, "reported": {"$version": 1}}
    assert acknowledgement == PUBACK_7


async def test_a_report_is_answered_with_the_new_version(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, (RESPONSES, 1))
    peer.say(publish("$iothub/twin/PATCH/properties/reported/?$rid=2", b'{"speed": 3}'))
    await hub.settle()
    (response,) = peer.hear()
    assert published(response) == ("$iothub/twin/res/204/?$rid=2&$version=2", b"")
    peer.say(b"\x40\x02" + packet_id(response).to_bytes(2, "big"))


@pytest.mark.parametrize("patch", [b"{", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"[1]", b'{"$x": 1}', b"[" * 100_000])
async def test_a_report_that_is_refused_is_answered_with_an_error_that_node_understands(
    hub: MqttHub, patch: bytes
) -> None:
    peer = await hub.connected(PRESS, (RESPONSES, 0))
    peer.say(publish("$iothub/twin/PATCH/properties/reported/?$rid=2", patch, qos=1, packet_id=7))
    await hub.settle()
    response, acknowledgement = peer.hear()
    topic, payload = published(response)
    assert topic.startswith("$iothub/twin/res/400/?$rid=2")
    assert {"errorCode", "message"} <= json.loads(payload).keys()
    assert acknowledgement == PUBACK_7


async def test_a_store_that_is_out_of_order_is_answered_too(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, (RESPONSES, 0))
    hub.trouble.refusals = 1000
    peer.say(publish("$iothub/twin/GET/?$rid=1", b" "))
    await hub.settle()
    assert published(peer.hear()[0])[0].startswith("$iothub/twin/res/503/")


async def test_reports_of_one_device_are_done_in_order(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, (RESPONSES, 0))
    peer.say(*(publish(f"$iothub/twin/PATCH/properties/reported/?$rid={n}", b'{"n": %d}' % n) for n in range(1, 20)))
    await hub.settle()
    versions = [published(each)[0].split("$version=")[1] for each in peer.hear()]
    assert versions == [str(number + 1) for number in range(1, 20)]


async def test_acknowledgements_keep_their_order_across_requests_and_telemetry(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, (RESPONSES, 0))
    peer.say(
        publish("$iothub/twin/GET/?$rid=1", b" ", qos=1, packet_id=5),
        publish(EVENTS, b"x", qos=1, packet_id=6),
        publish(EVENTS, b"y", qos=1, packet_id=7),
    )
    await hub.settle()
    assert [body for first, body in peer.hear() if first == 0x40] == [b"\x00\x05", b"\x00\x06", b"\x00\x07"]


async def test_an_answer_that_found_no_connection_comes_on_the_next(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, (RESPONSES, 1))
    peer.say(publish("$iothub/twin/GET/?$rid=1", b" ", qos=1))
    peer.conversation.lost()
    await hub.settle()
    again = hub.dial()
    again.say(await hub.hello(PRESS))
    await hub.settle()
    accepted, response = again.hear()
    assert accepted == (0x20, b"\x01\x00")
    assert published(response)[0] == "$iothub/twin/res/200/?$rid=1"


async def test_an_answer_that_was_not_acknowledged_comes_again_on_the_next_connection(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, (RESPONSES, 1))
    peer.say(publish("$iothub/twin/GET/?$rid=1", b" "))
    await hub.settle()
    assert len(peer.hear()) == 1
    peer.conversation.lost()
    await hub.settle()
    again = hub.dial()
    again.say(await hub.hello(PRESS))
    await hub.settle()
    assert published(again.hear()[1])[0] == "$iothub/twin/res/200/?$rid=1"


async def test_a_change_of_desired_properties_is_told_to_whoever_listens(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, (DESIRED, 1))
    deaf = await hub.connected(ARM)
    for who in (PRESS, ARM):
        grant = by_operator(Permission.TWIN_WRITE, who)
        await hub.mqtt.twins.update(grant, tags=None, desired={"speed": 5}, if_match=None)
    (notice,) = peer.hear()
    topic, payload = published(notice)
    assert topic == "$iothub/twin/PATCH/properties/desired/?$version=2"
    assert json.loads(payload) == {"speed": 5, "$version": 2}
    assert deaf.hear() == []


# Methods


async def test_a_method_call_reaches_the_device_and_its_answer_the_caller(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, (METHODS, 0))
    grant = by_operator(Permission.METHOD_INVOKE, PRESS)
    call = asyncio.create_task(hub.mqtt.methods.invoke(grant, MethodCall(name="stop", payload=b'{"now":true}')))
    await hub.settle()
    topic, payload = published(peer.hear()[0])
    assert topic.startswith("$iothub/methods/POST/stop/?$rid=")
    assert payload == b'{"now":true}'
    request_id = topic.split("$rid=")[1]
    peer.say(publish(f"$iothub/methods/res/207/?$rid={request_id}", b'"done"', qos=1, packet_id=7))
    answer = await call
    assert (answer.status, answer.payload) == (207, b'"done"')
    assert peer.hear() == [PUBACK_7]


async def test_another_device_cannot_answer_for_it(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, (METHODS, 0))
    other = await hub.connected(OVEN, (METHODS, 0))
    grant = by_operator(Permission.METHOD_INVOKE, PRESS)
    call = asyncio.create_task(hub.mqtt.methods.invoke(grant, MethodCall(name="stop")))
    await hub.settle()
    request_id = published(peer.hear()[0])[0].split("$rid=")[1]
    other.say(publish(f"$iothub/methods/res/200/?$rid={request_id}", b'"forged"'))
    assert not call.done()
    peer.conversation.lost()
    with pytest.raises(DeviceConnectionLost):
        await call


# Subscriptions


async def test_subscriptions_survive_the_connection_and_are_granted_qos_1_at_most(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS)
    peer.say(subscribe(3, (METHODS, 2), (RESPONSES, 0)))
    await hub.settle()
    assert peer.hear() == [(0x90, b"\x00\x03\x01\x00")]
    peer.conversation.lost()
    stored = await hub.stores.sessions.get_session(PRESS)
    assert stored is not None
    assert stored.subscriptions == {METHODS: 1, RESPONSES: 0}
    again = await hub.connected(PRESS)
    session = hub.sessions.of(PRESS)
    assert session is not None
    assert session.answers_methods
    assert not again.channel.closed


async def test_a_clean_session_leaves_nothing_behind(hub: MqttHub) -> None:
    await hub.connected(PRESS, (METHODS, 1))
    peer = await hub.connected(PRESS, clean=True)
    assert await hub.stores.sessions.get_session(PRESS) is None
    peer.subscribe((METHODS, 1))
    await hub.settle()
    peer.conversation.lost()
    await hub.settle()
    assert await hub.stores.sessions.get_session(PRESS) is None


async def test_the_end_of_a_clean_session_takes_nothing_from_the_one_that_took_over(hub: MqttHub) -> None:
    """A clean session has nothing stored: were it to delete what is, that would be its successor's."""
    hub.mqtt = replace(hub.mqtt, store=troubled(hub.stores.sessions, hub.trouble))
    clean = await hub.connected(PRESS, (METHODS, 1), clean=True)
    hub.clock.advance(60)
    hub.trouble.calls.clear()
    await hub.connected(PRESS, (METHODS, 1))
    assert clean.channel.closed
    stored = await hub.stores.sessions.get_session(PRESS)
    assert stored is not None
    assert stored.subscriptions == {METHODS: 1}
    assert "delete_session" not in hub.trouble.calls
    assert hub.trouble.calls.count("put_session") == 1


async def test_what_is_unsubscribed_is_sent_no_more(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, (DESIRED, 1), (METHODS, 0))
    peer.say(unsubscribe(9, DESIRED, METHODS))
    await hub.settle()
    assert peer.hear() == [(0xB0, b"\x00\x09")]
    grant = by_operator(Permission.TWIN_WRITE, PRESS)
    await hub.mqtt.twins.update(grant, tags=None, desired={"speed": 5}, if_match=None)
    assert peer.hear() == []
    session = hub.sessions.of(PRESS)
    assert session is not None
    assert not session.answers_methods


@pytest.mark.parametrize(
    "topic_filter", ["#", "+/+/#", "devices/#", "devices/oven-1/messages/devicebound/#", "$iothub/#"]
)
async def test_a_filter_that_reaches_beyond_the_device_ends_the_session_or_stays_its_own(
    hub: MqttHub, topic_filter: str
) -> None:
    peer = await hub.connected(PRESS)
    peer.subscribe((topic_filter, 0))
    await hub.settle()
    grant = by_operator(Permission.TWIN_WRITE, OVEN)
    await hub.mqtt.twins.update(grant, tags=None, desired={"speed": 5}, if_match=None)
    assert all(first != 0x30 for first, _ in peer.hear())
    assert peer.channel.closed or topic_filter == "$iothub/#"


async def test_subscriptions_that_cannot_be_stored_are_not_granted(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS)

    async def fail(_session: object) -> None:
        raise Unavailable("disk full")

    object.__setattr__(hub.mqtt, "store", type("Broken", (), {"put_session": staticmethod(fail)})())
    peer.subscribe((METHODS, 1))
    await hub.settle()
    assert peer.hear() == []
    assert peer.channel.closed


# The session


@pytest.mark.parametrize("who", [PRESS, ARM])
async def test_a_disabled_device_loses_its_session_and_its_modules_theirs(hub: MqttHub, who: Any) -> None:
    peer = await hub.connected(who)
    await hub.disable(PRESS)
    await hub.settle()
    assert peer.channel.aborted
    assert hub.sessions.of(who) is None


async def test_requests_that_wait_make_reading_pause() -> None:
    hub = MqttHub(MqttSettings(max_queued=4))
    await hub.register(PRESS)
    peer = await hub.connected(PRESS, (RESPONSES, 0))
    peer.say(*(publish(f"$iothub/twin/GET/?$rid={number}", b" ") for number in range(8)))
    assert not peer.is_read()
    await hub.settle()
    assert peer.is_read()
    assert len(peer.hear()) == 8


async def test_a_late_puback_is_no_error(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS)
    peer.say(b"\x40\x02\x00\x63")
    assert not peer.channel.closed


async def test_a_session_knows_how_long_its_token_still_holds(hub: MqttHub) -> None:
    await hub.connected(PRESS)
    session = hub.sessions.of(PRESS)
    left = getattr(session, "seconds_left")()  # noqa: B009  # the head's own, not part of the LiveSession port
    assert left == pytest.approx(3600.0 + 300.0, abs=2.0)


async def test_a_session_that_is_over_waits_for_no_collector_of_cycles(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, (RESPONSES, 1), (METHODS, 0), (f"devices/{PRESS}/messages/devicebound/#", 1))
    gc.collect()
    gc.disable()
    try:
        peer.say(publish("$iothub/twin/GET/?$rid=1"))
        await hub.settle()
        peer.conversation.lost()
        await hub.settle()
        del peer
        assert not [each for each in gc.get_objects() if isinstance(each, (DeviceSession, MqttConversation))]
    finally:
        gc.enable()
