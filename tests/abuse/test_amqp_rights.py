"""AMQP peers who reach for what is not theirs: each link needs a right of its own, whatever else was shown."""

import base64
import time
from collections.abc import Callable
from typing import Final, NamedTuple

import pytest
from tests.fakes.amqp_bystander import AmqpBystander
from tests.fakes.amqp_client import message
from tests.fakes.bystander import new_device
from tests.fakes.raw_amqp import (
    RawAmqp,
    amqp_device,
    commands_address,
    device_addresses,
    dial_amqp,
    partition_address,
    shown,
    stream_token,
    telemetry_address,
)
from tests.fakes.raw_device import MARK, policy_token, token_for
from tests.fakes.running_hub import Registered, RunningHub

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.conditions import NOT_FOUND, UNAUTHORIZED_ACCESS
from ironhub.wire.amqp.outcomes import ACCEPTED

BYSTANDER = AmqpBystander
OVER = pytest.mark.parametrize("over", ["amqp", "websocket"])
BACK_END_ADDRESSES: Final = [
    ("/messages/devicebound", True),
    ("/messages/servicebound/feedback", False),
    ("/messages/servicebound/filenotifications", False),
    ("$management", True),
    ("$management", False),
    ("events/$management", False),
    (partition_address(0), False),
]
MIB: Final = 1 << 20
NEW_KEY: Final = base64.b64encode(b"a key that nobody has shown yet").decode()
SKEW: Final = 300
"""Seconds that a clock may run late: a token lives so much longer."""


class Cast(NamedTuple):
    """Who is there."""

    hub: RunningHub
    own: Registered
    other: Registered
    module: Registered
    """Of `own`."""
    disabled: Registered


@pytest.fixture(scope="module")
def cast(hub: RunningHub) -> Cast:
    """Register them."""
    own, other, disabled = new_device(hub), new_device(hub), new_device(hub)
    hub.call("PATCH", f"/devices/{disabled.device_id}", json={"status": "disabled"})
    return Cast(hub, own, other, hub.create_module(own.device_id, "arm"), disabled)


def attach(peer: RawAmqp, address: str, *, sends: bool) -> str:
    """Attach and return the condition of the refusal, "" for none."""
    link = peer.client.sender(address) if sends else peer.client.receiver(address)
    return peer.answered(link)


@OVER
def test_a_device_opens_no_link_of_another_one(cast: Cast, over: str) -> None:
    with amqp_device(cast.hub, cast.own, over) as peer:
        for who in (cast.other, cast.module, cast.disabled):
            for address, sends in device_addresses(who):
                assert attach(peer, address, sends=sends) == UNAUTHORIZED_ACCESS, address
        assert attach(peer, telemetry_address(cast.own), sends=True) == ""


def test_a_module_opens_no_link_of_its_device_or_its_sibling(cast: Cast) -> None:
    sibling = cast.hub.create_module(cast.own.device_id, "leg")
    with amqp_device(cast.hub, cast.module) as peer:
        for who in (cast.own, sibling):
            for address, sends in device_addresses(who):
                assert attach(peer, address, sends=sends) == UNAUTHORIZED_ACCESS, address
        assert attach(peer, telemetry_address(cast.module), sends=True) == ""


@pytest.mark.parametrize(
    "written",
    [
        "/devices/{other}/messages/events",
        "/devices/{own}/../{other}/messages/events",
        "/devices/{own}%2F..%2F{other}/messages/events",
        "amqps://{own}@hub/devices/{other}/messages/events",
        "amqps://hub/devices/{other}/messages/events?x=/devices/{own}/messages/events",
        "/devices/{own}/modules/../../{other}/messages/events",
        "//devices/{other}/messages/events",
        "/devices/{other}\0/messages/events",
        "/devices/{own}/messages/events/../../../{other}/messages/events",
        "/devices//messages/events",
        "/devices/{own}/messages/events\n",
        "",
        "/",
        "$cbs/../devices/{other}/messages/events",
    ],
)
def test_no_way_of_writing_an_address_leads_to_another_device(cast: Cast, written: str) -> None:
    address = written.format(own=cast.own.device_id, other=cast.other.device_id)
    with amqp_device(cast.hub, cast.own) as peer:
        assert attach(peer, address, sends=True) in (UNAUTHORIZED_ACCESS, NOT_FOUND)
        assert attach(peer, address, sends=False) in (UNAUTHORIZED_ACCESS, NOT_FOUND)
    assert cast.hub.events(count=1, timeout=0.2, device=cast.other.device_id) == []


@OVER
def test_a_devices_token_opens_nothing_of_the_back_end(cast: Cast, over: str) -> None:
    with amqp_device(cast.hub, cast.own, over) as peer:
        for address, sends in BACK_END_ADDRESSES:
            assert attach(peer, address, sends=sends) == UNAUTHORIZED_ACCESS, address


@pytest.mark.parametrize(
    ("policy", "refused"),
    [
        ("device", [*BACK_END_ADDRESSES]),
        ("registryRead", [*BACK_END_ADDRESSES]),
        ("registryReadWrite", [*BACK_END_ADDRESSES]),
    ],
)
def test_a_policy_without_the_right_opens_nothing_of_the_back_end(
    cast: Cast, policy: str, refused: list[tuple[str, bool]]
) -> None:
    with shown(cast.hub, policy_token(cast.hub, policy)) as peer:
        for address, sends in refused:
            assert attach(peer, address, sends=sends) == UNAUTHORIZED_ACCESS, address


def test_a_back_end_opens_no_link_of_a_device(cast: Cast) -> None:
    with shown(cast.hub, policy_token(cast.hub, "service"), stream_token(cast.hub)) as peer:
        for address, sends in device_addresses(cast.own):
            assert attach(peer, address, sends=sends) == UNAUTHORIZED_ACCESS, address


def test_nobody_sends_into_the_stream_of_events(cast: Cast) -> None:
    for policy in ("service", "iothubowner"):
        with shown(cast.hub, policy_token(cast.hub, policy), stream_token(cast.hub, policy)) as peer:
            assert attach(peer, "events", sends=True) == UNAUTHORIZED_ACCESS
            assert attach(peer, partition_address(0), sends=True) in (UNAUTHORIZED_ACCESS, NOT_FOUND)


def test_whoever_has_shown_nothing_opens_nothing(cast: Cast) -> None:
    for address, sends in [*device_addresses(cast.own), *BACK_END_ADDRESSES]:
        with dial_amqp(cast.hub) as peer:
            peer.client.open()
            assert attach(peer, address, sends=sends) == UNAUTHORIZED_ACCESS, address


def test_several_identities_on_one_connection_keep_to_their_own_links(cast: Cast) -> None:
    """The rights of one are not those of the other, and the end of one is not that of the other."""
    hub, leaving, third = cast.hub, new_device(cast.hub), new_device(cast.hub)
    with shown(hub, token_for(hub, cast.own), token_for(hub, leaving)) as peer:
        own, gone = (peer.client.sender(telemetry_address(each)) for each in (cast.own, leaving))
        assert peer.answered(own) == peer.answered(gone) == ""
        assert attach(peer, telemetry_address(third), sends=True) == UNAUTHORIZED_ACCESS
        hub.call("PATCH", f"/devices/{leaving.device_id}", json={"status": "disabled"})
        peer.until(lambda: gone.detached, 2)
        assert gone.refusal == UNAUTHORIZED_ACCESS
        assert peer.sends(own, message(MARK)) == ACCEPTED
        assert attach(peer, telemetry_address(leaving), sends=True) == UNAUTHORIZED_ACCESS


Token = Callable[[Cast], str]


def _altered(token: str) -> str:
    head, _, rest = token.partition("sig=")
    return f"{head}sig={'B' if rest[0] == 'A' else 'A'}{rest[1:]}"


BAD_TOKENS: Final[dict[str, Token]] = {
    "nothing": lambda cast: "",
    "no token": lambda cast: "let me in",
    "expired": lambda cast: token_for(cast.hub, cast.own, ends_in=-1000),
    "altered": lambda cast: _altered(token_for(cast.hub, cast.own)),
    "another device's key": lambda cast: token_for(cast.hub, cast.own, key=cast.other.primary_key),
    "for another hub": lambda cast: token_for(cast.hub, cast.own, resource=f"example.com/devices/{cast.own.device_id}"),
    "for all devices with one device's key": lambda cast: token_for(cast.hub, cast.own, resource=cast.hub.address),
    "for the events with a device's key": lambda cast: token_for(
        cast.hub, cast.own, resource=f"sb://{cast.hub.address}/events"
    ),
    "of a disabled device": lambda cast: token_for(cast.hub, cast.disabled),
    "of a device that is not there": lambda cast: token_for(
        cast.hub, cast.own, resource=f"{cast.hub.address}/devices/nobody"
    ),
    "of a policy that is not there": lambda cast: policy_token(cast.hub, "service").replace("skn=service", "skn=s"),
    "of a policy under another's name": lambda cast: policy_token(cast.hub, "device").replace(
        "skn=device", "skn=iothubowner"
    ),
    "an expired one of a policy": lambda cast: policy_token(cast.hub, "service", ends_in=-1000),
    "with NULs": lambda cast: token_for(cast.hub, cast.own).replace("&", "\0&"),
    "15 KB of it": lambda cast: token_for(cast.hub, cast.own) + "&x=" + "y" * 15_000,
}


@pytest.mark.parametrize("name", BAD_TOKENS)
def test_a_bad_token_is_answered_and_opens_nothing(cast: Cast, name: str) -> None:
    with dial_amqp(cast.hub) as peer:
        peer.greet()
        assert peer.put_token(BAD_TOKENS[name](cast)) in (400, 401)
        assert attach(peer, telemetry_address(cast.own), sends=True) == UNAUTHORIZED_ACCESS


def test_a_bad_token_takes_nothing_from_who_was_let_in(cast: Cast) -> None:
    with amqp_device(cast.hub, cast.own) as peer:
        link = peer.client.sender(telemetry_address(cast.own))
        assert peer.answered(link) == ""
        for make in BAD_TOKENS.values():
            assert peer.put_token(make(cast)) in (400, 401)
        assert peer.sends(link, message(MARK)) == ACCEPTED


def test_the_audience_that_is_claimed_beside_the_token_gives_no_right(cast: Cast) -> None:
    """What counts is what the token was signed for."""
    claimed = f"{cast.hub.address}/devices/{cast.other.device_id}"
    with dial_amqp(cast.hub) as peer:
        peer.greet()
        peer.put_token(token_for(cast.hub, cast.own), audience=claimed)
        assert attach(peer, telemetry_address(cast.other), sends=True) == UNAUTHORIZED_ACCESS


def test_a_token_that_is_put_again_and_again_is_one_token(cast: Cast) -> None:
    token = token_for(cast.hub, cast.own)
    with amqp_device(cast.hub, cast.own) as peer:
        link = peer.client.sender(telemetry_address(cast.own))
        for number in range(300):
            assert peer.put_token(token, message_id=encode.ulong(number)) == 200
        assert peer.sends(link, message(MARK)) == ACCEPTED


@OVER
@pytest.mark.parametrize("size", [20_000, MIB, 8 * MIB])
def test_a_huge_token_is_refused_cheaply(cast: Cast, size: int, over: str) -> None:
    with dial_amqp(cast.hub, over) as peer:
        peer.greet()
        requests, replies = peer.client.links
        peer.client.max_frame = 16_384
        peer.client.put_token(requests, token_for(cast.hub, cast.own) + "&x=" + "y" * size)
        assert peer.is_closed() or replies.messages or replies.detached


def test_a_token_that_ends_takes_its_links_with_it_and_no_others(cast: Cast) -> None:
    hub, lasting = cast.hub, new_device(cast.hub)
    with shown(hub, token_for(hub, cast.own, ends_in=3 - SKEW), token_for(hub, lasting)) as peer:
        ending, staying = (peer.client.sender(telemetry_address(each)) for each in (cast.own, lasting))
        assert peer.answered(ending) == peer.answered(staying) == ""
        peer.until(lambda: ending.detached, 10)
        assert ending.refusal == UNAUTHORIZED_ACCESS
        assert peer.sends(staying, message(MARK)) == ACCEPTED


def test_a_token_that_is_renewed_in_time_ends_nothing(cast: Cast) -> None:
    hub = cast.hub
    with shown(hub, token_for(hub, cast.own, ends_in=3 - SKEW)) as peer:
        link = peer.client.sender(telemetry_address(cast.own))
        assert peer.answered(link) == ""
        assert peer.put_token(token_for(hub, cast.own)) == 200
        ends = time.monotonic() + 4
        while time.monotonic() < ends:
            assert peer.sends(link, message(MARK)) == ACCEPTED
            time.sleep(0.2)  # the device's own pace, past the end of its first token


@pytest.mark.parametrize("change", ["status", "keys", "deletion"])
def test_a_device_that_loses_its_right_is_out_within_a_second(hub: RunningHub, change: str) -> None:
    device = new_device(hub)
    with amqp_device(hub, device) as peer:
        link = peer.client.sender(telemetry_address(device))
        commands = peer.client.receiver(commands_address(device))
        assert peer.answered(link) == peer.answered(commands) == ""
        path = f"/devices/{device.device_id}"
        if change == "status":
            hub.call("PATCH", path, json={"status": "disabled"})
        elif change == "deletion":
            hub.call("DELETE", path)
        else:
            keys = {"primary": NEW_KEY, "secondary": NEW_KEY}
            hub.call("PATCH", path, json={"auth": {"kind": "sas", "keys": keys}})
        peer.until(lambda: link.detached and commands.detached, 2)
        assert link.refusal == commands.refusal == UNAUTHORIZED_ACCESS


def test_a_policy_that_loses_its_right_ends_its_readers_within_a_second(hub: RunningHub) -> None:
    hub.call("PUT", "/policies/analytics", json={"rights": ["ServiceConnect"]})
    token = stream_token(hub, "analytics")
    with shown(hub, token) as peer:
        link = peer.client.receiver(partition_address(1))
        assert peer.answered(link) == ""
        hub.call("DELETE", "/policies/analytics")
        peer.until(lambda: link.detached, 2)
        assert link.refusal == UNAUTHORIZED_ACCESS
    with dial_amqp(hub) as peer:
        peer.greet()
        assert peer.put_token(token) == 401
