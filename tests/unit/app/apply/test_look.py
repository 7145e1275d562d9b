"""Tests of app/apply/look.py and app/apply/carry.py, on a real hub that does not run."""

from pathlib import Path

import pytest
from tests.fakes.pki import FakeAuthority, make_authority
from tests.unit.app.apply.conftest import Cli

KEYS = ("c2VjcmV0LXNlY3JldC1zZWNyZXQ=", "aGlkZGVuLWhpZGRlbi1oaWRkZW4=")
HUB = """
version: 1
policies:
- {name: reader, rights: [RegistryRead]}
devices:
- id: press-7
  status: disabled
  status_reason: not built yet
  auth: {kind: sas, key_file: press-7.keys}
  tags: {hall: B2, place: {row: 3}, empty: {}}
  desired: {interval: 5}
  modules:
  - id: arm
    managed_by: plant
    auth: {kind: x509-ca}
    tags: {of: press}
- id: press-8
  auth: {kind: x509-thumbprint, thumbprints: ["AA:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"]}
"""


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    (tmp_path / "press-7.keys").write_text("\n".join(KEYS))
    file = tmp_path / "hub.yaml"
    file.write_text(HUB)
    return file


def test_what_is_wanted_is_made_and_a_second_time_nothing_changes(cli: Cli, hub: Path) -> None:
    said = cli("apply", "-f", str(hub))
    assert (said.code, said.out) == (0, "Applied: 4 to create, 0 to change, 0 to delete.\n"), said.err
    device = cli("device", "show", "press-7", "--keys", "-o", "json").json
    assert (device["status"], device["status_reason"]) == ("disabled", "not built yet")
    assert device["auth"]["keys"] == {"primary": KEYS[0], "secondary": KEYS[1]}
    twin = cli("twin", "show", "press-7", "-o", "json").json
    assert (twin["tags"]["hall"], twin["desired"]["properties"]) == ("B2", {"interval": 5})
    assert cli("twin", "show", "press-7", "--module", "arm", "-o", "json").json["tags"] == {"of": "press"}
    assert cli("module", "show", "press-7", "arm", "-o", "json").json["auth"]["kind"] == "x509-ca"
    assert cli("policy", "list", "-o", "json").json[-1] == {"name": "reader", "rights": ["RegistryRead"]}
    again = cli("apply", "-f", str(hub))
    assert again.out == "No changes: the hub holds what the file says.\n", again.err


def test_a_plan_shows_what_differs_and_changes_nothing(cli: Cli, hub: Path) -> None:
    cli("apply", "-f", str(hub))
    cli("device", "enable", "press-7")
    cli("twin", "update", "press-7", "--desired", '{"interval": 9, "other": 1}')
    cli("policy", "set", "reader", "--right", "ServiceConnect")
    planned = cli("apply", "-f", str(hub), "--plan")
    assert planned.out == "Plan: 0 to create, 2 to change, 0 to delete.\n"
    assert '~ status: "enabled" → "disabled"' in planned.err
    assert "~ desired.interval: 9 → 5" in planned.err
    assert '~ rights: ["ServiceConnect"] → ["RegistryRead"]' in planned.err
    assert cli("device", "show", "press-7", "-o", "json").json["status"] == "enabled"
    told = cli("apply", "-f", str(hub), "--plan", "-o", "json").json
    assert (told["applied"], [change["kind"] for change in told["changes"]]) == (False, ["change", "change"])
    cli("apply", "-f", str(hub))
    assert cli("twin", "show", "press-7", "-o", "json").json["desired"]["properties"] == {"interval": 5, "other": 1}


def test_no_key_is_ever_printed(cli: Cli, hub: Path) -> None:
    plan = cli("apply", "-f", str(hub), "--plan")
    plan_json = cli("apply", "-f", str(hub), "--plan", "-o", "json")
    made = cli("apply", "-f", str(hub))
    (hub.parent / "press-7.keys").write_text("\n".join(reversed(KEYS)))
    rolled = cli("apply", "-f", str(hub))
    assert "~ keys (not shown)" in rolled.err
    exported = cli("apply", "--export", "-")
    for said in (plan, plan_json, made, rolled, exported):
        assert said.code == 0
        for key in KEYS:
            assert key not in said.out + said.err
    assert cli("device", "show", "press-7", "--keys", "-o", "json").json["auth"]["keys"]["primary"] == KEYS[1]


def test_only_what_is_pruned_is_deleted(cli: Cli, hub: Path) -> None:
    cli("apply", "-f", str(hub))
    cli("device", "create", "stranger")
    cli("module", "create", "press-7", "leg")
    cli("policy", "set", "old", "--right", "ServiceConnect")
    assert cli("apply", "-f", str(hub)).out.startswith("No changes")
    planned = cli("apply", "-f", str(hub), "--plan", "--prune").err
    assert [line for line in planned.splitlines() if line.startswith("-")] == [
        "- policy old",
        "- module press-7/leg",
        "- device stranger",
    ]
    only_devices = hub.with_name("devices.yaml")
    only_devices.write_text("version: 1\ndevices: [{id: press-7}]\n")
    cli("apply", "-f", str(only_devices), "--prune", "--yes")
    assert [device["device_id"] for device in cli("device", "list", "-o", "json").json] == ["press-7"]
    assert "old" in cli("policy", "list").out
    assert cli("module", "list", "press-7", "-o", "json").json != []


def authority_file(hub: Path, authority: FakeAuthority, **more: str) -> None:
    (hub.parent / "ca.pem").write_bytes(authority.pem)
    lines = "".join(f"  {name}: {file}\n" for name, file in more.items())
    hub.write_text(f"version: 1\nauthorities:\n- name: plant\n  certificate: ca.pem\n{lines}")


def test_an_authority_is_registered_proven_and_replaced(cli: Cli, hub: Path) -> None:
    authority = make_authority("plant")
    authority_file(hub, authority, proof="proof.pem", revocation_list="plant.crl")
    (hub.parent / "plant.crl").write_bytes(authority.revocation_list([]))
    assert cli("apply", "-f", str(hub)).code == 0
    code = cli("ca", "code", "plant").out.strip()
    (hub.parent / "proof.pem").write_bytes(authority.issue(code).pem)
    assert "verified: false → true" in cli("apply", "-f", str(hub)).err
    assert cli("ca", "list", "-o", "json").json[0]["verified"] is True
    assert cli("apply", "-f", str(hub)).out.startswith("No changes")
    authority_file(hub, make_authority("other"))
    assert "another one; it has to be verified anew" in cli("apply", "-f", str(hub)).err
    assert cli("ca", "list", "-o", "json").json[0]["verified"] is False
    hub.write_text("version: 1\nauthorities: []\n")
    assert "- authority plant" in cli("apply", "-f", str(hub), "--prune", "--yes").err
    assert cli("ca", "list", "-o", "json").json == []


def test_what_cannot_be_made_is_named_with_how_far_it_came(cli: Cli, hub: Path) -> None:
    hub.write_text("version: 1\ndevices:\n- id: a\n- id: b/c\n")
    assert cli("apply", "-f", str(hub)).err.startswith("error: id.invalid: ")
    hub.write_text('version: 1\ndevices:\n- id: a\n- id: b\n  tags: {"x.y": 1}\n- id: c\n')
    said = cli("apply", "-f", str(hub))
    assert said.code == 1
    assert "error: twin.invalid: device b: " in said.err
    assert "(1 of 3 changes were made)" in said.err
    assert cli("device", "show", "a").code == 0
    assert cli("device", "show", "c").code == 1


def test_a_file_that_is_missing_or_no_certificate_is_told_before_anything_is_made(cli: Cli, hub: Path) -> None:
    hub.write_text(
        "version: 1\npolicies: [{name: x, rights: [RegistryRead]}]\nauthorities: [{name: a, certificate: n}]\n"
    )
    assert cli("apply", "-f", str(hub)).err.startswith("error: file.unusable: ")
    (hub.parent / "n").write_text("nothing")
    assert cli("apply", "-f", str(hub)).err.startswith("error: authority.certificate_refused: ")
    assert "x" not in [policy["name"] for policy in cli("policy", "list", "-o", "json").json]


CONFIGURATION = """
version: 1
configurations:
- id: speed
  target: tags.hall = 'B2'
  priority: 3
  content: {device: {settings.speed: %d}}
"""


def test_a_configuration_is_made_changed_and_made_anew_for_another_content(cli: Cli, hub: Path) -> None:
    hub.write_text(CONFIGURATION % 3)
    assert "+ configuration speed" in cli("apply", "-f", str(hub)).err
    assert cli("apply", "-f", str(hub)).out.startswith("No changes")
    hub.write_text((CONFIGURATION % 3).replace("priority: 3", "priority: 4"))
    assert "~ priority: 3 → 4" in cli("apply", "-f", str(hub)).err
    assert cli("config", "show", "speed", "-o", "json").json["priority"] == 4
    hub.write_text(CONFIGURATION % 5)
    assert "~ content: " in cli("apply", "-f", str(hub)).err
    assert cli("config", "show", "speed", "-o", "json").json["content"] == {"device": {"settings.speed": 5}}
    exported = cli("apply", "--export", str(hub.with_name("all.yaml")))
    assert exported.code == 0, exported.err
    assert cli("apply", "-f", str(hub.with_name("all.yaml")), "--prune").out.startswith("No changes")
    hub.write_text("version: 1\nconfigurations: []\n")
    assert "- configuration speed" in cli("apply", "-f", str(hub), "--prune", "--yes").err
