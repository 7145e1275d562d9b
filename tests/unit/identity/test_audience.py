import pytest

from ironhub.core.ids import Identity, identity
from ironhub.identity.audience import (
    Audience,
    HubNames,
    covers,
    device_resource,
    encode_resource,
    identity_of,
    identity_path,
    normal_host,
    parse_audience,
)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("Hub.Example", "hub.example"),
        ("hub.example:8883", "hub.example"),
        ("localhost:18883", "localhost"),
        ("127.0.0.1:443", "127.0.0.1"),
        ("[::1]:8883", "::1"),
        ("[::1]", "::1"),
        ("::1", "::1"),
        ("fe80::1", "fe80::1"),
    ],
)
def test_a_host_compares_without_port_case_and_brackets(text: str, host: str) -> None:
    assert normal_host(text) == host


@pytest.mark.parametrize("text", ["", ":8883", "a b", "a/b", "hub.example:", "hub.example:port", "hub\x00", "a" * 254])
def test_what_is_no_host_name_has_no_normal_form(text: str) -> None:
    assert normal_host(text) is None


@pytest.mark.parametrize(
    ("resource", "audience"),
    [
        ("hub.example", Audience("hub.example", "")),
        ("hub.example/", Audience("hub.example", "")),
        ("hub.example/devices/d1", Audience("hub.example", "/devices/d1")),
        ("HUB.example:8883/devices/D1", Audience("hub.example", "/devices/D1")),
        ("sb://hub.example/telemetry", Audience("hub.example", "/telemetry")),
        ("amqps://hub.example:5671/x", Audience("hub.example", "/x")),
        ("HTTPS://hub.example", Audience("hub.example", "")),
    ],
)
def test_an_audience_is_a_host_and_a_path(resource: str, audience: Audience) -> None:
    assert parse_audience(resource) == audience


@pytest.mark.parametrize(
    "resource", ["", "/devices/d1", "ftp://hub.example", "hub.example//devices", "hub.example//", "a b/devices/d1"]
)
def test_what_names_no_host_is_no_audience(resource: str) -> None:
    assert parse_audience(resource) is None


def test_a_scope_covers_whole_segments_only() -> None:
    assert covers("", "/devices/d1")
    assert covers("/devices", "/devices/d1")
    assert covers("/devices/d1", "/devices/d1")
    assert covers("/devices/d1", "/devices/d1/modules/m")
    assert not covers("/devices/d1", "/devices/d10")
    assert not covers("/devices/d1", "/devices")
    assert not covers("/dev", "/devices/d1")


def test_a_module_lives_below_its_device() -> None:
    assert identity_path(identity("d1")) == "/devices/d1"
    assert identity_path(identity("d1", "m1")) == "/devices/d1/modules/m1"
    assert device_resource("hub.example", identity("a%2Fb")) == "hub.example/devices/a%2Fb"


def test_an_encoded_resource_has_no_separators_left() -> None:
    assert encode_resource("h:1/devices/a b") == "h%3A1%2Fdevices%2Fa%20b"


def test_the_hub_answers_under_the_names_it_was_given_last() -> None:
    names = HubNames(["Hub.Example:8883", "::1"], event_stream="Telemetry")
    assert "hub.example" in names
    assert "HUB.example:443" in names
    assert "[::1]:8883" in names
    assert "" not in names
    assert "other.example" not in names
    assert list(names) == ["::1", "hub.example"]
    assert names.event_stream == "telemetry"
    names.replace(["plant.example"])
    assert "hub.example" not in names
    assert "plant.example" in names


def test_a_name_that_is_none_changes_nothing() -> None:
    names = HubNames(["hub.example"])
    with pytest.raises(ValueError, match="not a host name: 'a b'"):
        names.replace(["plant.example", "a b"])
    assert list(names) == ["hub.example"]


@pytest.mark.parametrize("who", [identity("press-7"), identity("press-7", "arm"), identity("a%2Fb", "modules")])
def test_a_path_leads_back_to_who_lives_there(who: Identity) -> None:
    assert identity_of(identity_path(who)) == who


@pytest.mark.parametrize(
    "path",
    ["", "/", "/devices", "/devices/", "devices/a", "/Devices/a", "/devices/a/", "/devices/a b", "/messages/events"],
)
def test_nobody_lives_anywhere_else(path: str) -> None:
    assert identity_of(path) is None


@pytest.mark.parametrize("path", ["modules", "modules/", "modules/b/c", "twin/b"])
def test_nothing_else_below_a_device_is_a_module(path: str) -> None:
    assert identity_of(f"/devices/a/{path}") is None
