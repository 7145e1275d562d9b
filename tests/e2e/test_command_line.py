"""Every command of the command line, with the hub running and with it stopped."""

import json
from pathlib import Path

import pytest
from tests.e2e.command_line import CommandLine
from tests.e2e.conftest import StartHub
from tests.e2e.python_client import MQTT, PATIENCE, new_id
from tests.fakes.pki import make_authority, self_signed
from tests.fakes.running_hub import RunningHub, own_address

ERROR = r"^error: [a-z_.]+: .+ \(.+\)\n$"


@pytest.fixture
def cli(hub: RunningHub) -> CommandLine:
    """The command line of a hub that runs."""
    return CommandLine(hub.data)


def test_devices_are_created_shown_listed_changed_and_deleted(cli: CommandLine) -> None:
    device_id = new_id("press")
    made = cli.ask("device", "create", device_id)
    assert made["auth"]["keys"]["primary"]
    assert made["auth"]["keys"]["primary"] not in cli.run("device", "show", device_id, "-o", "json")
    assert cli.ask("device", "disable", device_id)["status"] == "disabled"
    assert cli.ask("device", "enable", device_id)["status"] == "enabled"
    cli.run("device", "update", device_id, "--new-key", "primary")
    rolled = cli.ask("device", "show", device_id, "--keys")["auth"]["keys"]
    assert rolled["primary"] != made["auth"]["keys"]["primary"]
    assert rolled["secondary"] == made["auth"]["keys"]["secondary"]
    assert device_id in [device["device_id"] for device in cli.ask("device", "list")]
    assert device_id in cli.run("device", "list")
    cli.run("device", "delete", device_id, "--yes")
    assert "device.not_found" in cli.run("device", "show", device_id, code=1)


def test_devices_with_certificates_are_created(cli: CommandLine) -> None:
    device_id = new_id("press")
    certificate = self_signed(device_id)
    pinned = ("--auth", "x509-thumbprint", "--thumbprint", certificate.sha256_thumbprint.upper())
    made = cli.ask("device", "create", device_id, *pinned)
    assert made["auth"]["thumbprints"] == [certificate.sha256_thumbprint]
    made = cli.ask("device", "create", new_id("press"), "--auth", "x509-ca", "--disabled")
    assert (made["auth"]["kind"], made["status"]) == ("x509-ca", "disabled")


def test_modules_are_created_shown_listed_and_deleted(cli: CommandLine) -> None:
    device_id = new_id("press")
    cli.run("device", "create", device_id)
    assert cli.ask("module", "create", device_id, "arm")["module_id"] == "arm"
    assert cli.ask("module", "show", device_id, "arm")["device_id"] == device_id
    assert [module["module_id"] for module in cli.ask("module", "list", device_id)] == ["arm"]
    assert ";ModuleId=arm;" in cli.run("connection-string", "--device", device_id, "--module", "arm")
    cli.run("module", "delete", device_id, "arm", "--yes")
    assert "module.not_found" in cli.run("module", "show", device_id, "arm", code=1)


def test_twins_are_shown_updated_and_replaced(cli: CommandLine, tmp_path: Path) -> None:
    device_id = new_id("press")
    cli.run("device", "create", device_id)
    wanted = tmp_path / "wanted.json"
    wanted.write_text('{"speed": 5, "old": 1}')
    twin = cli.ask("twin", "update", device_id, "--desired", f"@{wanted}", "--tags", '{"hall": "b"}')
    assert (twin["desired"]["properties"], twin["tags"]) == ({"speed": 5, "old": 1}, {"hall": "b"})
    assert cli.ask("twin", "show", device_id) == twin
    twin = cli.ask("twin", "update", device_id, "--desired", '{"old": null}', "--if-match", twin["etag"])
    assert twin["desired"]["properties"] == {"speed": 5}
    stale = cli.run("twin", "update", device_id, "--desired", "{}", "--if-match", "stale", code=1)
    assert "twin.version_conflict" in stale
    assert cli.ask("twin", "replace", device_id, "--desired", '{"new": 1}')["desired"]["properties"] == {"new": 1}


def test_commands_are_queued_and_purged(cli: CommandLine) -> None:
    device_id = new_id("press")
    cli.run("device", "create", device_id)
    sent = cli.ask("c2d", "send", device_id, "open the valve", "--property", "urgent=yes", "--message-id", "m-1")
    assert (sent["message_id"], sent["device_id"]) == ("m-1", device_id)
    assert cli.ask("device", "show", device_id)["pending_commands"] == 1
    assert cli.ask("c2d", "purge", device_id, "--yes")["purged"] == 1


def test_authorities_are_added_proven_revoked_and_forgotten(cli: CommandLine, tmp_path: Path) -> None:
    name = new_id("plant")
    root = make_authority(name)
    file = tmp_path / "file.pem"
    file.write_bytes(root.pem)
    assert cli.ask("ca", "add", name, str(file))["verified"] is False
    code = cli.run("ca", "code", name).strip()
    file.write_bytes(root.issue(code).pem)
    assert cli.ask("ca", "verify", name, str(file))["verified"] is True
    file.write_bytes(root.revocation_list())
    assert cli.ask("ca", "crl", name, str(file))["has_revocation_list"] is True
    assert name in [authority["name"] for authority in cli.ask("ca", "list")]
    cli.run("ca", "delete", name, "--yes")
    assert name not in [authority["name"] for authority in cli.ask("ca", "list")]


def test_what_clients_need_is_printed(cli: CommandLine) -> None:
    assert cli.run("ca", "show") == (cli.data / "pki" / "ca.pem").read_text()
    owner = cli.run("connection-string", "--policy", "iothubowner")
    assert owner.startswith("HostName=")
    assert ";SharedAccessKeyName=iothubowner;SharedAccessKey=" in owner
    assert cli.run("connection-string", "--events").startswith("Endpoint=sb://")
    assert cli.ask("connection-string", "--policy", "service")["connection_string"]


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (("device", "show", "nobody"), 1, "device.not_found"),
        (("device", "show", "no/id"), 1, "id.invalid"),
        (("device", "create"), 2, "usage"),
        (("twin", "update", "nobody", "--desired", "{no json"), 2, "usage"),
        (("no-such-command",), 2, "usage"),
        (("ca", "add", "plant", "/no/such/file"), 1, "file.unusable"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_an_error_is_one_line_that_says_what_to_do(
    cli: CommandLine, arguments: tuple[str, ...], code: int, error: str
) -> None:
    told = cli.run(*arguments, code=code)
    assert told.startswith(f"error: {error}: ")
    assert told.endswith(")\n")
    assert told.count("\n") == 1


def test_the_monitor_shows_telemetry_as_it_is_stored(hub: RunningHub, cli: CommandLine) -> None:
    device = hub.create_device(new_id("press"))
    watching = cli.start("monitor", "--device", device.device_id, "--count", "2", "--timeout", "30", "-o", "json")
    with watching, MQTT.device(hub, device.connection_string) as client:
        assert watching.stderr is not None
        assert "Waiting" in watching.stderr.readline()
        client.connect()
        client.send("first")
        client.send("second")
        out, _ = watching.communicate(timeout=PATIENCE)
    assert [json.loads(line)["body"] for line in out.splitlines()] == ["first", "second"]
    (line,) = cli.run("monitor", "--device", device.device_id, "--from", "60", "--count", "1").splitlines()
    assert device.device_id in line
    assert line.endswith("first")


def test_a_connected_device_is_told_asked_and_commanded(hub: RunningHub, cli: CommandLine) -> None:
    device_id = new_id("press")
    cli.run("device", "create", device_id)
    text = cli.run("connection-string", "--device", device_id, "--hostname", hub.address).strip()
    with MQTT.device(hub, text) as client:
        client.connect()
        messages, patches = client.messages(), client.desired()
        client.answer_methods(lambda name, payload: (207, {name: payload}))
        cli.run("c2d", "send", device_id, "--body", "stop", "--ack", "full", "--message-id", device_id)
        assert messages.get(timeout=PATIENCE).data == b"stop"
        invoke = ("method", "invoke", device_id, "reboot", "--payload", '{"delay": 3}', "--connect-timeout", "10")
        assert cli.ask(*invoke) == {"status": 207, "payload": {"reboot": {"delay": 3}}}
        assert cli.run(*invoke).startswith("status 207\n")
        cli.run("twin", "update", device_id, "--desired", '{"speed": 5}')
        assert patches.get(timeout=PATIENCE) == {"speed": 5, "$version": 2}
        client.report({"speed": 5})
        assert cli.ask("twin", "show", device_id)["reported"]["properties"] == {"speed": 5}
        assert cli.ask("device", "show", device_id)["connected"] is True
        hub.wait_for(lambda: device_id in cli.run("c2d", "feedback"))
        cli.run("device", "disable", device_id)
        client.wait_connected(False)
    gone = cli.run("method", "invoke", device_id, "reboot", code=1)
    assert "method.device_not_online" in gone


def test_the_doctor_finds_nothing_broken(cli: CommandLine) -> None:
    findings = cli.ask("doctor")
    assert findings
    assert not [finding for finding in findings if finding["level"] == "bad"]


def test_a_hub_that_cannot_start_says_why_in_one_line(hub: RunningHub, cli: CommandLine, tmp_path: Path) -> None:
    assert cli.run("serve", code=2).startswith("error: data.in_use: ")
    other = CommandLine(tmp_path / "data")
    taken = ("--bind", hub.address, "--mqtt-port", str(hub.ready["mqtt"]), "--admin-port", "0", "--metrics-port", "0")
    assert "error: " in other.run("serve", *taken, code=2).splitlines()[-1]


def test_the_same_commands_work_while_no_hub_runs(tmp_path: Path) -> None:
    cli = CommandLine(tmp_path / "data")
    assert "data.missing" in cli.run("device", "list", code=1)
    assert "BEGIN CERTIFICATE" in cli.run("ca", "show")
    (cli.data / "ironhub.toml").write_text(f'bind = ["{own_address()}"]\nadmin_port = 0\nmetrics_port = 0\n')
    assert cli.ask("device", "create", "press-7")["auth"]["keys"]["primary"]
    cli.run("twin", "update", "press-7", "--desired", '{"speed": 5}')
    assert cli.ask("twin", "show", "press-7")["desired"] == {"version": 2, "properties": {"speed": 5}}
    cli.run("c2d", "send", "press-7", "open the valve")
    (device,) = cli.ask("device", "list")
    assert (device["device_id"], device["pending_commands"]) == ("press-7", 1)
    assert "method.device_not_online" in cli.run("method", "invoke", "press-7", "stop", code=1)
    assert cli.run("connection-string", "--device", "press-7").startswith("HostName=localhost;DeviceId=press-7;")
    assert cli.lines("monitor", "--from", "earliest") == []
    assert "certificates" in cli.run("doctor", "-o", "json")
    cli.run("backup", str(tmp_path / "hub.backup"))
    restored = CommandLine(tmp_path / "restored")
    restored.run("restore", str(tmp_path / "hub.backup"))
    assert restored.ask("device", "show", "press-7", "--keys") == cli.ask("device", "show", "press-7", "--keys")


def test_a_backup_of_a_running_hub_restores_all_of_it(start_hub: StartHub, tmp_path: Path) -> None:
    hub = start_hub()
    cli = CommandLine(hub.data)
    known = hub.create_device("press-1")
    hub.create_device("press-2", status="disabled", status_reason="lost")
    hub.create_device("press-3", auth={"kind": "x509-ca"})
    module = hub.create_module("press-1", "arm")
    hub.call("PATCH", "/twins/press-1", json={"desired": {"speed": 5}, "tags": {"hall": "b"}})
    hub.call("PATCH", "/twins/press-1", json={"desired": {"n": 1}}, params={"module": "arm"})
    for number in range(3):
        hub.call("POST", "/devices/press-1/commands", json={"body": f"command {number}"})
    with MQTT.device(hub, known.connection_string) as client:
        client.connect()
        client.twin()
        client.report({"speed": 5})
        for number in range(5):
            client.send(f"message {number}")
    before = _everything(hub)
    cli.run("backup", str(tmp_path / "hub.backup"))
    hub.call("DELETE", "/devices/press-2")
    hub.stop()

    restored = CommandLine(tmp_path / "restored")
    restored.run("restore", str(tmp_path / "hub.backup"))
    assert "backup.target_not_empty" in restored.run("restore", str(tmp_path / "hub.backup"), code=1)
    again = RunningHub(restored.data, address=hub.address).start()
    try:
        assert _everything(again) == before
        assert again.registered("press-1") == known
        assert again.registered("press-1", "arm") == module
        with MQTT.device(again, known.connection_string) as client:
            client.connect()
            messages = client.messages()
            bodies = [messages.get(timeout=PATIENCE).data for _ in range(3)]
            assert bodies == [b"command 0", b"command 1", b"command 2"]
            client.send("message 5")
        bodies = [event["body"] for event in again.events(count=6, device="press-1")]
        assert bodies == [f"message {number}" for number in range(6)]
    finally:
        assert again.stop() == 0


def _everything(hub: RunningHub) -> dict[str, object]:
    """What a hub knows, but for what changes by itself: who is connected and when it was last heard of."""
    volatile = {"connected", "connection_changed_at", "last_activity_at"}
    devices = hub.call("GET", "/devices")["devices"]
    stable = [{name: value for name, value in device.items() if name not in volatile} for device in devices]
    return {
        "devices": stable,
        "twins": [hub.call("GET", f"/twins/{device['device_id']}") for device in devices],
        "module twin": hub.call("GET", "/twins/press-1", params={"module": "arm"}),
        "commands": hub.call("GET", "/devices/press-1/commands"),
        "policies": [hub.connection_string(policy=p["name"]) for p in hub.call("GET", "/policies")["policies"]],
        "telemetry": hub.events(count=5, device="press-1"),
        "certificate": hub.ca_pem,
    }


def test_events_show_what_happens_while_it_happens(hub: RunningHub, cli: CommandLine) -> None:
    device = hub.create_device(new_id("press"))
    watching = cli.start("events", "--device", device.device_id, "--count", "3", "--timeout", "60", "-o", "json")
    with watching:
        assert watching.stderr is not None
        assert watching.stdout is not None
        watching.stderr.readline()  # it says when it has begun
        with MQTT.device(hub, device.connection_string) as client:
            client.connect()
            client.report({"speed": 5})
            kinds = [json.loads(watching.stdout.readline())["kind"] for _ in range(2)]
        kinds.append(json.loads(watching.stdout.readline())["kind"])
        watching.communicate(timeout=PATIENCE)
    assert sorted(kinds) == ["connected", "disconnected", "twin_updated"]  # presence is written a moment later
    assert watching.returncode == 0


def test_a_file_is_applied_to_a_running_hub_and_ends_a_right_at_once(
    hub: RunningHub, cli: CommandLine, tmp_path: Path
) -> None:
    name = new_id("press")
    file = tmp_path / "hub.yaml"
    file.write_text(f"version: 1\ndevices:\n- id: {name}\n  tags: {{hall: B2}}\n")
    assert cli.ask("apply", "-f", str(file))["applied"] is True
    assert cli.ask("apply", "-f", str(file)) == {"changes": [], "applied": False}
    with MQTT.device(hub, hub.registered(name).connection_string) as client:
        client.connect()
        client.wait_connected(True)
        file.write_text(f"version: 1\ndevices:\n- id: {name}\n  status: disabled\n")
        assert cli.ask("apply", "-f", str(file), "--yes")["changes"][0]["what"] == f"device {name}"
        client.wait_connected(False)
