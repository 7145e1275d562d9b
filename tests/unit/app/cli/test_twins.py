"""Tests of app/cli/twins.py."""

from pathlib import Path

from tests.unit.app.cli.conftest import Cli


def test_a_twin_is_merged_replaced_and_shown(cli: Cli, tmp_path: Path) -> None:
    cli("device", "create", "a")
    wanted = tmp_path / "wanted.json"
    wanted.write_text('{"interval": 5, "mode": "x"}')
    cli("twin", "update", "a", "--desired", f"@{wanted}", "--tags", '{"hall": "B2"}')
    merged = cli("twin", "update", "a", "--desired", '{"mode": null}', "-o", "json").json
    assert merged["desired"]["properties"] == {"interval": 5}
    shown = cli("twin", "show", "a").out
    assert "desired (version 3)" in shown
    assert '"hall": "B2"' in shown
    replaced = cli("twin", "replace", "a", "--desired", '{"n": 1}', "-o", "json").json
    assert (replaced["desired"]["properties"], replaced["tags"]) == ({"n": 1}, {})


def test_a_module_has_a_twin_of_its_own(cli: Cli) -> None:
    cli("device", "create", "b")
    cli("module", "create", "b", "arm")
    cli("twin", "update", "b", "--module", "arm", "--tags", '{"n": 1}')
    assert cli("twin", "show", "b", "-o", "json").json["tags"] == {}
    assert cli("twin", "show", "b", "--module", "arm").out.startswith("b/arm  version 3")


def test_a_stale_etag_changes_nothing(cli: Cli) -> None:
    cli("device", "create", "c")
    etag = cli("twin", "show", "c", "-o", "json").json["etag"]
    assert cli("twin", "update", "c", "--tags", '{"n": 1}', "--if-match", etag).code == 0
    stale = cli("twin", "update", "c", "--tags", '{"n": 2}', "--if-match", etag)
    assert (stale.code, stale.err.split(":")[1]) == (1, " twin.version_conflict")


def test_what_is_no_json_is_a_usage_error(cli: Cli) -> None:
    assert cli("twin", "update", "a", "--desired", "{").code == 2
    assert cli("twin", "update", "a").code == 2
