"""AMQP frames that are none, values that lie, messages without end. Each ends its connection, session or link only."""

import os
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import pytest
from tests.fakes.amqp_bystander import AmqpBystander
from tests.fakes.amqp_client import ClientLink, message
from tests.fakes.bystander import Watch, new_device
from tests.fakes.floods import PEAK
from tests.fakes.raw_amqp import RawAmqp, amqp_device, dial_amqp, telemetry_address
from tests.fakes.raw_device import MARK
from tests.fakes.running_hub import Registered, RunningHub

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.conditions import (
    DECODE_ERROR,
    FRAMING_ERROR,
    HANDLE_IN_USE,
    MESSAGE_SIZE_EXCEEDED,
    TRANSFER_LIMIT_EXCEEDED,
    UNATTACHED_HANDLE,
)
from ironhub.wire.amqp.frames import AMQP_HEADER, SASL_HEADER, encode_frame
from ironhub.wire.amqp.outcomes import ACCEPTED, REJECTED
from ironhub.wire.amqp.performatives import Transfer

BYSTANDER = AmqpBystander
DEEP: Final = 100_000


class Online(NamedTuple):
    """A device that is connected and may send."""

    peer: RawAmqp
    link: ClientLink


@pytest.fixture(scope="module")
def device(hub: RunningHub) -> Registered:
    """Whose name the attackers may use."""
    return new_device(hub)


@pytest.fixture(params=["amqp", "websocket"])
def online(hub: RunningHub, device: Registered, request: pytest.FixtureRequest) -> Iterator[Online]:
    """The device, connected either way, with a link for telemetry."""
    with amqp_device(hub, device, request.param) as peer:
        link = peer.client.sender(telemetry_address(device))
        assert peer.answered(link) == ""
        peer.until(lambda: link.credit > 0)
        yield Online(peer, link)


def head(size: int, *, offset: int = 2, kind: int = 0, channel: int = 0) -> bytes:
    """Return the header of a frame."""
    return size.to_bytes(4, "big") + bytes([offset, kind]) + channel.to_bytes(2, "big")


def transfer(body: bytes) -> bytes:
    """Return a TRANSFER with these fields, encoded, in a list32."""
    return b"\0\x53\x14" + body


def nested(depth: int, opening: bytes, inside: bytes = b"\x40") -> bytes:
    """Return a value within a value, so many times; the sizes are as large as can be said."""
    return opening * depth + inside


LIST32: Final = b"\xd0\x7f\xff\xff\xff\x00\x00\x00\x01"
ENDLESS: Final = b"\xd0\xff\xff\xff\xff\xff\xff\xff\xff"
MALFORMED: Final[dict[str, bytes]] = {
    "a header's size of 0": head(0),
    "a size of 7": head(7),
    "doff of 0": head(16, offset=0) + b"x" * 8,
    "doff of 1": head(16, offset=1) + b"x" * 8,
    "doff beyond the frame": head(16, offset=5) + b"x" * 8,
    "doff of 255": head(16, offset=255) + b"x" * 8,
    "a frame of 4 GB": head(0xFFFF_FFFF) + b"x" * 100,
    "a frame one byte over the limit": head(65_537) + b"x" * 100,
    "a frame type that is unknown": head(16, kind=2) + b"x" * 8,
    "a SASL frame": encode_frame(1, 0, b"\0\x53\x41\xc0\x0c\x01\xa3\x09ANONYMOUS"),
    "an AMQP header again": AMQP_HEADER,
    "a SASL header again": SASL_HEADER,
    "a performative that is none": encode_frame(0, 0, b"\0\x53\x99\x45"),
    "a body that is no performative": encode_frame(0, 0, b"\xa1\x05hello"),
    "a descriptor and no more": encode_frame(0, 0, b"\0\x53\x14"),
    "a descriptor of a descriptor of a descriptor": encode_frame(0, 0, b"\0" * 1000),
    "a list that is a map": encode_frame(0, 0, b"\0\x53\x14\xc1\x01\x00"),
    "a second OPEN": encode_frame(0, 0, b"\0\x53\x10\xc0\x04\x01\xa1\x01x"),
    "an OPEN's answer of 2^32 fields": encode_frame(0, 0, b"\0\x53\x10" + ENDLESS),
    "a list of 2^32 items": encode_frame(0, 0, transfer(ENDLESS)),
    "a list of 2^32 nulls in no byte": encode_frame(0, 0, transfer(b"\xd0\x00\x00\x00\x04\xff\xff\xff\xff")),
    "an array of 2^32 items without width": encode_frame(
        0, 0, b"\0\x53\x12" + encode.list_([b"\xf0\x00\x00\x00\x05\xff\xff\xff\xff\x40"])
    ),
    "an array of 2^32 empty lists": encode_frame(
        0, 0, b"\0\x53\x12" + encode.list_([b"\xf0\x00\x00\x00\x05\xff\xff\xff\xff\x45"])
    ),
    "an array of 2^32 true": encode_frame(
        0, 0, b"\0\x53\x12" + encode.list_([b"\xf0\x00\x00\x00\x05\xff\xff\xff\xff\x41"])
    ),
    "a binary of 2^32 bytes": encode_frame(0, 0, transfer(encode.list_([b"\x43", b"\xb0\xff\xff\xff\xff"]))),
    "a string that is no UTF-8": encode_frame(0, 0, b"\0\x53\x12" + encode.list_([b"\xa1\x02\xff\xfe"])),
    "lists in lists": encode_frame(0, 0, b"\0\x53\x12" + nested(7000, LIST32)),
    "list8 in list8": encode_frame(0, 0, b"\0\x53\x12" + nested(DEEP // 5, b"\xc0\xff\x01")),
    "arrays in arrays": encode_frame(0, 0, b"\0\x53\x12" + nested(DEEP // 5, b"\xe0\xff\x01")),
    "descriptors in descriptors": encode_frame(0, 0, nested(DEEP // 2, b"\0")),
    "a channel that was not begun": encode_frame(0, 77, b"\0\x53\x17\x45"),
    "a channel beyond channel-max": encode_frame(0, 60_000, b"\0\x53\x11\xc0\x07\x04\x40\x43\x52\x10\x52\x10"),
    "a BEGIN for a session that runs": encode_frame(0, 0, b"\0\x53\x11\xc0\x07\x04\x40\x43\x52\x10\x52\x10"),
    "a BEGIN that answers nothing": encode_frame(0, 9, b"\0\x53\x11\xc0\x08\x04\x60\x00\x09\x43\x52\x10\x52\x10"),
    "an HTTP request": b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n",
    "an MQTT packet": b"\x10\x10\x00\x04MQTT\x04\x02\x00\x00\x00\x04name",
}
"""What ends the connection."""


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_frame_ends_its_connection(online: Online, name: str) -> None:
    online.peer.send(MALFORMED[name])
    assert online.peer.is_closed()


@pytest.mark.parametrize("name", MALFORMED)
def test_a_stranger_who_says_the_same_is_gone_too(hub: RunningHub, name: str) -> None:
    for over in ("amqp", "websocket"):
        with dial_amqp(hub, over) as peer:
            peer.send(MALFORMED[name])
            peer.send(b"\0" * 64)
            assert peer.is_closed()


def test_a_malformed_frame_is_one_however_it_is_cut(hub: RunningHub, device: Registered) -> None:
    for name in ("doff of 1", "an array of 2^32 items without width", "a frame one byte over the limit"):
        with amqp_device(hub, device) as peer:
            for place in range(len(MALFORMED[name])):
                peer.send(MALFORMED[name][place : place + 1])
            assert peer.is_closed(), name


def test_every_performative_with_noise_in_it(hub: RunningHub, device: Registered) -> None:
    """Whatever it means, it ends something of its own or nothing, and nothing else happens."""
    for code in range(0x10, 0x19):
        for size in range(12):
            with amqp_device(hub, device) as peer:
                noise = os.urandom(size)
                peer.frame(b"\0\x53" + bytes([code, 0xC0, size + 1, size]) + noise)
                peer.is_open()


@pytest.mark.parametrize("performative", [0x12, 0x13, 0x14])
def test_a_field_of_every_type_where_another_is_due(hub: RunningHub, device: Registered, performative: int) -> None:
    for code in range(256):
        with amqp_device(hub, device) as peer:
            peer.frame(b"\0\x53" + bytes([performative, 0xC0, 18, 1, code]) + b"\0" * 16)
            peer.is_open()


PAYLOADS: Final[dict[str, bytes]] = {
    "noise": b"\xff" * 40,
    "half a section": b"\0\x53\x75\xb0\x00\x00\xff\xff" + MARK,
    "a section that is none": b"\0\x53\x60\xa0\x01x",
    "sections in the wrong order": message(MARK)[:0] + b"\0\x53\x75\xa0\x01x\0\x53\x70\x45",
    "a map of 2^32 pairs": b"\0\x53\x74\xd1\xff\xff\xff\xff\xff\xff\xff\xff",
    "a map of an odd number": b"\0\x53\x74\xc1\x04\x01\xa1\x01a\0\x53\x75\xa0\x01x",
    "an array of 2^32 items without width": b"\0\x53\x77\xf0\x00\x00\x00\x05\xff\xff\xff\xff\x40",
    "lists in lists": b"\0\x53\x77" + nested(7000, LIST32),
    "descriptors in descriptors": b"\0\x53\x77" + nested(60_000, b"\0"),
}


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_message_that_is_none_is_rejected_and_told_why(online: Online, name: str) -> None:
    peer, link = online
    assert peer.sends(link, PAYLOADS[name]) == REJECTED
    state = link.states[max(link.states)]
    assert state is not None
    assert state.error is not None
    assert state.error.condition == DECODE_ERROR
    assert peer.sends(link, message(MARK)) == ACCEPTED


@pytest.mark.parametrize("pieces", [5, 100])
@pytest.mark.parametrize("inside", [b"\0" * DEEP, nested(80_000, b"\xc0\xff\x01")], ids=["descriptors", "lists"])
def test_a_hundred_thousand_levels_over_several_frames(online: Online, inside: bytes, pieces: int) -> None:
    peer, link = online
    number = peer.client.transfer(link, b"\0\x53\x77" + inside, pieces=pieces)
    peer.until(lambda: number in link.states or link.detached)
    state = link.states[number]
    assert state is not None
    assert state.kind == REJECTED
    assert peer.sends(link, message(MARK)) == ACCEPTED


def test_a_message_without_any_section_harms_nobody(online: Online) -> None:
    peer, link = online
    assert peer.sends(link, b"") in (ACCEPTED, REJECTED)
    assert peer.sends(link, message(MARK)) == ACCEPTED


def test_a_batch_of_batches_is_taken_apart_once(online: Online) -> None:
    """Sections of a batch hold messages; one that holds another batch is a message whose body is odd, no more."""
    peer, link = online
    inner = b"".join(b"\0\x53\x75" + encode.binary(message(b"x")) for _ in range(1000))
    outer = b"".join(b"\0\x53\x75" + encode.binary(inner) for _ in range(3))
    number = peer.client.transfer(link, outer, message_format=0x80013700, pieces=8)
    peer.until(lambda: number in link.states or link.detached)
    assert peer.is_open()


def test_a_batch_of_a_hundred_thousand_is_refused_whole(online: Online) -> None:
    peer, link = online
    many = (b"\0\x53\x75\xa0\x06" + b"\0\x53\x75\xa0\x01x") * 20_000
    number = peer.client.transfer(link, many, message_format=0x80013700, pieces=8)
    peer.until(lambda: number in link.states or link.detached)
    state = link.states.get(number)
    assert link.detached is not None or (state is not None and state.kind == REJECTED)
    assert peer.is_open()


def go_on_and_on(peer: RawAmqp, link: ClientLink, *, size: int, most: int) -> None:
    """Send frames of one message that never ends, until the hub ends the link or `most` are sent."""
    piece = b"\0\x53\x75\xb0\x7f\xff\xff\xff" + b"x" * size
    link.credit -= 1
    for number in range(most):
        peer.client.frame(Transfer(link.handle, 900, b"t", 0, False, True, piece))
        if number % 50 == 0 and (not peer.is_open() or link.detached):
            return


@pytest.mark.parametrize("size", [0, 1, 30_000])
def test_a_message_without_end_ends_its_link(online: Online, watch: Watch, size: int) -> None:
    peer, link = online
    watch.forget_peak()
    before = watch.memory()
    go_on_and_on(peer, link, size=size, most=6000 if size < 2 else 600)
    if size > 1:
        assert link.refusal == MESSAGE_SIZE_EXCEEDED
    assert watch.peak_memory() - before < PEAK


def test_messages_without_end_on_many_links_share_one_bound(hub: RunningHub, device: Registered, watch: Watch) -> None:
    """Each is below the bound of one message; together they are not."""
    watch.forget_peak()
    before = watch.memory()
    with amqp_device(hub, device) as peer:
        links = [peer.client.sender(telemetry_address(device)) for _ in range(60)]
        for link in links:
            peer.answered(link)
        for link in links:
            for _ in range(4):
                if link.credit > 0 and not link.detached:
                    peer.client.frame(Transfer(link.handle, link.handle + 500, b"t", 0, False, True, b"x" * 60_000))
        peer.is_open()
        assert watch.peak_memory() - before < PEAK


Sabotage = Callable[[RawAmqp, ClientLink], None]


def _without_credit(peer: RawAmqp, link: ClientLink) -> None:
    for _ in range(link.credit + 10):
        peer.client.transfer(link, message(MARK), settled=True)


SABOTAGES: Final[dict[str, tuple[Sabotage, str]]] = {
    "a transfer on a handle without link": (
        lambda peer, _: peer.client.frame(Transfer(700, 1, b"t", 0, False, False, message(MARK))),
        UNATTACHED_HANDLE,
    ),
    "a flow for a handle without link": (
        lambda peer, _: peer.frame(b"\0\x53\x13" + encode.list_([encode.uint(n) for n in (0, 9, 0, 9, 700, 0, 9)])),
        UNATTACHED_HANDLE,
    ),
    "a detach of a handle without link": (
        lambda peer, _: peer.frame(b"\0\x53\x16" + encode.list_([encode.uint(700), encode.boolean(True)])),
        UNATTACHED_HANDLE,
    ),
    "a second link on a handle": (
        lambda peer, link: peer.frame(
            b"\0\x53\x12" + encode.list_([encode.string("again"), encode.uint(link.handle), encode.boolean(True)])
        ),
        HANDLE_IN_USE,
    ),
}


@pytest.mark.parametrize("name", SABOTAGES)
def test_what_breaks_a_session_ends_the_session_only(online: Online, name: str) -> None:
    sabotage, condition = SABOTAGES[name]
    sabotage(online.peer, online.link)
    online.peer.until(lambda: 0 in online.peer.client.ended)
    error = online.peer.client.ended[0].error
    assert error is not None
    assert error.condition == condition
    assert online.peer.is_open()


def test_messages_without_credit_end_their_link_only(online: Online, device: Registered) -> None:
    peer, link = online
    other = peer.client.sender(telemetry_address(device))
    assert peer.answered(other) == ""
    while link.detached is None:
        _without_credit(peer, link)
        peer.is_open()
    assert link.refusal == TRANSFER_LIMIT_EXCEEDED


def test_a_transfer_before_the_hub_has_answered_the_attach(hub: RunningHub, device: Registered) -> None:
    with amqp_device(hub, device) as peer:
        said: list[bytes] = []
        peer.client.send = said.append  # in one piece, so that no answer can come between
        link = peer.client.sender(telemetry_address(device))
        peer.client.transfer(link, message(MARK))
        peer.send(*said)
        peer.client.send = peer.send
        peer.until(lambda: link.detached)
        assert link.refusal == TRANSFER_LIMIT_EXCEEDED


@pytest.mark.parametrize("first", [0xFFFF_FFF0, 0x7FFF_FFF0, 0])
def test_delivery_ids_that_wrap_are_settled_by_their_numbers(online: Online, first: int) -> None:
    peer, link = online
    peer.until(lambda: link.credit > 40)
    wanted = [(first + step) & 0xFFFF_FFFF for step in range(32)]
    for number in wanted:
        frame = Transfer(link.handle, number, number.to_bytes(4, "big"), 0, False, False, message(MARK))
        peer.client.frame(frame)
    link.delivery_count += 32
    settled: set[int] = set()

    def all_are_settled() -> bool:
        for _, heard in peer.client.frames:
            if type(heard).__name__ == "Disposition":
                start, end = heard.first, heard.last  # type: ignore[union-attr]  # the type is what was asked
                settled.update((start + step) & 0xFFFF_FFFF for step in range(((end - start) & 0xFFFF_FFFF) + 1))
        return set(wanted) <= settled

    peer.until(all_are_settled)
    assert len(settled) < 100


def test_the_same_delivery_id_twice_confuses_nobody_else(online: Online) -> None:
    peer, link = online
    peer.until(lambda: link.credit > 20)
    for _ in range(10):
        peer.client.frame(Transfer(link.handle, 5, b"t", 0, False, False, message(MARK)))
    peer.is_open()


def test_framing_errors_are_told_by_their_name(online: Online) -> None:
    online.peer.send(MALFORMED["doff of 1"])
    assert online.peer.is_closed()
    assert online.peer.client.reason == FRAMING_ERROR
