"""`ironhub config …` with the hub running, and a configuration that was created with it stopped."""

import json
from pathlib import Path

from tests.e2e.command_line import CommandLine
from tests.e2e.conftest import StartHub
from tests.e2e.python_client import MQTT, PATIENCE, new_id
from tests.fakes.running_hub import RunningHub

CONTENT = '{"device": {"settings.speed": 3}}'


def test_a_connected_device_is_configured_from_the_command_line(hub: RunningHub, tmp_path: Path) -> None:
    cli, hall, name = CommandLine(hub.data), new_id("hall"), new_id("speed")
    device = hub.create_device(new_id("press"))
    cli.run("twin", "update", device.device_id, "--tags", json.dumps({"hall": hall}))
    file = tmp_path / "speed.yaml"
    file.write_text(f"target: tags.hall = '{hall}'\ncontent:\n  device:\n    settings.speed: 3\n")
    with MQTT.device(hub, device.connection_string) as client:
        client.connect()
        patches = client.desired()
        cli.run("config", "create", name, "--file", str(file), "--priority", "4")
        assert patches.get(timeout=PATIENCE) == {"settings": {"speed": 3}, "$version": 2}
    hub.wait_for(lambda: cli.ask("config", "show", name)["results"])
    assert cli.ask("config", "metrics", name)["applied"] == 1
    assert name in cli.run("config", "list")
    assert cli.ask("config", "update", name, "--label", "by=test")["labels"] == {"by": "test"}
    cli.run("config", "delete", name, "--yes")
    assert cli.run("config", "show", name, code=1).startswith("error: configuration.not_found: ")


def test_a_configuration_made_while_the_hub_is_stopped_is_applied_when_it_runs(start_hub: StartHub) -> None:
    hub = start_hub()
    device = hub.create_device("press-7")
    assert hub.stop() == 0
    CommandLine(hub.data).run("config", "create", "speed", "--target", "*", "--content", CONTENT)
    hub.start()
    with MQTT.device(hub, device.connection_string) as client:
        client.connect()
        hub.wait_for(lambda: client.twin()["desired"].get("settings") == {"speed": 3})
