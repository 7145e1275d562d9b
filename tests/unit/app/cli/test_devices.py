"""Tests of app/cli/devices.py."""

from pathlib import Path

import pytest
from tests.unit.app.cli.conftest import Cli


def test_the_table_of_a_new_device_shows_no_key_and_json_does(cli: Cli) -> None:
    said = cli("device", "create", "a1")
    assert said.code == 0
    assert "primary key" not in said.out
    made = cli("device", "create", "a2", "-o", "json").json
    assert made["device_id"] == "a2"
    assert made["auth"]["keys"]["primary"]
    assert "primary key" in cli("device", "create", "a3", "--keys").out


def test_keys_are_shown_where_they_are_asked_for(cli: Cli) -> None:
    cli("device", "create", "b1")
    assert cli("device", "show", "b1", "-o", "json").json["auth"]["keys"] is None
    key = cli("device", "show", "b1", "--keys", "-o", "json").json["auth"]["keys"]["primary"]
    assert key in cli("device", "show", "b1", "--keys").out


def test_a_device_is_created_as_it_was_said(cli: Cli, tmp_path: Path) -> None:
    thumbprint = "ab" * 32
    made = cli("device", "create", "c1", "--thumbprint", thumbprint, "--disabled", "-o", "json").json
    assert (made["status"], made["auth"]["kind"], made["auth"]["thumbprints"]) == (
        "disabled",
        "x509-thumbprint",
        [thumbprint],
    )
    assert thumbprint in cli("device", "show", "c1").out
    assert cli("device", "create", "c2", "--auth", "x509-ca", "-o", "json").json["auth"]["kind"] == "x509-ca"
    keys = tmp_path / "keys"
    keys.write_text("a2V5MWtleTFrZXkxa2V5MQ==\na2V5MmtleTJrZXkya2V5Mg==\n")
    made = cli("device", "create", "c3", "--key-file", str(keys), "-o", "json").json
    assert made["auth"]["keys"] == {"primary": "a2V5MWtleTFrZXkxa2V5MQ==", "secondary": "a2V5MmtleTJrZXkya2V5Mg=="}


def test_devices_are_listed_in_order(cli: Cli) -> None:
    for name in ("d2", "d1"):
        cli("device", "create", name)
    listed = [device["device_id"] for device in cli("device", "list", "-o", "json").json]
    assert listed == sorted(listed)
    assert {"d1", "d2"} <= set(listed)
    assert len(cli("device", "list", "--limit", "1", "-o", "json").json) == 1
    assert "LAST ACTIVITY" in cli("device", "list").out


def test_a_device_is_disabled_and_enabled(cli: Cli) -> None:
    cli("device", "create", "e1")
    assert "stolen" in cli("device", "disable", "e1", "--reason", "stolen").out
    assert cli("device", "show", "e1", "-o", "json").json["status"] == "disabled"
    assert cli("device", "enable", "e1", "-o", "json").json["status"] == "enabled"


def test_one_key_is_replaced_and_the_other_kept(cli: Cli) -> None:
    before = cli("device", "create", "f1", "-o", "json").json["auth"]["keys"]
    assert cli("device", "update", "f1", "--new-key", "secondary").code == 0
    after = cli("device", "show", "f1", "--keys", "-o", "json").json["auth"]["keys"]
    assert after["primary"] == before["primary"]
    assert after["secondary"] != before["secondary"]


def test_a_change_must_say_what_to_change(cli: Cli) -> None:
    cli("device", "create", "g1")
    assert cli("device", "update", "g1").code == 2
    assert cli("device", "update", "g1", "--auth", "x509-ca", "--new-key", "primary").code == 2
    assert cli("device", "update", "g1", "--auth", "x509-ca", "--if-match", "stale").code == 1
    assert cli("device", "update", "g1", "--auth", "x509-ca").code == 0
    refused = cli("device", "update", "g1", "--new-key", "primary")
    assert (refused.code, "no keys" in refused.err) == (2, True)


def test_a_deleted_device_is_gone(cli: Cli) -> None:
    cli("device", "create", "h1")
    assert cli("device", "delete", "h1", "--yes").out == "h1 is deleted.\n"
    gone = cli("device", "show", "h1")
    assert gone.code == 1
    assert gone.err.startswith("error: device.not_found: h1 is not registered (Create it first")
    assert gone.out == ""


@pytest.mark.parametrize("name", ["..", ".", "a?b#c%d", "$me@home"])
def test_odd_ids_reach_the_device_they_name(cli: Cli, name: str) -> None:
    assert cli("device", "create", name, "-o", "json").json["device_id"] == name
    assert cli("device", "show", name, "-o", "json").json["device_id"] == name
