"""A device that acts as another: by topic, filter, will or answer. Nothing of another's is reached."""

import time
from typing import Final, NamedTuple

import pytest
from tests.fakes.bystander import new_device
from tests.fakes.mqtt_packets import DISCONNECT, publish, subscribe
from tests.fakes.pki import self_signed
from tests.fakes.raw_device import (
    MARK,
    RawDevice,
    TlsStream,
    command_filter,
    connect_packet,
    dial,
    events_topic,
    http_request,
    online,
    policy_token,
    read_answer,
    send_command,
    token_for,
)
from tests.fakes.running_hub import Registered, RunningHub
from tests.fakes.tls_client import client_context

REFUSED: Final = 5
WILL: Final = b"will"


class Cast(NamedTuple):
    """Two devices and a module of each."""

    hub: RunningHub
    a: Registered
    b: Registered
    a_module: Registered
    b_module: Registered


@pytest.fixture(scope="module")
def cast(hub: RunningHub) -> Cast:
    """Register them; the ids are such that one begins with the other."""
    a, b = hub.create_device("press-1"), hub.create_device("press-10")
    return Cast(hub, a, b, hub.create_module("press-1", "arm"), hub.create_module("press-10", "arm"))


FOREIGN_PUBLISHES: Final = (
    "devices/press-10/messages/events/",
    "devices/press-10/messages/events",
    "devices/press-10/messages/events/$.mid=1",
    "devices/press-10/modules/arm/messages/events/",
    "devices/press-1/modules/arm/messages/events/",
    "devices/press-1/../press-10/messages/events/",
    "devices/press-1//messages/events/",
    "devices//messages/events/",
    "devices/PRESS-1/messages/events/",
    "devices/press%2D1/messages/events/",
    "devices/press-1\u0301/messages/events/",
    "devices/press-1/messages/events.x",
    "devices/press-1/messages/eventsx/",
    "Devices/press-1/messages/events/",
    "/devices/press-1/messages/events/",
    " devices/press-1/messages/events/",
    "devices/press-10/modules/arm/outputs/out",
    "devices/press-10",
    "devices/",
    "devices",
    "$dps/registrations/PUT/iotdps-register/?$rid=1",
    "$aws/things/press-10/shadow/update",
    "any/topic/of/mine",
)
SERVER_ONLY: Final = (
    "devices/press-1/messages/devicebound/",
    "devices/press-1/messages/devicebound/$.mid=1",
    "devices/press-10/messages/devicebound/",
    "devices/press-1/messages/deviceBound/",
    "$iothub/methods/POST/reboot/?$rid=1",
    "$iothub/twin/PATCH/properties/desired/?$version=9",
    "$iothub/twin/PATCH/properties/desired/?$rid=1",
    "$iothub/twin/PATCH/properties/tags/?$rid=1",
    "$iothub/twin/PATCH/?$rid=1",
    "$iothub/twin/PUT/properties/reported/?$rid=1",
    "$iothub/twin/DELETE/?$rid=1",
    "$iothub/twin/GET/press-10/?$rid=1",
    "$iothub/twin/GET/?rid=1",
    "$iothub/twin/GET/",
    "$iothub/twin/res/200/?$rid=1",
    "$iothub/clientproxy/x",
    "$iothub/operations/x",
    "$iothub",
    "$iothub/",
    "$SYS/broker/clients",
    "$share/group/devices/press-10/messages/events/",
)


@pytest.mark.parametrize("over", ["mqtt", "websocket"])
def test_nothing_is_published_in_anothers_name(cast: Cast, over: str) -> None:
    for topic in FOREIGN_PUBLISHES + SERVER_ONLY:
        for qos in (0, 1):
            with online(cast.hub, cast.a, over) as peer:
                peer.send(publish(topic, MARK, qos=qos))
                assert peer.is_closed(), topic
    assert stored(cast.hub, cast.b) == []
    assert stored(cast.hub, cast.a) == []


def stored(hub: RunningHub, device: Registered) -> list[object]:
    """What the log has of the device."""
    return [event["body"] for event in hub.events(count=1, timeout=0.2, device=device.device_id)]


def test_a_module_publishes_for_itself_only(cast: Cast) -> None:
    for topic in (
        "devices/press-1/messages/events/",
        "devices/press-1/modules/leg/messages/events/",
        "devices/press-1/modules/ar/messages/events/",
        "devices/press-1/modules/arm2/messages/events/",
        "devices/press-10/modules/arm/messages/events/",
    ):
        with online(cast.hub, cast.a_module) as peer:
            peer.send(publish(topic, MARK, qos=1))
            assert peer.is_closed(), topic


FOREIGN_FILTERS: Final = (
    "#",
    "+",
    "+/#",
    "+/+/#",
    "devices/#",
    "devices/+/#",
    "devices/+/messages/#",
    "devices/+/messages/devicebound/#",
    "devices/+/modules/+/messages/devicebound/#",
    "+/press-1/messages/devicebound/#",
    "+/press-10/messages/devicebound/#",
    "devices/press-10/#",
    "devices/press-10/messages/devicebound/#",
    "devices/press-10/messages/devicebound/+",
    "devices/press-10/modules/arm/messages/devicebound/#",
    "devices/press-1/modules/arm/messages/devicebound/#",
    "devices/press-1/modules/+/messages/devicebound/#",
    "devices/press-1/modules/#",
    "devices/press-1/messages/events/#",
    "devices/press-10/messages/events/#",
    "devices/press-1/../press-10/messages/devicebound/#",
    "devices/PRESS-1/messages/devicebound/#",
    "/devices/press-1/messages/devicebound/#",
    "$share/g/devices/press-1/messages/devicebound/#",
    "$share/g/#",
    "$queue/#",
    "$SYS/#",
    "$iothub",
    "$iothub/methods/res/#",
    "$iothub/twin/GET/#",
    "$iothub/twin/PATCH/properties/reported/#",
    "+/methods/POST/#",
    "+/twin/res/#",
    "$dps/registrations/res/#",
    "$aws/things/+/shadow/#",
)


@pytest.mark.parametrize("over", ["mqtt", "websocket"])
def test_no_filter_reaches_beyond_oneself(cast: Cast, over: str) -> None:
    for topic_filter in FOREIGN_FILTERS:
        with online(cast.hub, cast.a, over) as peer:
            peer.send(subscribe(1, (topic_filter, 1)))
            assert peer.is_closed(), topic_filter


def test_one_foreign_filter_among_good_ones_gets_none_of_them(cast: Cast) -> None:
    with online(cast.hub, cast.a, clean=False) as peer:
        peer.send(subscribe(1, (command_filter(cast.a), 1), (command_filter(cast.b), 1)))
        assert peer.is_closed()
    send_command(cast.hub, cast.a, b"for a")
    with online(cast.hub, cast.a, clean=False) as peer:
        peer.ping()
        with pytest.raises(TimeoutError):
            peer.packet_of(3, timeout=0.3)  # not even the good one was kept
    cast.hub.call("DELETE", "/devices/press-1/commands")


def test_the_widest_filters_that_are_allowed_bring_nothing_of_anothers(cast: Cast) -> None:
    wide = ("$iothub/#", "$iothub/+/#", "$iothub/+/+/#", "devices/press-1/#", "devices/press-1/+/#")
    with online(cast.hub, cast.a) as peer, online(cast.hub, cast.b) as other:
        assert len(peer.subscribe(*wide)) == len(wide)
        other.subscribe("$iothub/#", command_filter(cast.b))
        send_command(cast.hub, cast.b, b"for b")
        cast.hub.call("PATCH", "/twins/press-10", json={"desired": {"for": "b"}})
        cast.hub.call("PATCH", "/twins/press-1", params={"module": "arm"}, json={"desired": {"for": "arm"}})
        topics = sorted(other.packet_of(3).topic.partition("?")[0].partition("bound")[0] for _ in range(2))
        assert topics == ["$iothub/twin/PATCH/properties/desired/", "devices/press-10/messages/device"]
        peer.ping()
        with pytest.raises(TimeoutError):
            peer.packet_of(3, timeout=0.3)
    cast.hub.call("DELETE", "/devices/press-10/commands")


def test_a_twin_patch_changes_ones_own_twin_only(cast: Cast) -> None:
    """No topic names whose twin it is: it is the sender's, whatever the body says."""
    body = b'{"deviceId": "press-10", "$version": 1, "reported": {"x": 1}}'
    for payload in (b'{"deviceId": "press-10", "moduleId": "arm", "x": 1}', body):
        with online(cast.hub, cast.a) as peer:
            peer.subscribe("$iothub/twin/res/#")
            peer.send(publish("$iothub/twin/PATCH/properties/reported/?$rid=7&deviceId=press-10", payload))
            assert peer.packet_of(3).topic.startswith("$iothub/twin/res/")
    assert cast.hub.call("GET", "/twins/press-1")["reported"]["properties"]["x"] == 1
    assert cast.hub.call("GET", "/twins/press-10")["reported"]["properties"] == {}
    assert cast.hub.call("GET", "/twins/press-1", params={"module": "arm"})["reported"]["properties"] == {}


def test_an_answer_to_anothers_call_is_dropped(cast: Cast) -> None:
    """The request ids are numbers that can be guessed; who answers is part of what is compared."""
    token = policy_token(cast.hub, "service")
    body = b'{"methodName": "reboot", "payload": 1, "responseTimeoutInSeconds": 20}'
    stream = TlsStream(cast.hub.address, cast.hub.ready["https"])
    with (
        online(cast.hub, cast.b) as victim,
        online(cast.hub, cast.a) as attacker,
        online(cast.hub, cast.b_module) as module,
    ):
        victim.subscribe("$iothub/methods/POST/#")
        attacker.subscribe("$iothub/methods/POST/#")
        stream.send(http_request("POST", "/twins/press-10/methods?api-version=x", host="hub", token=token, body=body))
        request_id = victim.packet_of(3).topic.partition("$rid=")[2]
        for peer in (attacker, module):
            for guess in range(int(request_id, 16) + 5):
                peer.send(publish(f"$iothub/methods/res/200/?$rid={guess:x}", b'"forged"'))
            peer.ping()
        victim.send(publish(f"$iothub/methods/res/201/?$rid={request_id}", b'"genuine"'))
        answer = read_answer(stream)
        assert answer is not None
        assert answer.json == {"status": 201, "payload": "genuine"}
    stream.close()


@pytest.mark.parametrize(
    "topic",
    [
        "devices/press-10/messages/events/",
        "devices/press-1/modules/arm/messages/events/",
        "devices/press-1/messages/devicebound/",
        "$iothub/twin/PATCH/properties/reported/?$rid=1",
        "$iothub/methods/res/200/?$rid=1",
        "$iothub/twin/GET/?$rid=1",
        "any/topic",
    ],
)
def test_a_will_for_another_or_for_anything_but_telemetry_is_refused(cast: Cast, topic: str) -> None:
    with dial(cast.hub) as peer:
        assert peer.connack(connect_packet(cast.hub, cast.a, will=(topic, MARK))) == REFUSED
        assert peer.is_closed()


def wills_of(hub: RunningHub, device: Registered, count: int, timeout: float) -> list[object]:
    """What was stored of the device."""
    return [event["body"] for event in hub.events(count=count, timeout=timeout, device=device.device_id)]


@pytest.mark.parametrize("withdrawn", ["disabled", "deleted", "key rolled", "token over"])
def test_a_will_is_not_sent_once_its_right_is_withdrawn(hub: RunningHub, withdrawn: str) -> None:
    device = new_device(hub)
    token = token_for(hub, device, ends_in=-297.5) if withdrawn == "token over" else ""
    with online(hub, device, token=token, will=(events_topic(device), WILL)) as peer:
        peer.publish(events_topic(device), b"alive")
        path = f"/devices/{device.device_id}"
        match withdrawn:
            case "disabled":
                hub.call("PATCH", path, json={"status": "disabled"})
            case "deleted":
                hub.call("DELETE", path)
            case "key rolled":
                keys = {"primary": "MDEyMzQ1Njc4OWFiY2RlZg==", "secondary": "MDEyMzQ1Njc4OWFiY2RlZw=="}
                hub.call("PATCH", path, json={"auth": {"kind": "sas", "keys": keys}})
        assert peer.is_closed()
    assert wills_of(hub, device, 2, 0.5) == ["alive"]


def test_a_will_of_one_with_the_right_is_sent_and_after_a_goodbye_it_is_not(hub: RunningHub) -> None:
    """So that the silence above means something."""
    device = new_device(hub)
    with online(hub, device, will=(events_topic(device), WILL)) as peer:
        peer.ping()
    assert wills_of(hub, device, 1, 5) == ["will"]
    with online(hub, device, will=(events_topic(device), WILL)) as peer:
        peer.send(DISCONNECT)
        assert peer.is_closed()
    assert wills_of(hub, device, 2, 0.5) == ["will"]


def test_the_will_of_one_with_a_certificate_is_sent_though_its_connection_is_gone(hub: RunningHub) -> None:
    """It is judged anew by the certificate that the connection showed while there was one."""
    shown = self_signed("pinned")
    pinned = {"kind": "x509-thumbprint", "thumbprints": [shown.sha256_thumbprint]}
    device = new_device(hub, auth=pinned)
    with dial(hub, context=client_context(shown)) as peer:
        assert peer.connack(connect_packet(hub, device, None, will=(events_topic(device), WILL))) == 0
    assert wills_of(hub, device, 1, 5) == ["will"]


def test_who_comes_after_a_deleted_device_of_the_same_name_inherits_nothing(hub: RunningHub) -> None:
    first = new_device(hub, "reborn")
    with online(hub, first, clean=False) as peer:
        peer.subscribe("$iothub/twin/res/#", command_filter(first))
        hub.call("PATCH", f"/twins/{first.device_id}", json={"desired": {"secret": "of the first"}})
        send_command(hub, first, b"for the first")
        peer.packet_of(3)
        peer.send(publish("$iothub/twin/GET/?$rid=1"))
        peer.packet_of(3)  # never acknowledged: it would be sent again on the next connection
        hub.call("DELETE", f"/devices/{first.device_id}")
        assert peer.is_closed()
    second = hub.create_device(first.device_id)
    for clean in (False, True, False):
        with online(hub, second, clean=clean) as peer:
            peer.subscribe("$iothub/twin/res/#", command_filter(second))
            with pytest.raises(TimeoutError):
                peer.packet_of(3, timeout=0.2)


def test_two_clients_of_one_id_fight_at_a_bounded_rate(hub: RunningHub) -> None:
    """Each takes the connection from the other; each round costs them a pause."""
    device = new_device(hub)
    rounds, deadline = 0, time.monotonic() + 3
    holder: RawDevice | None = None
    while time.monotonic() < deadline:
        peer = dial(hub)
        assert peer.connack(connect_packet(hub, device)) == 0
        if holder is not None:
            assert holder.is_closed()
            holder.close()
        holder, rounds = peer, rounds + 1
    assert holder is not None
    holder.close()
    assert 2 <= rounds <= 8
