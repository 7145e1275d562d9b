"""Tests of app/cli/authorities.py."""

from pathlib import Path

from tests.fakes.pki import make_authority
from tests.unit.app.cli.conftest import Cli


def test_the_certificate_to_trust_is_printed_even_before_the_first_start(cli: Cli, tmp_path: Path) -> None:
    pem = cli("ca", "show", at=tmp_path / "new").out
    assert pem == (tmp_path / "new" / "pki" / "ca.pem").read_text()


def test_an_authority_from_its_beginning_to_its_end(cli: Cli, tmp_path: Path) -> None:
    plant = make_authority("Plant 2")
    files = {"ca.pem": plant.pem, "crl.pem": plant.revocation_list()}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    made = cli("ca", "add", "plant-2", str(tmp_path / "ca.pem"))
    code = cli("ca", "code", "plant-2").out.strip()
    assert code in made.out
    (tmp_path / "proof.pem").write_bytes(plant.issue(code).pem)
    assert cli("ca", "verify", "plant-2", str(tmp_path / "proof.pem"), "-o", "json").json["verified"] is True
    assert cli("ca", "crl", "plant-2", str(tmp_path / "crl.pem"), "-o", "json").json["has_revocation_list"] is True
    assert "plant-2" in cli("ca", "list").out
    assert cli("ca", "delete", "plant-2", "--yes").out == "plant-2 is forgotten.\n"
    assert cli("ca", "list", "-o", "json").json == []


def test_what_is_no_certificate_is_refused(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    assert cli("ca", "add", "x", str(tmp_path / "x")).err.startswith("error: authority.certificate_refused:")
