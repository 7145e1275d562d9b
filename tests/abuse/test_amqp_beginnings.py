"""How an AMQP connection may begin, and how not: SASL in every wrong way, slowly, and with nothing behind it."""

import time
from contextlib import ExitStack, suppress
from typing import Final

import pytest
from tests.fakes.amqp_bystander import AmqpBystander
from tests.fakes.amqp_client import message
from tests.fakes.bystander import STRANGER_TIMEOUT, Bystander, Watch, new_device
from tests.fakes.pki import self_signed
from tests.fakes.raw_amqp import (
    RawAmqp,
    amqp_device,
    commands_address,
    dial_amqp,
    partition_address,
    telemetry_address,
)
from tests.fakes.raw_device import MARK, Gone, TlsStream, policy_token, token_for
from tests.fakes.running_hub import Registered, RunningHub
from tests.fakes.tls_client import client_context

from ironhub.wire.amqp.conditions import UNAUTHORIZED_ACCESS
from ironhub.wire.amqp.frames import AMQP_HEADER, SASL_FRAME, SASL_HEADER, encode_frame
from ironhub.wire.amqp.outcomes import ACCEPTED
from ironhub.wire.amqp.performatives import Open
from ironhub.wire.amqp.sasl import SaslInit

BYSTANDER = AmqpBystander
OVER = pytest.mark.parametrize("over", ["amqp", "websocket"])
MARGIN: Final = 6.0
"""Seconds: the time to say goodbye and some for a busy machine."""
PAUSE: Final = 0.1
"""Seconds between two bytes that drip."""
OPENING: Final = AMQP_HEADER + encode_frame(0, 0, Open("stranger", "hub", 65_536, 255, 0).encode())


@pytest.fixture(scope="module")
def device(hub: RunningHub) -> Registered:
    """Whose name the attackers may use."""
    return new_device(hub)


def init(mechanism: str, response: bytes | None) -> bytes:
    """Return a SASL-INIT."""
    return encode_frame(SASL_FRAME, 0, SaslInit(mechanism, response, None).encode())


def login(device: Registered, hub: RunningHub, token: str | None = None) -> list[bytes]:
    """Return the three parts of a PLAIN response that is good, unless another token is given."""
    name = hub.address.partition(".")[0]
    return [b"", f"{device.device_id}@sas.{name}".encode(), (token or token_for(hub, device)).encode()]


def is_let_in(peer: RawAmqp) -> bool:
    """Tell what the hub says to a SASL-INIT; a hub that hangs up says no."""
    with suppress(Gone):
        peer.until(lambda: peer.client.outcome is not None)
    return peer.client.outcome == 0


@OVER
def test_a_good_login_is_let_in(hub: RunningHub, device: Registered, over: str) -> None:
    """What the others are variations of."""
    with dial_amqp(hub, over) as peer:
        peer.client.sasl("PLAIN", b"\0".join(login(device, hub)))
        assert is_let_in(peer)
        peer.client.open()
        link = peer.client.sender(telemetry_address(device))
        assert peer.sends(link, message(MARK)) == ACCEPTED


@pytest.mark.parametrize(
    "name", ["one NUL", "no NUL", "three NULs", "a NUL in the token", "nothing", "only NULs", "large"]
)
def test_plain_with_nuls_where_they_do_not_belong(hub: RunningHub, device: Registered, name: str) -> None:
    empty, user, token = login(device, hub)
    responses = {
        "one NUL": user + b"\0" + token,
        "no NUL": user + token,
        "three NULs": b"\0".join([empty, user, token, b""]),
        "a NUL in the token": b"\0".join([empty, user, token[:40] + b"\0" + token[40:]]),
        "nothing": b"",
        "only NULs": b"\0" * 500,
        "large": b"\0" + user + b"\0" + token + b"x" * 15_000,
    }
    with dial_amqp(hub) as peer:
        peer.client.sasl("PLAIN", responses[name])
        assert not is_let_in(peer)
        assert peer.is_closed()


def test_a_login_as_another_device_with_ones_own_token(hub: RunningHub, device: Registered) -> None:
    _, user, _ = login(device, hub)
    other = new_device(hub)
    for token in (token_for(hub, other), policy_token(hub, "service"), policy_token(hub, "registryRead")):
        with dial_amqp(hub) as peer:
            peer.client.sasl("PLAIN", b"\0" + user + b"\0" + token.encode())
            assert not is_let_in(peer)


def test_a_login_on_behalf_of_somebody_else_gives_no_more(hub: RunningHub, device: Registered) -> None:
    """The authorization identity of PLAIN may be set; it is not what counts."""
    other = new_device(hub)
    with dial_amqp(hub) as peer:
        peer.client.sasl("PLAIN", b"\0".join([other.device_id.encode(), *login(device, hub)[1:]]))
        if is_let_in(peer):
            peer.client.open()
            link = peer.client.sender(telemetry_address(other))
            assert peer.answered(link) == UNAUTHORIZED_ACCESS


@pytest.mark.parametrize("response", [None, b"", b"device", b"\0device\0"])
def test_external_without_a_certificate(hub: RunningHub, response: bytes | None) -> None:
    with dial_amqp(hub) as peer:
        peer.client.sasl("EXTERNAL", response)
        assert not is_let_in(peer)
        assert "EXTERNAL" not in peer.client.mechanisms
        assert peer.is_closed()


def test_external_with_a_certificate_opens_what_the_certificate_is_for_and_no_more(
    hub: RunningHub, device: Registered
) -> None:
    """Who shows a certificate is the device that it is registered for, and no other."""
    mine, nobodys = self_signed("mine"), self_signed("nobodys")
    own = new_device(hub, auth={"kind": "x509-thumbprint", "thumbprints": [mine.sha256_thumbprint]})
    with dial_amqp(hub, context=client_context(mine)) as peer:
        peer.client.sasl("EXTERNAL", b"")
        assert is_let_in(peer)
        peer.client.open(hostname=hub.address)
        assert peer.answered(peer.client.sender(telemetry_address(own))) == ""
        for address in (commands_address(device), "$management", partition_address(0)):
            assert peer.answered(peer.client.receiver(address)) == UNAUTHORIZED_ACCESS
        assert peer.answered(peer.client.sender(telemetry_address(device))) == UNAUTHORIZED_ACCESS
    with dial_amqp(hub, context=client_context(nobodys)) as peer:
        peer.client.sasl("EXTERNAL", b"")
        if is_let_in(peer):
            peer.client.open(hostname=hub.address)
            assert peer.answered(peer.client.sender(telemetry_address(own))) == UNAUTHORIZED_ACCESS


@pytest.mark.parametrize("mechanism", ["", "plain", "SCRAM-SHA-256", "PLAIN ", "X" * 4000, "GSSAPI"])
def test_a_mechanism_that_is_not_offered(hub: RunningHub, device: Registered, mechanism: str) -> None:
    with dial_amqp(hub) as peer:
        peer.client.sasl(mechanism, b"\0".join(login(device, hub)))
        assert not is_let_in(peer)
        assert peer.is_closed()


@OVER
@pytest.mark.parametrize(
    "name", ["two SASL headers", "a SASL header after the outcome", "a second SASL-INIT", "OPEN instead of SASL-INIT"]
)
def test_a_security_layer_that_begins_twice_or_is_left_out(
    hub: RunningHub, device: Registered, name: str, over: str
) -> None:
    good = init("PLAIN", b"\0".join(login(device, hub)))
    said = {
        "two SASL headers": SASL_HEADER + SASL_HEADER + good,
        "a SASL header after the outcome": SASL_HEADER + good + SASL_HEADER + good,
        "a second SASL-INIT": SASL_HEADER + good + good,
        "OPEN instead of SASL-INIT": SASL_HEADER + OPENING[8:],
    }
    with dial_amqp(hub, over) as peer:
        peer.send(said[name])
        assert peer.is_closed()


def test_anonymous_is_somebody_who_has_shown_nothing(hub: RunningHub, device: Registered) -> None:
    for mechanism in ("ANONYMOUS", "MSSBCBS"):
        with dial_amqp(hub) as peer:
            peer.client.sasl(mechanism, b"\0" + device.device_id.encode())
            assert is_let_in(peer)
            peer.client.open()
            link = peer.client.sender(telemetry_address(device))
            assert peer.answered(link) == UNAUTHORIZED_ACCESS


class Slow:
    """A connection into which something still drips; nothing is read off it but its end."""

    def __init__(self, name: str, peer: RawAmqp, beginning: bytes = b"", rest: bytes = b"", step: int = 1) -> None:
        self.name, self.peer = name, peer
        self._rest, self._step = rest, step
        peer.send(beginning)

    def step(self) -> bool:
        """Send a little more if there is some; returns whether the hub has ended the connection."""
        if self._rest:
            self.peer.send(self._rest[: self._step])
            self._rest = self._rest[self._step :]
        return self.peer.is_closed(timeout=0.001)


def slow_strangers(hub: RunningHub) -> list[Slow]:
    """One of each kind."""
    empty = encode_frame(0, 0, b"")
    long = OPENING + empty * 400
    begun = OPENING + encode_frame(0, 0, b"\0\x53\x11\xc0\x07\x04\x40\x43\x52\x10\x52\x10")
    partial = init("PLAIN", b"\0" + b"x" * 900)
    found = []
    for over in ("amqp", "websocket"):
        found += [
            Slow(f"silence over {over}", dial_amqp(hub, over)),
            Slow(f"a header and silence over {over}", dial_amqp(hub, over), SASL_HEADER),
            Slow(f"drips OPEN over {over}", dial_amqp(hub, over), b"", long),
            Slow(f"drips SASL-INIT over {over}", dial_amqp(hub, over), SASL_HEADER, partial),
            Slow(f"only lives on over {over}", dial_amqp(hub, over), begun, empty * 400, 8),
            Slow(f"begins and ends sessions over {over}", dial_amqp(hub, over), OPENING, _sessions(), 40),
        ]
    return found


def _sessions() -> bytes:
    begin = encode_frame(0, 3, b"\0\x53\x11\xc0\x07\x04\x40\x43\x52\x10\x52\x10")
    return (begin + encode_frame(0, 3, b"\0\x53\x17\x45")) * 300


def test_a_slow_stranger_is_cut_in_time_and_no_frame_buys_more_of_it(hub: RunningHub, bystander: Bystander) -> None:
    waiting = slow_strangers(hub)
    everybody = list(waiting)
    started = time.monotonic()
    bystander.newcomer()
    while waiting and time.monotonic() < started + STRANGER_TIMEOUT + MARGIN:
        round_ends = time.monotonic() + PAUSE
        waiting = [slow for slow in waiting if not slow.step()]
        bystander.peer.ping()
        time.sleep(max(round_ends - time.monotonic(), 0))  # the attacker's own pace
    assert [slow.name for slow in waiting] == []
    for slow in everybody:
        slow.peer.close()


def test_tokens_that_are_refused_again_and_again_buy_no_time(hub: RunningHub, device: Registered) -> None:
    with dial_amqp(hub) as peer:
        peer.greet()
        started = time.monotonic()
        wrong = token_for(hub, device, ends_in=-1000)
        while not peer.is_closed(timeout=0.05):
            assert time.monotonic() < started + STRANGER_TIMEOUT + MARGIN
            requests, _ = peer.client.links
            if requests.credit > 0:
                peer.client.put_token(requests, wrong)


def test_a_stranger_has_few_links_and_sessions(hub: RunningHub, watch: Watch) -> None:
    for kind in ("links", "sessions"):
        with dial_amqp(hub) as peer:
            peer.client.open()
            for number in range(300):
                if kind == "links":
                    peer.client.sender("$cbs")
                elif number:
                    peer.client.begin(number)
            assert peer.is_closed()


def test_a_hundred_strangers_do_not_keep_a_newcomer_out(hub: RunningHub, bystander: Bystander, watch: Watch) -> None:
    before = watch.level()
    with ExitStack() as stack:
        for number in range(100):
            peer = stack.enter_context(dial_amqp(hub, ("amqp", "websocket")[number % 2]))
            peer.send((b"", SASL_HEADER, OPENING)[number % 3])
        bystander.check()
        bystander.newcomer()
        watch.wait_for(lambda level: level.unidentified <= before.unidentified, STRANGER_TIMEOUT + MARGIN)


def test_a_peer_that_speaks_tls_to_nobody(hub: RunningHub) -> None:
    """MQTT on AMQP's port, and the other way round."""
    stream = TlsStream(hub.address, hub.ready["amqp"])
    stream.send(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x00\x00\x04name")
    assert RawAmqp(stream).is_closed()
    stream.close()
    stream = TlsStream(hub.address, hub.ready["mqtt"])
    stream.send(SASL_HEADER + OPENING)
    assert RawAmqp(stream).is_closed()
    stream.close()
    with amqp_device(hub, new_device(hub)) as peer:
        assert peer.is_open()
