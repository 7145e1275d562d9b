"""`ironhub job …` with the hub running, and a job that was created with it stopped."""

import pytest
from tests.e2e.command_line import CommandLine
from tests.e2e.conftest import StartHub
from tests.e2e.python_client import MQTT, new_id
from tests.fakes.running_hub import RunningHub


@pytest.fixture
def cli(hub: RunningHub) -> CommandLine:
    """The command line of a hub that runs."""
    return CommandLine(hub.data)


def test_a_job_is_waited_for_and_its_results_are_shown(hub: RunningHub, cli: CommandLine) -> None:
    device, away, job_id = hub.create_device(new_id("press")), hub.create_device(new_id("press")), new_id("job")
    where = f"deviceId IN ['{device.device_id}', '{away.device_id}']"
    with MQTT.device(hub, device.connection_string) as client:
        client.connect()
        client.answer_methods(lambda name, payload: (207, {name: payload}))
        hub.wait_for(lambda: hub.call("GET", f"/devices/{device.device_id}")["connected"])
        job = cli.ask("job", "create", job_id, "--where", where, "--method", "echo", "--payload", "[1]", "--wait")
    assert (job["status"], job["devices"]["succeeded"], job["devices"]["failed"]) == ("completed", 1, 1)
    (good,) = cli.ask("job", "results", job_id, "--status", "succeeded")
    assert (good["device_id"], good["answer_status"], good["answer_payload"]) == (
        device.device_id,
        207,
        {"echo": [1]},
    )
    assert "method.device_not_online" in cli.run("job", "results", job_id, "--status", "failed")
    assert job_id in cli.run("job", "list", "--kind", "method")
    assert cli.run("job", "cancel", job_id, "--yes", code=1).startswith("error: job.over: ")


def test_a_job_that_did_not_get_to_its_end_is_an_exit_code(hub: RunningHub, cli: CommandLine) -> None:
    device, job_id = hub.create_device(new_id("press")), new_id("job")
    where = f"deviceId = '{device.device_id}'"
    slow = ("--method", "x", "--connect-timeout", "60", "--max-time", "1")
    cli.run("job", "create", job_id, "--where", where, *slow, "--wait", code=1)
    assert cli.ask("job", "show", job_id)["error_code"] == "job.time_over"


def test_a_job_that_was_created_with_the_hub_stopped_begins_with_it(start_hub: StartHub) -> None:
    hub = start_hub()
    hub.create_device("press-7")
    hub.stop()
    cli = CommandLine(hub.data)
    assert cli.ask("job", "create", "j1", "--where", "*", "--tags", '{"hall": "b"}', "--wait")["status"] == "queued"
    assert cli.ask("job", "show", "j1")["status"] == "queued"
    hub.start()
    assert cli.ask("job", "show", "j1", "--wait")["devices"]["succeeded"] == 1
    assert cli.ask("twin", "show", "press-7")["tags"] == {"hall": "b"}
