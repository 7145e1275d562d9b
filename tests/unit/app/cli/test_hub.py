"""Tests of app/cli/hub.py."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from tests.unit.app.cli.conftest import Cli

from ironhub.app import doctor, quickstart
from ironhub.app import serve as serving
from ironhub.app.doctor import Finding, Level
from ironhub.app.settings import Settings
from ironhub.core.errors import Unavailable


def test_connection_strings_are_printed_alone(cli: Cli) -> None:
    cli("device", "create", "a")
    cli("module", "create", "a", "arm")
    assert cli("connection-string", "--device", "a").out.startswith("HostName=localhost;DeviceId=a;SharedAccessKey=")
    assert ";ModuleId=arm;" in cli("connection-string", "--device", "a", "--module", "arm").out
    assert cli("connection-string", "--policy", "service", "--hostname", "h").out.startswith("HostName=h;")
    given = cli("connection-string", "--events", "-o", "json").json
    assert given["connection_string"].startswith("Endpoint=sb://localhost/;")


def test_readers_may_have_a_policy_of_their_own(cli: Cli) -> None:
    given = cli("connection-string", "--events", "--policy", "iothubowner").out
    assert given.startswith("Endpoint=sb://localhost/;SharedAccessKeyName=iothubowner;SharedAccessKey=")
    refused = cli("connection-string", "--events", "--policy", "device")
    assert (refused.code, refused.out) == (1, "")
    assert "the policy device may not read telemetry: it has no right ServiceConnect" in refused.err


@pytest.mark.parametrize("arguments", [(), ("--events", "--device", "x"), ("--policy", "x", "--module", "m")])
def test_a_connection_string_is_for_one(cli: Cli, arguments: tuple[str, ...]) -> None:
    assert cli("connection-string", *arguments).code == 2


def test_a_backup_is_private_and_restores_everything(cli: Cli, tmp_path: Path) -> None:
    cli("device", "create", "kept")
    file = tmp_path / "hub.backup"
    assert cli("backup", str(file), "-o", "json").json == {"file": str(file), "bytes": file.stat().st_size}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert cli("backup", str(file)).code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["hub.backup"]
    target = tmp_path / "restored"
    assert cli("restore", str(file), at=target).code == 0
    assert cli("device", "show", "kept", "-o", "json", at=target).json["device_id"] == "kept"
    assert cli("restore", str(file), at=target).err.startswith("error: backup.target_not_empty:")


def test_the_doctor_says_what_to_do_and_fails_when_something_is_broken(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    findings = [Finding(Level.OK, "tls", "works")]
    monkeypatch.setattr(doctor, "examine", lambda given: findings)
    assert cli("doctor").out == "ok    tls           works\n"
    findings.append(Finding(Level.BAD, "ports", "taken", "Free it."))
    said = cli("doctor", "-o", "json")
    assert said.code == 1
    assert json.loads(said.out)[1] == {"level": "bad", "check": "ports", "what": "taken", "next_step": "Free it."}
    assert "→ Free it." in cli("doctor").out


def test_serve_takes_its_settings_from_the_command_line(cli: Cli, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Settings] = []

    def serve(settings: Settings) -> int:
        seen.append(settings)
        return 0

    monkeypatch.setattr(serving, "serve", serve)
    monkeypatch.setattr("ironhub.app.logs.configure_logs", lambda *_: None)
    ports: tuple[str, ...] = (
        "--mqtt-port",
        "1",
        "--https-port",
        "2",
        "--amqp-port",
        "5",
        "--admin-port",
        "3",
        "--metrics-port",
        "4",
    )
    ports = (*ports, "--amqp-plain-port", "6")
    names = ("--hostname", "a", "--hostname", "b", "--bind", "127.0.0.9")
    assert cli("serve", *ports, *names, "--log-format", "console", "--log-level", "debug").code == 0
    (settings,) = seen
    assert (settings.mqtt_port, settings.https_port, settings.admin_port, settings.metrics_port) == (1, 2, 3, 4)
    assert (settings.amqp_port, settings.amqp_plain_port) == (5, 6)
    assert (settings.hostname, settings.bind, settings.data) == (("a", "b"), ("127.0.0.9",), data)
    assert (settings.log_format, settings.log_level) == ("console", "debug")


def test_a_hub_that_cannot_start_ends_with_2_and_one_line(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Settings) -> int:
        raise Unavailable("port 8883 is taken")

    monkeypatch.setattr(serving, "serve", fail)
    monkeypatch.setattr("ironhub.app.logs.configure_logs", lambda *_: None)
    said = cli("serve")
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert said.err.startswith("error: hub.unavailable: port 8883 is taken (")
    assert cli("serve", "--log-format", "xml").err.startswith("error: settings.invalid: log_format")


def test_quickstart_hands_its_wishes_on(cli: Cli, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Path, dict[str, Any]]] = []

    def fake(place: Path, **wishes: Any) -> int:
        seen.append((place, wishes))
        return 7

    monkeypatch.setattr(quickstart, "run_quickstart", fake)
    assert cli("quickstart", "--messages", "3", "-o", "json").code == 7
    assert seen == [(data, {"messages": 3, "as_json": True})]
