"""Tests of app/cli/queries.py."""

from tests.unit.app.cli.conftest import Cli


def test_devices_are_found_page_by_page(cli: Cli) -> None:
    for name in ("qa", "qb", "qc"):
        cli("device", "create", name)
    text = "SELECT deviceId, status FROM devices WHERE STARTSWITH(deviceId, 'q')"
    rows = cli("query", text, "--page-size", "1", "-o", "json").json
    assert rows == [{"deviceId": name, "status": "enabled"} for name in ("qa", "qb", "qc")]
    assert len(cli("query", text, "--limit", "2", "-o", "json").json) == 2
    table = cli("query", text).out
    assert "deviceId" in table
    assert "qc" in table


def test_whole_twins_make_a_table(cli: Cli) -> None:
    cli("device", "create", "qt")
    cli("twin", "update", "qt", "--tags", '{"hall": "B2"}')
    table = cli("query", "SELECT * FROM devices WHERE deviceId = 'qt'").out
    assert "DEVICE" in table
    assert '{"hall": "B2"}' in table
    assert "JOB" in cli("query", "SELECT * FROM devices.jobs").out
