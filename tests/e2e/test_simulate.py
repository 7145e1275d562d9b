"""`ironhub simulate`, its machines commanded by the vendor's own service SDK."""

import json
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from azure.iot.hub import IoTHubRegistryManager
from azure.iot.hub.models import CloudToDeviceMethod, Twin, TwinProperties
from tests.e2e.command_line import TIMEOUT, CommandLine
from tests.e2e.conftest import StartHub
from tests.fakes.running_hub import RunningHub

MACHINE = "sim-pumps-00003"


@pytest.fixture
def plant(start_hub: StartHub) -> Iterator[tuple[RunningHub, "subprocess.Popen[str]"]]:
    """A hub of its own and five machines that send every 200 ms, all connected."""
    hub = start_hub(arguments=("--https-port", "443"))
    command = ("simulate", "--devices", "5", "--rate", "25", "--profile", "pumps", "-o", "json")
    with CommandLine(hub.data).start(*command) as process:
        hub.wait_for(lambda: _reported(hub).get("interval") == 0.2)
        hub.wait_for(lambda: all(device["connected"] for device in hub.call("GET", "/devices")["devices"]))
        yield hub, process
        if process.poll() is None:
            process.kill()


def _reported(hub: RunningHub) -> dict[str, Any]:
    """What the machine told of itself; nothing while it is not registered."""
    devices = {device["device_id"] for device in hub.call("GET", "/devices")["devices"]}
    if MACHINE not in devices:
        return {}
    twin: dict[str, Any] = hub.call("GET", f"/twins/{MACHINE}")["reported"]["properties"]
    return twin


def test_machines_obey_the_vendors_service_sdk_and_say_what_they_did(
    plant: tuple[RunningHub, "subprocess.Popen[str]"], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, process = plant
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(hub.ca_path))
    registry = IoTHubRegistryManager.from_connection_string(hub.connection_string(policy="iothubowner"))
    told = registry.invoke_device_method(
        MACHINE, CloudToDeviceMethod(method_name="status", response_timeout_in_seconds=10)
    )
    assert (told.status, told.payload["level"]) == (200, "normal")
    wanted = CloudToDeviceMethod(method_name="setInterval", payload={"seconds": 0.5}, response_timeout_in_seconds=10)
    assert registry.invoke_device_method(MACHINE, wanted).payload == {"interval": 0.5}
    hub.wait_for(lambda: _reported(hub).get("interval") == 0.5)
    registry.update_twin(MACHINE, Twin(properties=TwinProperties(desired={"interval": 0.3})))
    hub.wait_for(lambda: _reported(hub).get("interval") == 0.3)
    assert registry.get_twin(MACHINE).tags == {"simulated": True, "plant": "pumps"}
    restart = CloudToDeviceMethod(method_name="restart", response_timeout_in_seconds=10)
    assert registry.invoke_device_method(MACHINE, restart).status == 200
    hub.wait_for(lambda: not hub.call("GET", f"/devices/{MACHINE}")["connected"])
    hub.wait_for(lambda: hub.call("GET", f"/devices/{MACHINE}")["connected"])
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, err
    summary = json.loads(out)
    assert summary["acked"] == summary["sent"] > 10
    assert (summary["methods"], summary["failures"], summary["refused"]) == (3, 0, 0)
    assert summary["reconnects"] >= 1


def test_a_revoked_machine_is_out_and_the_others_go_on(plant: tuple[RunningHub, "subprocess.Popen[str]"]) -> None:
    hub, process = plant
    hub.call("PATCH", f"/devices/{MACHINE}", json={"status": "disabled"})
    hub.wait_for(lambda: not hub.call("GET", f"/devices/{MACHINE}")["connected"])
    assert hub.call("GET", "/devices/sim-pumps-00001")["connected"]
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0
    assert '"failures": 0' not in out
    removed = CommandLine(hub.data).ask("simulate", "--clean")
    assert removed == {"removed": 5}
    assert hub.call("GET", "/devices")["devices"] == []
