"""Tests of app/cli/fleet.py."""

import json
from pathlib import Path

import pytest
from tests.unit.app.cli.conftest import Cli


def test_a_table_is_imported_and_exported(cli: Cli, tmp_path: Path) -> None:
    table = tmp_path / "plant.csv"
    table.write_text("device_id,tags.hall\nt1,b\nt2,c\n")
    said = cli("device", "import", str(table), "-o", "json").json
    assert (said["rows"], said["done"], said["failed"]) == (2, 2, 0)
    assert cli("twin", "show", "t1", "-o", "json").json["tags"] == {"hall": "b"}
    again = cli("device", "import", str(table), "--errors", str(tmp_path / "errors"))
    assert again.code == 1
    assert "line 2: t1: device.exists" in again.err
    assert "2 failed" in again.out
    assert len((tmp_path / "errors").read_text().splitlines()) == 2
    for name in ("out.csv", "out.jsonl", "out.txt"):
        assert cli("device", "export", str(tmp_path / name), "--twins").code == 0
        assert "hall" in (tmp_path / name).read_text()
    out = cli("device", "export", "-", "--format", "jsonl").out
    assert "t1" in [json.loads(line)["device_id"] for line in out.splitlines()]


def test_a_dry_run_leaves_nothing_behind(cli: Cli, tmp_path: Path) -> None:
    source = tmp_path / "plant.jsonl"
    source.write_text('{"device_id": "n1"}\n')
    said = cli("device", "import", str(source), "--dry-run")
    assert (said.code, "would be done" in said.out) == (0, True)
    assert cli("device", "show", "n1").code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["plant.jsonl"]


def test_standard_input_is_a_file_too(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.write_text('{"device_id": "s1"}\n')
    with source.open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert cli("device", "import", "-", "--mode", "create-or-update").code == 0
    assert cli("device", "show", "s1").code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("import", "FILE.dat"),
        ("import", "FILE.jsonl", "--resume"),
        ("import", "FILE.jsonl", "--resume", "--dry-run"),
        ("import", "-", "--resume"),
        ("import", "FILE.csv"),
        ("export", "FILE.dat"),
    ],
)
def test_what_cannot_be_meant_is_a_mistake_of_usage(cli: Cli, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    for suffix in ("dat", "jsonl", "csv"):
        (tmp_path / f"FILE.{suffix}").write_text("colour\nred\n")
    placed = [str(tmp_path / each) if each.startswith("FILE") else each for each in arguments]
    said = cli("device", *placed)
    assert (said.code, said.err.startswith("error: usage: ")) == (2, True)


def test_a_file_that_is_not_there_is_named(cli: Cli, tmp_path: Path) -> None:
    said = cli("device", "import", str(tmp_path / "none.csv"))
    assert said.code == 1
    assert "none.csv" in said.err
