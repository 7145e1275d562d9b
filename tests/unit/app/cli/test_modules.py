"""Tests of app/cli/modules.py."""

from tests.unit.app.cli.conftest import Cli


def test_a_module_from_its_beginning_to_its_end(cli: Cli) -> None:
    cli("device", "create", "a")
    assert cli("module", "create", "a", "arm", "-o", "json").json["auth"]["keys"]["primary"]
    assert "primary key" not in cli("module", "create", "a", "leg").out
    assert [module["module_id"] for module in cli("module", "list", "a", "-o", "json").json] == ["arm", "leg"]
    assert "arm" in cli("module", "list", "a").out
    assert "primary key" in cli("module", "show", "a", "arm", "--keys").out
    assert cli("module", "update", "a", "arm", "--auth", "x509-ca", "-o", "json").json["auth"]["kind"] == "x509-ca"
    assert cli("module", "delete", "a", "arm", "--yes").out == "a/arm is deleted.\n"
    assert cli("module", "show", "a", "arm").err.startswith("error: module.not_found:")


def test_a_module_needs_its_device_and_a_change(cli: Cli) -> None:
    assert cli("module", "create", "nobody", "arm").err.startswith("error: device.not_found:")
    assert cli("module", "update", "nobody", "arm").code == 2
