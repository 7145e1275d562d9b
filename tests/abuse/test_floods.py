"""Devices that send too much, read nothing, or keep what is not theirs to keep: memory is bounded and comes back."""

import json
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Final

import pytest
from tests.fakes.bystander import Bystander, Watch, new_device
from tests.fakes.floods import PEAK, Attack, bounded, flood, leaves_nothing, narrowed
from tests.fakes.mqtt_packets import PINGREQ, connect, puback, publish, subscribe, unsubscribe
from tests.fakes.raw_device import (
    MARK,
    RESET,
    TlsStream,
    command_filter,
    dial,
    events_topic,
    http_request,
    online,
    policy_token,
    read_answer,
    send_command,
)
from tests.fakes.running_hub import Registered, RunningHub


def flooding(make: Callable[[Registered], bytes], *, feeds: tuple[str, ...] = (), times: int = 1_000_000) -> Attack:
    """A connected device that floods with what `make` returns and reads nothing."""

    def attack(hub: RunningHub, device: Registered) -> None:
        with online(hub, device) as peer:
            for place, topic_filter in enumerate(feeds, 1):
                peer.subscribe(topic_filter.format(device.device_id), qos=0, packet_id=place)
            flood(peer.stream, make(device), times=times)

    return attack


PATCH: Final = "$iothub/twin/PATCH/properties/reported/?$rid=1"
TWIN_ANSWERS: Final = ("$iothub/twin/res/#",)
LARGE: Final = json.dumps({f"k{n}": "x" * 4000 for n in range(7)}).encode()

FLOODS: Final[dict[str, Attack]] = {
    "pings": flooding(lambda _: PINGREQ * 8000, times=60),
    "acknowledgements of nothing": flooding(lambda _: b"".join(puback(1 + n) for n in range(8000)), times=30),
    "the same subscription": flooding(lambda d: subscribe(1, (command_filter(d), 1)) * 400, times=50),
    "subscriptions and no more": flooding(
        lambda d: (subscribe(1, (command_filter(d), 1)) + unsubscribe(1, command_filter(d))) * 400, times=30
    ),
    "unsubscriptions from nothing": flooding(lambda _: unsubscribe(1, *(f"a/{n}" for n in range(60))) * 50, times=50),
    "telemetry of QoS 0": flooding(lambda d: publish(events_topic(d), MARK * 64) * 40),
    "small telemetry of QoS 0": flooding(lambda d: publish(events_topic(d)) * 400, times=100),
    "telemetry of QoS 1, acknowledgements unread": flooding(lambda d: publish(events_topic(d), MARK, qos=1) * 400),
    "large telemetry": flooding(lambda d: publish(events_topic(d), b"x" * 262_000, qos=1)),
    "ten thousand patches": flooding(lambda _: publish(PATCH, b'{"a":1}', qos=1) * 100, feeds=TWIN_ANSWERS, times=100),
    "large patches": flooding(lambda _: publish(PATCH, LARGE), feeds=TWIN_ANSWERS),
    "requests for the twin, answers unread": flooding(
        lambda _: publish("$iothub/twin/GET/?$rid=1", qos=1) * 400, feeds=TWIN_ANSWERS, times=20
    ),
    "answers to no call": flooding(lambda _: publish("$iothub/methods/res/200/?$rid=1", b'"x"') * 400, times=50),
}
"""Tiny packets are sent a bounded number of times: what counts is what they cost the hub, not how long they last."""


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_costs_bounded_memory_and_leaves_none(
    hub: RunningHub, bystander: Bystander, watch: Watch, name: str
) -> None:
    device = new_device(hub)
    hub.call("PATCH", f"/twins/{device.device_id}", json={"desired": json.loads(LARGE)})
    FLOODS[name](hub, device)  # the first makes what is made once only
    with bounded(watch):
        FLOODS[name](hub, device)
        bystander.check()
        bystander.newcomer()
    with online(hub, device) as peer:
        assert peer.is_open()


def test_the_bystander_is_served_while_the_flood_goes_on(hub: RunningHub, bystander: Bystander) -> None:
    """Four devices send as fast as they can; between their batches everybody else has a turn."""
    device_ids = [new_device(hub) for _ in range(4)]
    batch = publish(PATCH, b'{"a":1}', qos=1) * 200 + PINGREQ * 1000
    with ExitStack() as stack:
        peers = [stack.enter_context(online(hub, device)) for device in device_ids]
        for _ in range(10):
            for device, peer in zip(device_ids, peers, strict=True):
                assert isinstance(peer.stream, TlsStream)
                peer.stream.socket.settimeout(0.05)
                with suppress(TimeoutError, *RESET):
                    peer.stream.socket.sendall(batch + publish(events_topic(device), MARK) * 200)
            bystander.check()
        bystander.newcomer()


def unread_commands(hub: RunningHub, device: Registered, qos: int) -> None:
    """Fifty of the largest commands for a device that takes none of them off its socket."""
    for _ in range(50):
        send_command(hub, device, b"x" * 65_000)
    with online(hub, device) as peer:
        narrowed(peer.stream)
        peer.send(subscribe(1, (command_filter(device), qos)))
        with online(hub, new_device(hub)) as other:
            other.ping()
    hub.call("DELETE", f"/devices/{device.device_id}/commands")


@pytest.mark.parametrize("qos", [0, 1])
def test_commands_that_are_not_read_wait_and_are_bounded(
    hub: RunningHub, bystander: Bystander, watch: Watch, qos: int
) -> None:
    device = new_device(hub)
    unread_commands(hub, device, qos)
    with bounded(watch):
        unread_commands(hub, device, qos)
        bystander.check()


def test_changes_of_desired_properties_that_are_not_read_end_the_session(hub: RunningHub, watch: Watch) -> None:
    device = new_device(hub)
    watch.forget_peak()
    memory, level = watch.memory(), watch.settled()
    with online(hub, device) as peer, hub.admin() as admin:
        peer.subscribe("$iothub/twin/PATCH/properties/desired/#", qos=0)
        narrowed(peer.stream)
        changes = 0
        while changes % 50 or watch.level().connections > level.connections:
            changes += 1
            assert changes < 2000
            desired = {f"k{n}": f"{changes}" + "x" * 4000 for n in range(7)}
            assert admin.patch(f"/twins/{device.device_id}", json={"desired": desired}).status_code == 200
    assert watch.peak_memory() - memory < PEAK


def test_a_command_whose_topic_is_too_long_does_not_block_the_queue(hub: RunningHub) -> None:
    """Its properties fit the hub, but not into an MQTT topic once they are percent-encoded."""
    device = new_device(hub)
    send_command(hub, device, b"poison", properties={f"p{n}": "\u20ac" * 100 for n in range(150)})
    send_command(hub, device, b"good")
    with online(hub, device) as peer:
        peer.subscribe(command_filter(device))
        good = peer.packet_of(3)
        assert good.payload.endswith(b"good")
        peer.send(puback(good.message_id))
        deadline = time.monotonic() + 10
        while hub.call("GET", f"/devices/{device.device_id}/commands")["pending"]:
            assert time.monotonic() < deadline


def test_who_unsubscribes_while_a_command_is_on_its_way_does_not_lose_it(hub: RunningHub) -> None:
    device = new_device(hub)
    with online(hub, device) as peer:
        peer.subscribe(command_filter(device))
        for number in range(5):
            send_command(hub, device, f"{number}".encode())
        peer.packet_of(3)
        peer.send(unsubscribe(7, command_filter(device)))
        peer.packet_of(11)
    with online(hub, device) as peer:
        peer.subscribe(command_filter(device))
        assert [peer.packet_of(3).payload for _ in range(5)] == [b"0", b"1", b"2", b"3", b"4"]
    hub.call("DELETE", f"/devices/{device.device_id}/commands")


def test_a_session_keeps_few_and_short_filters_only(hub: RunningHub) -> None:
    """What a device makes the hub keep while it is away is bounded: in number and in bytes."""
    many, long = new_device(hub), new_device(hub)
    with online(hub, many, clean=False) as peer:
        for number in range(60):
            peer.send(subscribe(number + 1, (f"$iothub/twin/res/{number}/#", 1)))
        assert peer.is_closed()
    with online(hub, long, clean=False) as peer:
        peer.send(*(subscribe(n + 1, (f"$iothub/twin/res/{n}{'x' * 60_000}", 1)) for n in range(40)))
        assert peer.is_closed()
    with online(hub, long, clean=False) as peer:
        assert peer.subscribe(command_filter(long)) == b"\x01"


def test_sessions_that_come_and_go_leave_nothing(hub: RunningHub, watch: Watch) -> None:
    devices = [new_device(hub) for _ in range(20)]

    def churn() -> None:
        for number in range(200):
            device = devices[number % 20]
            with online(hub, device, ("mqtt", "websocket")[number % 2], clean=number % 3 == 0) as peer:
                peer.send(subscribe(1, (command_filter(device), 1)), publish(events_topic(device), MARK, qos=1))

    leaves_nothing(watch, churn)


def test_a_crowd_of_refused_connects_leaves_nothing(hub: RunningHub, bystander: Bystander, watch: Watch) -> None:
    packet = connect("nobody", username=f"{hub.address}/nobody/?api-version=x", password=b"SharedAccessSignature sr=x")

    def crowd() -> None:
        with ExitStack() as stack:
            peers = [stack.enter_context(dial(hub)) for _ in range(150)]
            for peer in peers:
                peer.send(packet)
            bystander.newcomer()
            assert all(peer.connack(b"") == 5 for peer in peers)

    leaves_nothing(watch, crowd)


def test_requests_that_still_wait_are_dropped_when_the_right_is_withdrawn(hub: RunningHub) -> None:
    """Thousands of changes, sent while they were allowed; once the session has ended none of them is made."""
    device = new_device(hub)
    with online(hub, device) as peer:
        peer.send(*(publish(PATCH, f'{{"n":{n}}}'.encode()) for n in range(4000)))
        hub.call("PATCH", f"/devices/{device.device_id}", json={"status": "disabled"})
        assert peer.is_closed(timeout=2)
    at_the_end = hub.call("GET", f"/twins/{device.device_id}")["reported"]["properties"]["n"]
    assert at_the_end < 3999
    for _ in range(5):
        assert (
            hub.call("GET", f"/twins/{device.device_id}")["reported"]["properties"]["n"] <= at_the_end + 1
        )  # one was being stored


def test_calls_that_a_device_never_answers_are_bounded_and_end_with_it(hub: RunningHub, watch: Watch) -> None:
    device = new_device(hub)
    token = policy_token(hub, "service")
    body = b'{"methodName": "wait", "payload": 1, "responseTimeoutInSeconds": 60, "connectTimeoutInSeconds": 0}'
    request = http_request("POST", f"/twins/{device.device_id}/methods?api-version=x", host="h", token=token, body=body)
    with ExitStack() as stack:
        peer = stack.enter_context(online(hub, device))
        peer.subscribe("$iothub/methods/POST/#")
        streams = [TlsStream(hub.address, hub.ready["https"]) for _ in range(66)]
        for stream in streams:
            stack.callback(stream.close)
        for stream in streams[:64]:
            stream.send(request)
        for _ in range(64):
            peer.packet_of(3)
        for stream in streams[64:]:
            stream.send(request)
            answer = read_answer(stream)
            assert answer is not None
            assert answer.status in (403, 429)
        peer.close()
        answers = [read_answer(stream) for stream in streams[:64]]
        assert {answer.status for answer in answers if answer} == {404}


def test_back_ends_that_hang_up_before_the_answer_leave_no_call(hub: RunningHub, watch: Watch) -> None:
    device = new_device(hub)
    before = watch.settled()
    body = b'{"methodName": "wait", "payload": 1, "responseTimeoutInSeconds": 5, "connectTimeoutInSeconds": 1}'
    token = policy_token(hub, "service")
    request = http_request("POST", f"/twins/{device.device_id}/methods?api-version=x", host="h", token=token, body=body)
    for _ in range(50):
        stream = TlsStream(hub.address, hub.ready["https"])
        stream.send(request)
        with suppress(ssl.SSLError, OSError):
            stream.socket.shutdown(socket.SHUT_RDWR)
        stream.close()
    watch.falls_back_to(before)
