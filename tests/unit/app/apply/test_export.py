"""Tests of app/apply/export.py, on a real hub that does not run."""

from pathlib import Path

from tests.fakes.pki import make_authority
from tests.unit.app.apply.conftest import Cli

from ironhub.app.apply.text import read_text


def test_what_was_exported_changes_nothing_here_and_makes_the_same_elsewhere(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(make_authority("plant").pem)
    cli("ca", "add", "plant", str(tmp_path / "ca.pem"))
    cli("device", "create", "a", "--auth", "x509-thumbprint", "--thumbprint", "ab" * 20)
    cli("device", "create", "b", "--disabled")
    cli("module", "create", "a", "m", "--auth", "x509-ca")
    cli("twin", "update", "a", "--tags", '{"no": "yes", "n": 1.0}', "--desired", '{"x": {"y": [1, null]}}')
    cli("policy", "set", "reader", "--right", "RegistryRead")
    file = tmp_path / "hub.yaml"
    told = cli("apply", "--export", str(file), "-o", "json").json
    assert told == {"file": str(file), "policies": 6, "authorities": 1, "devices": 2}
    assert (tmp_path / "plant.pem").read_text().startswith("-----BEGIN CERTIFICATE")
    assert file.stat().st_mode & 0o777 == 0o600
    assert cli("apply", "-f", str(file), "--prune").out.startswith("No changes")
    for name in ("a", "b"):
        cli("device", "delete", name, "--yes")
    cli("ca", "delete", "plant", "--yes")
    assert cli("apply", "-f", str(file)).code == 0
    again = cli("apply", "--export", "-").out
    assert read_text(again.encode()).value == read_text(file.read_bytes()).value


def test_nothing_is_overwritten(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "hub.yaml"
    file.write_text("mine")
    assert cli("apply", "--export", str(file)).err.startswith("error: file.unusable: ")
    assert file.read_text() == "mine"
