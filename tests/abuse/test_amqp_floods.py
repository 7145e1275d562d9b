"""AMQP peers who open, send or ask too much, read nothing, settle nothing: what they cost is bounded and comes back."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

import pytest
from tests.fakes.amqp_bystander import AmqpBystander
from tests.fakes.amqp_client import filtered_source, message, selector
from tests.fakes.bystander import Bystander, Watch, new_device
from tests.fakes.floods import LEFT, PEAK, Attack, bounded, flood, leaves_nothing, narrowed
from tests.fakes.raw_amqp import (
    RawAmqp,
    amqp_device,
    commands_address,
    partition_address,
    shown,
    stream_token,
    telemetry_address,
)
from tests.fakes.raw_device import MARK, policy_token, send_command
from tests.fakes.running_hub import Registered, RunningHub

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.conditions import RESOURCE_LIMIT_EXCEEDED
from ironhub.wire.amqp.fields import ABSENT
from ironhub.wire.amqp.frames import EMPTY_FRAME, encode_frame
from ironhub.wire.amqp.outcomes import ACCEPTED, MODIFIED, RELEASED
from ironhub.wire.amqp.performatives import Begin, Detach, End, Flow, Transfer

BYSTANDER = AmqpBystander
OVER = pytest.mark.parametrize("over", ["amqp", "websocket"])
MANY: Final = 0xFFFF_FFFF


def flooding(make: Callable[[RawAmqp, Registered], bytes], *, times: int = 1_000_000) -> Attack:
    """A connected device that floods with what `make` returns and reads nothing."""

    def attack(hub: RunningHub, device: Registered) -> None:
        with amqp_device(hub, device) as peer:
            flood(peer.stream, make(peer, device), times=times)

    return attack


def _flow(handle: int, credit: int, *, echo: bool = False) -> bytes:
    return encode_frame(0, 0, Flow(0, MANY, 0, MANY, handle, 0, credit, echo=echo).encode())


def _echoes(peer: RawAmqp, device: Registered) -> bytes:
    link = peer.client.receiver(commands_address(device))
    assert peer.answered(link) == ""
    return _flow(link.handle, 1, echo=True) * 400


def _telemetry(size: int, count: int, *, settled: bool) -> Callable[[RawAmqp, Registered], bytes]:
    """Transfers far beyond the credit; what came within it is stored."""

    def make(peer: RawAmqp, device: Registered) -> bytes:
        link = peer.client.sender(telemetry_address(device))
        assert peer.answered(link) == ""
        payload = message(MARK + b"x" * size)
        frames = (Transfer(link.handle, n, b"t", 0, settled, False, payload) for n in range(count))
        return b"".join(encode_frame(0, 0, frame.encode()) for frame in frames)

    return make


def _twin_requests(peer: RawAmqp, device: Registered) -> bytes:
    base = f"/devices/{device.device_id}/twin"
    link, replies = peer.client.sender(base), peer.client.receiver(base, credit=100_000)
    assert peer.answered(link) == peer.answered(replies) == ""
    annotations = encode.map_([(encode.symbol("operation"), encode.string("GET"))])
    payload = encode.described(0x72, annotations) + message(b" ", correlation_id=encode.string("c"))  # type: ignore[arg-type]  # encoded
    frame = encode_frame(0, 0, Transfer(link.handle, 1, b"t", 0, True, False, payload).encode())
    return frame * 200


def _attaches(peer: RawAmqp, device: Registered) -> bytes:
    """Links that are refused, and taken off their handle again."""
    said: list[bytes] = []
    peer.client.send = said.append
    for number in range(100):
        link = peer.client.sender(f"/devices/nobody/messages/events/{number}")
        peer.client.frame(Detach(link.handle, True, None))
    peer.client.send = peer.send
    return b"".join(said)


def _sessions(peer: RawAmqp, device: Registered) -> bytes:
    begin = encode_frame(0, 9, Begin(ABSENT, 0, MANY, MANY, 255).encode())
    return (begin + encode_frame(0, 9, End().encode())) * 300


FLOODS: Final[dict[str, Attack]] = {
    "signs of life": flooding(lambda *_: EMPTY_FRAME * 8000, times=60),
    "flows that want an echo": flooding(_echoes, times=100),
    "flows of sessions that want an echo": flooding(lambda *_: _flow(ABSENT, ABSENT, echo=True) * 400, times=100),
    "links that are refused": flooding(_attaches),
    "sessions that begin and end": flooding(_sessions, times=50),
    "small messages of the device": flooding(_telemetry(0, 400, settled=False), times=100),
    "small settled messages": flooding(_telemetry(0, 400, settled=True), times=100),
    "large messages": flooding(_telemetry(60_000, 8, settled=False)),
    "requests for the twin, answers unread": flooding(_twin_requests, times=50),
    "dispositions of nothing": flooding(
        lambda *_: (
            encode_frame(0, 0, b"\0\x53\x15" + encode.list_([b"\x41", b"\x43", encode.uint(MANY), b"\x41"])) * 300
        ),
        times=50,
    ),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_costs_bounded_memory_and_leaves_none(
    hub: RunningHub, bystander: Bystander, watch: Watch, name: str
) -> None:
    device = new_device(hub)
    FLOODS[name](hub, device)  # the first makes what is made once only
    with bounded(watch):
        FLOODS[name](hub, device)
        bystander.check()
        bystander.newcomer()
    with amqp_device(hub, device) as peer:
        assert peer.is_open()


def attach_thousands(peer: RawAmqp, device: Registered, thousands: int) -> None:
    """A thousand links on each of some sessions."""
    said: list[bytes] = []
    peer.client.send = said.append
    for channel in range(1, 1 + thousands):
        peer.client.begin(channel)
        for _ in range(1000):
            peer.client.sender(telemetry_address(device), channel=channel)
    peer.client.send = peer.send
    peer.send(*said)


def _links(hub: RunningHub, device: Registered) -> None:
    """A thousand links is what one connection may have; whoever goes on all the same is sent away."""
    with amqp_device(hub, device) as peer:
        attach_thousands(peer, device, 8)
        assert peer.is_closed()
        assert peer.client.reason == RESOURCE_LIMIT_EXCEEDED
    with amqp_device(hub, device) as peer:
        attach_thousands(peer, device, 3)
        peer.until(lambda: all(link.attached is not None for link in peer.client.links))
        peer.until(lambda: all(link.is_open or link.detached for link in peer.client.links))
        assert len(peer.client.open_links()) <= 1024
        refused = [link.refusal for link in peer.client.links if not link.is_open]
        assert set(refused) == {RESOURCE_LIMIT_EXCEEDED}
        assert peer.is_open()


def test_thousands_of_links_are_refused_beyond_a_bound(hub: RunningHub, bystander: Bystander, watch: Watch) -> None:
    device = new_device(hub)
    _links(hub, device)
    with bounded(watch):
        _links(hub, device)
        bystander.check()


def test_links_with_long_names_and_properties_share_one_bound(hub: RunningHub, watch: Watch) -> None:
    device, before = new_device(hub), watch.memory()
    watch.forget_peak()
    with amqp_device(hub, device) as peer:
        said: list[bytes] = []
        peer.client.send = said.append
        for number in range(1000):
            properties = [("x", encode.string("y" * 14_000))]
            peer.client.sender(telemetry_address(device), name=f"{number}" + "n" * 15_000, properties=properties)
        peer.client.send = peer.send
        flood(peer.stream, b"".join(said), times=1)  # the hub reads no further while its answers are not read
    assert watch.peak_memory() - before < PEAK


@OVER
def test_65535_sessions_end_the_connection_at_its_bound(hub: RunningHub, watch: Watch, over: str) -> None:
    device, before = new_device(hub), watch.memory()
    watch.forget_peak()
    with amqp_device(hub, device, over) as peer:
        begin = Begin(ABSENT, 0, MANY, MANY, 255).encode()
        peer.send(*(encode_frame(0, channel, begin) for channel in range(1, 65_535)))
        assert peer.is_closed()
        assert len(peer.client.begun) <= 256
    assert watch.peak_memory() - before < PEAK


def test_all_sessions_that_there_may_be_are_cheap(hub: RunningHub, bystander: Bystander, watch: Watch) -> None:
    device = new_device(hub)
    with amqp_device(hub, device) as peer:
        before = watch.memory()
        begin = Begin(ABSENT, 0, MANY, MANY, 255).encode()
        peer.send(*(encode_frame(0, channel, begin) for channel in range(1, 255)))
        peer.until(lambda: len(peer.client.begun) == 255)
        bystander.check()
        assert watch.memory() - before < LEFT
        assert peer.is_open()


@pytest.mark.parametrize("credit", [MANY, 0x7FFF_FFFF, 0x8000_0000])
def test_credit_of_2_to_the_32_brings_what_there_is_and_no_more(hub: RunningHub, credit: int) -> None:
    device = new_device(hub)
    for number in range(3):
        send_command(hub, device, MARK + b"%d" % number)
    with amqp_device(hub, device) as peer:
        link = peer.client.receiver(commands_address(device), credit=credit)
        for number in range(3):
            found = peer.receives(link)
            assert found.body == MARK + b"%d" % number
            peer.client.dispose(link, found.delivery_id)
        peer.client.grant(link, credit)
        assert peer.is_open()
    hub.wait_for(lambda: hub.call("GET", f"/devices/{device.device_id}/commands")["pending"] == 0)


def fill(hub: RunningHub, device: Registered, count: int, size: int) -> None:
    """Store telemetry of one device."""
    with amqp_device(hub, device) as peer:
        link = peer.client.sender(telemetry_address(device))
        for _ in range(count):
            assert peer.sends(link, message(MARK + b"x" * size)) == ACCEPTED


def oldest(partition: int) -> object:
    """A source that begins with the oldest event."""
    return filtered_source(partition_address(partition), [selector("amqp.annotation.x-opt-offset > '-1'")])


@OVER
def test_a_reader_who_grants_all_credit_and_reads_nothing(
    hub: RunningHub, bystander: Bystander, watch: Watch, over: str
) -> None:
    """Forty megabytes lie in the log: what waits for a reader stays there."""
    fill(hub, new_device(hub), 200, 200_000)
    before = watch.memory()
    watch.forget_peak()
    with ExitStack() as stack:
        for _ in range(4):
            peer = stack.enter_context(shown(hub, stream_token(hub), over=over))
            narrowed(peer.stream)
            for partition in range(4):
                peer.client.receiver("", terminus=oldest(partition), credit=MANY)  # type: ignore[arg-type]
        for _ in range(3):
            bystander.check()
        bystander.newcomer()
        assert watch.peak_memory() - before < PEAK


def test_readers_without_credit_cost_nothing_while_devices_send(
    hub: RunningHub, bystander: Bystander, watch: Watch
) -> None:
    with ExitStack() as stack:
        peers = [stack.enter_context(shown(hub, stream_token(hub))) for _ in range(5)]
        links = [
            peer.client.receiver("", terminus=oldest(partition), credit=credit)  # type: ignore[arg-type]
            for peer in peers
            for partition in range(4)
            for credit in [(None, 0)[partition % 2]]
        ]
        for peer in peers:
            peer.until(lambda peer=peer: all(link.attached for link in peer.client.links))  # type: ignore[misc]
        watch.settled()
        before, heard = watch.memory(), [peer.heard for peer in peers]
        fill(hub, new_device(hub), 50, 100_000)
        bystander.check()
        assert all(peer.is_open() for peer in peers)
        assert not any(link.messages for link in links)
        assert all(peer.heard - earlier < 2000 for peer, earlier in zip(peers, heard, strict=True))
        assert watch.memory() - before < LEFT


def test_a_window_of_no_frames_holds_a_reader_back_and_costs_little(
    hub: RunningHub, bystander: Bystander, watch: Watch
) -> None:
    """Credit says go, the session's window says stop."""
    fill(hub, new_device(hub), 50, 100_000)
    with shown(hub, stream_token(hub)) as peer:
        peer.client.begin(1, window=1)
        before = watch.memory()
        links = [peer.client.receiver("", terminus=oldest(n), credit=None, channel=1) for n in range(4)]  # type: ignore[arg-type]
        for link in links:
            peer.answered(link)
            peer.client.frame(Flow(1, 0, 0, MANY, link.handle, 0, MANY), 1)
        bystander.check()
        assert peer.is_open()
        assert not any(link.messages for link in links)
        assert watch.memory() - before < LEFT


def test_commands_that_are_never_settled_are_few_and_come_again(hub: RunningHub, watch: Watch) -> None:
    device = new_device(hub)
    for number in range(50):
        send_command(hub, device, MARK + b"%d" % number)
    for _ in range(2):
        with amqp_device(hub, device) as peer:
            link = peer.client.receiver(commands_address(device), credit=MANY)
            found = peer.receives(link)
            assert found.body == MARK + b"0"
            assert peer.is_open()
    with amqp_device(hub, device) as peer:
        link = peer.client.receiver(commands_address(device), credit=MANY)
        seen: list[bytes] = []
        while len(seen) < 50:
            found = peer.receives(link)
            seen.append(found.body)
            peer.client.dispose(link, found.delivery_id)
    assert seen == [MARK + b"%d" % number for number in range(50)]


def test_verdicts_on_what_was_never_delivered_change_nothing(hub: RunningHub) -> None:
    device = new_device(hub)
    send_command(hub, device, MARK)
    with amqp_device(hub, device) as peer:
        link = peer.client.receiver(commands_address(device), credit=0)
        assert peer.answered(link) == ""
        for kind in (ACCEPTED, RELEASED, MODIFIED):
            peer.client.dispose(link, 0, MANY, kind)
            peer.client.dispose(link, 0, 0x7FFF_FFFF, kind, settled=False)
        assert peer.is_open()
        peer.client.grant(link, 1)
        found = peer.receives(link)
        for _ in range(100):
            peer.client.dispose(link, found.delivery_id)
        assert peer.is_open()
    hub.wait_for(lambda: hub.call("GET", f"/devices/{device.device_id}/commands")["pending"] == 0)


def test_feedback_that_is_never_settled_comes_again_and_is_bounded(hub: RunningHub) -> None:
    device = new_device(hub)
    send_command(hub, device, MARK, ack="full")
    with amqp_device(hub, device) as peer:
        link = peer.client.receiver(commands_address(device))
        peer.client.dispose(link, peer.receives(link).delivery_id)
        peer.is_open()
    for _ in range(3):
        with shown(hub, policy_token(hub, "service")) as peer:
            link = peer.client.receiver("/messages/servicebound/feedback", credit=MANY)
            assert peer.receives(link, 30).body
    with shown(hub, policy_token(hub, "service")) as peer:
        link = peer.client.receiver("/messages/servicebound/feedback")
        peer.client.dispose(link, peer.receives(link, 30).delivery_id)
        assert peer.is_open()


def test_readers_who_come_and_go_leave_nothing(hub: RunningHub, watch: Watch) -> None:
    token = stream_token(hub)

    def churn() -> None:
        for number in range(100):
            with shown(hub, token, over=("amqp", "websocket")[number % 2]) as peer:
                link = peer.client.receiver("", terminus=oldest(number % 4), credit=MANY)  # type: ignore[arg-type]
                if number % 3:
                    peer.answered(link)

    leaves_nothing(watch, churn)


def test_the_sixth_reader_of_a_partition_is_told_that_it_is_one_too_many(hub: RunningHub) -> None:
    with ExitStack() as stack:
        peers = [stack.enter_context(shown(hub, stream_token(hub))) for _ in range(6)]
        links = [peer.client.receiver(partition_address(2, "$default"), credit=0) for peer in peers]
        told = [peer.answered(link) for peer, link in zip(peers, links, strict=True)]
    assert sum(condition == "" for condition in told) in (4, 5)  # the bystander may be one of them
    assert set(told) == {"", RESOURCE_LIMIT_EXCEEDED}
