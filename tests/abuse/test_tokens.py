"""Tokens that are missing, broken, over, altered, or somebody else's: none of them lets anybody in."""

import base64
import hmac
import time
from collections.abc import Callable
from typing import Final, NamedTuple
from urllib.parse import quote

import pytest
from tests.fakes.bystander import new_device
from tests.fakes.mqtt_packets import connect
from tests.fakes.raw_device import (
    API_VERSION,
    client_id_of,
    connect_packet,
    dial,
    online,
    policy_token,
    remembered,
    token_for,
)
from tests.fakes.running_hub import Registered, RunningHub

from ironhub.identity.sas import make_sas_token

REFUSED: Final = 5
"""CONNACK: not authorized."""
OVER = pytest.mark.parametrize("over", ["mqtt", "websocket"])


class Cast(NamedTuple):
    """Who is there."""

    hub: RunningHub
    d1: Registered
    d10: Registered
    module: Registered
    """Of d1."""
    disabled: Registered
    by_certificate: Registered


@pytest.fixture(scope="module")
def cast(hub: RunningHub) -> Cast:
    """Register them."""
    d1, d10 = hub.create_device("d1"), hub.create_device("d10")
    disabled = hub.create_device("disabled")
    hub.call("PATCH", "/devices/disabled", json={"status": "disabled"})
    by_certificate = hub.create_device("pinned", auth={"kind": "x509-thumbprint", "thumbprints": ["ab" * 32]})
    return Cast(hub, d1, d10, hub.create_module("d1", "arm"), disabled, by_certificate)


Attack = Callable[[Cast], tuple[Registered, str | None]]
"""Whom the attacker claims to be, and the token shown; None: no password at all."""


def good(cast: Cast) -> str:
    """A token that would be taken."""
    return token_for(cast.hub, cast.d1)


def changed(old: str, new: str) -> Attack:
    """A good token with something in it replaced after it was signed."""
    return lambda cast: (cast.d1, good(cast).replace(old, new))


def signed_for(resource: str, ends_in: float = 3600) -> Attack:
    """The device's own key, for another resource; {hub} stands for our name."""
    return lambda cast: (
        cast.d1,
        token_for(cast.hub, cast.d1, resource=resource.format(hub=cast.hub.address), ends_in=ends_in),
    )


def with_expiry(text: str) -> Attack:
    """A token that says `text` for its expiry, signed just so."""

    def attack(cast: Cast) -> tuple[Registered, str]:
        key = base64.b64decode(cast.d1.primary_key)
        made = make_sas_token(f"{cast.hub.address}/devices/d1", key, 0)
        return cast.d1, remembered(key, _signed_again(made, key, text))

    return attack


def with_policy(policy: str, path: str = "") -> Attack:
    """A policy's token, for a device."""
    return lambda cast: (cast.d1, policy_token(cast.hub, policy, path=path))


ATTACKS: Final[dict[str, Attack]] = {
    "no password": lambda cast: (cast.d1, None),
    "an empty password": lambda cast: (cast.d1, " "),
    "the device's key as password": lambda cast: (cast.d1, cast.d1.primary_key),
    "its connection string as password": lambda cast: (cast.d1, cast.d1.connection_string),
    "another scheme": changed("SharedAccessSignature ", "Bearer "),
    "no scheme": changed("SharedAccessSignature ", ""),
    "no sr": changed("sr=", "rs="),
    "no sig": changed("&sig=", "&gis="),
    "no se": changed("&se=", "&es="),
    "an empty sig": lambda cast: (cast.d1, "SharedAccessSignature sr=x&sig=&se=9999999999"),
    "a second sr": lambda cast: (cast.d1, good(cast) + f"&sr={quote(cast.hub.address, safe='')}%2Fdevices%2Fd10"),
    "a second se": lambda cast: (cast.d1, good(cast) + "&se=9999999999"),
    "sr encoded anew": changed("%2F", "%2f"),
    "sr decoded": changed("%2F", "/"),
    "sr encoded twice": changed("%2F", "%252F"),
    "sig encoded twice": changed("%3D", "%253D"),
    "a sig of another character": lambda cast: (cast.d1, _flipped(good(cast))),
    "a sig with a line break": changed("%3D", "%3D%0A"),
    "an expiry put off": changed("&se=1", "&se=2"),
    "an expiry with a plus": changed("&se=", "&se=+"),
    "an expiry with a zero before it": changed("&se=", "&se=0"),
    "a name of a policy added": lambda cast: (cast.d1, good(cast) + "&skn=iothubowner"),
    "a NUL behind it": lambda cast: (cast.d1, good(cast) + "\0"),
    "a space behind it": lambda cast: (cast.d1, good(cast) + " "),
    "ten thousand fields": lambda cast: (cast.d1, good(cast) + "&a=b" * 2000),
    "expired": signed_for("{hub}/devices/d1", ends_in=-400),
    "expired since 1970": with_expiry("0"),
    "an expiry below nothing": with_expiry("-1"),
    "an expiry of 300 digits": with_expiry("9" * 300),
    "an expiry that is no number": with_expiry("never"),
    "an expiry in other digits": with_expiry("\u0669" * 10),
    "signed by another device's key": lambda cast: (cast.d1, token_for(cast.hub, cast.d1, key=cast.d10.primary_key)),
    "another device's own token": lambda cast: (cast.d1, token_for(cast.hub, cast.d10)),
    "d1's token for d10": lambda cast: (cast.d10, good(cast)),
    "d1's key for d10": lambda cast: (cast.d10, token_for(cast.hub, cast.d10, key=cast.d1.primary_key)),
    "its module's token": lambda cast: (cast.d1, token_for(cast.hub, cast.module)),
    "its module's key": lambda cast: (cast.d1, token_for(cast.hub, cast.d1, key=cast.module.primary_key)),
    "the device's token for its module": lambda cast: (cast.module, good(cast)),
    "the device's key for its module": lambda cast: (
        cast.module,
        token_for(cast.hub, cast.module, key=cast.d1.primary_key),
    ),
    "another hub's name": signed_for("other.example/devices/d1"),
    "another hub below our name": signed_for("other.{hub}/devices/d1"),
    "the whole hub, by a device's key": signed_for("{hub}"),
    "all devices, by a device's key": signed_for("{hub}/devices"),
    "a parent path": signed_for("{hub}/devices/d1/../d10"),
    "a path below the device": signed_for("{hub}/devices/d1/messages/events"),
    "two slashes": signed_for("{hub}//devices/d1"),
    "an id in capitals": signed_for("{hub}/devices/D1"),
    "an id with a NUL": signed_for("{hub}/devices/d1\0"),
    "a policy that lets no device connect": with_policy("service"),
    "a policy of another device": with_policy("device", "/devices/d10"),
    "a policy of the module only": with_policy("device", "/devices/d1/modules/arm"),
    "a policy that there is not": lambda cast: (cast.d1, policy_token(cast.hub, "device") + "x"),
    "a policy in another case of another key": lambda cast: (
        cast.d1,
        policy_token(cast.hub, "service").replace("skn=service", "skn=DEVICE"),
    ),
    "a disabled device": lambda cast: (cast.disabled, token_for(cast.hub, cast.disabled)),
    "a device that has a certificate": lambda cast: (
        cast.by_certificate,
        token_for(cast.hub, cast.by_certificate, key=cast.d1.primary_key),
    ),
    "a policy for a device that has a certificate": lambda cast: (
        cast.by_certificate,
        policy_token(cast.hub, "device"),
    ),
    "a device that there is not": lambda cast: (
        Registered("nobody", None, "", cast.d1.primary_key),
        token_for(cast.hub, Registered("nobody", None, "", cast.d1.primary_key)),
    ),
    "a module that there is not": lambda cast: (
        Registered("d1", "leg", "", cast.module.primary_key),
        token_for(cast.hub, Registered("d1", "leg", "", cast.module.primary_key)),
    ),
}


@OVER
@pytest.mark.parametrize("name", ATTACKS)
def test_a_token_that_is_not_ones_own_and_whole_is_refused(cast: Cast, name: str, over: str) -> None:
    claimed, token = ATTACKS[name](cast)
    with dial(cast.hub, over) as peer:
        assert peer.connack(connect_packet(cast.hub, claimed, token)) == REFUSED
        assert peer.is_closed()


def test_an_empty_password_is_no_token(cast: Cast) -> None:
    username = f"{cast.hub.address}/d1{API_VERSION}"
    for password in (b"", b"\0", b"\xff\xfe"):
        with dial(cast.hub) as peer:
            assert peer.connack(connect("d1", username=username, password=password)) == REFUSED
            assert peer.is_closed()


def test_no_beginning_of_a_token_is_a_token(cast: Cast) -> None:
    token = good(cast)
    shorter = [token[:size] for size in range(0, len(token) - 1, 9)]
    for part in shorter:
        with dial(cast.hub) as peer:
            assert peer.connack(connect_packet(cast.hub, cast.d1, part or None)) == REFUSED, part


def test_a_token_with_its_expiry_cut_short_is_refused(cast: Cast) -> None:
    """1795204800 without its last digit lies in the past, and was not signed either."""
    with dial(cast.hub) as peer:
        assert peer.connack(connect_packet(cast.hub, cast.d1, good(cast)[:-1])) == REFUSED


@pytest.mark.parametrize(
    "client_id", ["d10", "d1/arm", "D1", "d1 ", "d1\0x", "", "d1/", "/d1", "d1/arm/x", "d1/../d10"]
)
def test_a_client_id_other_than_the_identity_is_refused(cast: Cast, client_id: str) -> None:
    """The token and the username say d1."""
    username = f"{cast.hub.address}/d1{API_VERSION}"
    with dial(cast.hub) as peer:
        code = peer.connack(connect(client_id, username=username, password=good(cast).encode()))
        assert code in (REFUSED, 2, None)
        assert peer.is_closed()


@pytest.mark.parametrize(
    "username",
    [
        "d1",
        "{hub}",
        "{hub}/",
        "{hub}/d10/?api-version=2021-04-12",
        "{hub}/d1",
        "{hub}/d1/?",
        "{hub}/d1/?api-version=",
        "{hub}/d1/modules/arm/?api-version=2021-04-12",
        "other.example/d1/?api-version=2021-04-12",
        "{hub}.other.example/d1/?api-version=2021-04-12",
        "other.example@{hub}/d1/?api-version=2021-04-12",
        "{hub}\r\n/d1/?api-version=2021-04-12",
        "{hub}/d1/?api-version=2021-04-12" + "x" * 10_000,
    ],
)
def test_a_username_that_says_something_else_is_refused(cast: Cast, username: str) -> None:
    with dial(cast.hub) as peer:
        packet = connect("d1", username=username.format(hub=cast.hub.address), password=good(cast).encode())
        assert peer.connack(packet) == REFUSED
        assert peer.is_closed()


def test_a_session_ends_with_its_token(hub: RunningHub) -> None:
    device = new_device(hub)
    ends_in = -298.0  # the skew of 300 s is not over yet
    with online(hub, device, token=token_for(hub, device, ends_in=ends_in)) as peer:
        started = time.monotonic()
        assert peer.is_closed(timeout=10)
        assert time.monotonic() - started < 8


def test_the_old_key_is_worth_nothing_once_it_was_rolled(hub: RunningHub) -> None:
    device = new_device(hub)
    with online(hub, device) as peer:
        keys = {"primary": base64.b64encode(b"1" * 32).decode(), "secondary": base64.b64encode(b"2" * 32).decode()}
        hub.call("PATCH", f"/devices/{device.device_id}", json={"auth": {"kind": "sas", "keys": keys}})
        assert peer.is_closed(timeout=2)
    with dial(hub) as peer:
        assert peer.connack(connect_packet(hub, device)) == REFUSED


@OVER
def test_the_very_same_token_of_ones_own_is_taken(cast: Cast, over: str) -> None:
    """So that the refusals above are for what they say, and for nothing else."""
    for device in (cast.d1, cast.d10, cast.module):
        with online(cast.hub, device, over) as peer:
            assert peer.is_open()
    for path in ("", "/devices/d1", "/devices/d1/modules/arm"):
        with dial(cast.hub, over) as peer:
            who = cast.d1 if path != "/devices/d1/modules/arm" else cast.module
            packet = connect_packet(cast.hub, who, policy_token(cast.hub, "device", path=path))
            assert (client_id_of(who), peer.connack(packet)) == (client_id_of(who), 0)


def _flipped(token: str) -> str:
    place = token.index("&sig=") + 7
    return token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]


def _signed_again(token: str, key: bytes, expiry: str) -> str:
    """The token with another expiry, and a signature that is right for it."""
    resource = token.partition("sr=")[2].partition("&")[0]
    signature = base64.b64encode(hmac.digest(key, f"{resource}\n{expiry}".encode(), "sha256")).decode()
    return f"SharedAccessSignature sr={resource}&sig={quote(signature, safe='')}&se={expiry}"
