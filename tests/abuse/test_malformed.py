"""Packets that are none: whole, byte by byte, too early, too late, in another version. Each ends its own session."""

import os
from typing import Any, Final

import pytest
from tests.fakes.bystander import new_device
from tests.fakes.mqtt_packets import MALFORMED, MALFORMED_CONNECTS, connect, packet, publish
from tests.fakes.raw_device import (
    API_VERSION,
    MARK,
    Gone,
    RawDevice,
    connect_packet,
    dial,
    events_topic,
    online,
    token_for,
)
from tests.fakes.running_hub import Registered, RunningHub

OVER = pytest.mark.parametrize("over", ["mqtt", "websocket"])
UNSUPPORTED_VERSION: Final = 0x84
"""MQTT 5, 3.2.2.2."""


@pytest.fixture(scope="module")
def device(hub: RunningHub) -> Registered:
    """Whose name the attackers may use."""
    return new_device(hub)


def drip(peer: RawDevice, data: bytes) -> None:
    """Send each byte in a record of its own."""
    for place in range(len(data)):
        peer.send(data[place : place + 1])


@OVER
@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_packet_ends_its_session(hub: RunningHub, device: Registered, name: str, over: str) -> None:
    for send in (RawDevice.send, drip):
        with online(hub, device, over) as peer:
            send(peer, MALFORMED[name])
            assert peer.is_closed()


@OVER
@pytest.mark.parametrize("name", MALFORMED_CONNECTS)
def test_a_malformed_beginning_ends_the_connection(hub: RunningHub, name: str, over: str) -> None:
    for send in (RawDevice.send, drip):
        with dial(hub, over) as peer:
            send(peer, MALFORMED_CONNECTS[name])
            try:
                assert peer.packet().body[1] != 0
            except Gone:
                continue
            assert peer.is_closed()


def test_every_first_byte_with_noise_behind_it(hub: RunningHub, device: Registered) -> None:
    """Whatever it means, it ends this session or is answered in it, and nothing else happens."""
    for first in range(256):
        with dial(hub) as stranger:
            stranger.send(packet(first, os.urandom(first % 40)))
            assert first == 0x10 or stranger.is_closed()
        with online(hub, device) as peer:
            peer.send(packet(first, os.urandom(first % 7)))
            peer.is_open()


def test_what_came_whole_before_the_mistake_is_stored(hub: RunningHub) -> None:
    device = new_device(hub)
    with online(hub, device) as peer:
        peer.send(publish(events_topic(device), b"before", qos=1), MALFORMED["packet type 0"])
        assert peer.is_closed()
    assert [event["body"] for event in hub.events(count=1, device=device.device_id)] == ["before"]


def test_other_versions_are_told_that_they_are_not_spoken(hub: RunningHub, device: Registered) -> None:
    claim: dict[str, Any] = {
        "username": f"{hub.address}/{device.device_id}{API_VERSION}",
        "password": token_for(hub, device).encode(),
    }
    for level, name, code in ((5, "MQTT", UNSUPPORTED_VERSION), (3, "MQIsdp", 1), (6, "MQTT", 1), (0, "MQTT", 1)):
        with dial(hub) as peer:
            assert peer.connack(connect(device.device_id, level=level, name=name, **claim)) == code, level
            assert peer.is_closed()


@OVER
def test_what_comes_before_the_verdict_waits_and_is_bounded(hub: RunningHub, over: str) -> None:
    device = new_device(hub)
    with dial(hub, over) as peer:
        early = [publish(events_topic(device), MARK, qos=1, packet_id=n) for n in range(1, 301)]
        peer.send(connect_packet(hub, device), *early)
        assert peer.packet_of(2).body[1] == 0
        assert [peer.packet_of(4).packet_id for _ in early] == list(range(1, 301))
    with dial(hub, over) as peer:
        wrong = token_for(hub, device, ends_in=-1000)
        peer.send(connect_packet(hub, device, wrong))
        for _ in range(64):
            peer.send(publish(events_topic(device), MARK * 4096, qos=1))
        assert peer.is_closed()
    bodies = hub.events(count=301, timeout=1, device=device.device_id)
    assert len(bodies) == 300


def test_a_second_connect_does_not_make_another_of_it(hub: RunningHub, device: Registered) -> None:
    other = new_device(hub)
    with online(hub, device) as peer:
        peer.send(connect_packet(hub, other))
        assert peer.is_closed()
    with dial(hub) as peer:
        peer.send(connect_packet(hub, device), connect_packet(hub, other))
        assert peer.packet_of(2).body[1] == 0
        assert peer.is_closed()


def test_a_refused_connect_gets_no_second_try_on_its_connection(hub: RunningHub, device: Registered) -> None:
    with dial(hub) as peer:
        peer.send(connect_packet(hub, device, None), connect_packet(hub, device))
        assert peer.packet_of(2).body[1] != 0
        assert peer.is_closed()
