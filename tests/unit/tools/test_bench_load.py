"""The load generator over AMQP, against the hub: two real programs."""

import base64
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.fakes.running_hub import RunningHub
from tools.bench.credentials import SAS_KEY, BenchDevice, Kind, Login, amqp_hub_line, hub_line, login_line, sas_token
from tools.bench.generator import DeviceLoad, LoadFailed
from tools.bench.needs import FLAGS, LOAD_SOURCES

EXPIRES_AT = 4_000_000_000
DEVICES = [BenchDevice(f"device-{number}", Kind.SAS, None) for number in range(40)]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The load generator, compiled."""
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler here; `make bench` installs one")
    path = tmp_path_factory.mktemp("bench") / "load"
    command = ["cc", *FLAGS, "-Werror", "-o", str(path), *map(str, LOAD_SOURCES), "-lssl", "-lcrypto"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub that knows the devices."""
    running = RunningHub(tmp_path_factory.mktemp("bench") / "data").start()
    key = base64.b64encode(SAS_KEY).decode()
    for device in DEVICES:
        running.create_device(device.device_id, auth={"kind": "sas", "keys": {"primary": key, "secondary": key}})
    yield running
    assert running.stop() == 0, running.log[-2000:]


def readers(hub: RunningHub) -> list[str]:
    """One for each partition."""
    text = hub.connection_string(policy="service")
    key = base64.b64decode(dict(part.split("=", 1) for part in text.split(";"))["SharedAccessKey"])
    token = f"{sas_token(f'sb://{hub.address}/events', key, EXPIRES_AT)}&skn=service"
    addresses = [f"events/ConsumerGroups/$Default/Partitions/{number}" for number in range(4)]
    return [login_line(Login(f"reader-{number}", "", token, where)) for number, where in enumerate(addresses)]


def load(
    program: Path, hub: RunningHub, place: Path, lines: Sequence[str], *, amqp: bool, connections: int = 8
) -> DeviceLoad:
    """So many connections that are held, and four readers."""
    files = place / "devices", place / "readers"
    for path, text in zip(files, (lines, readers(hub)), strict=True):
        path.write_text("".join(f"{line}\n" for line in text))
    return DeviceLoad(program, hub.address, hub.ca_path, files[0], readers=files[1], amqp=amqp, connections=connections)


@pytest.mark.parametrize("over", ["amqp", "mqtt"])
def test_what_devices_send_is_acknowledged_and_read(program: Path, hub: RunningHub, tmp_path: Path, over: str) -> None:
    make = amqp_hub_line if over == "amqp" else hub_line
    lines = [make(device, hub.address, EXPIRES_AT) for device in DEVICES]
    with load(program, hub, tmp_path, lines, amqp=over == "amqp", connections=0) as generator:
        assert generator.run("connect 60 30")["done"] == 60
    with load(program, hub, tmp_path, lines, amqp=over == "amqp") as generator:
        for window in (1, 16, 64):
            assert generator.run(f"ingest 500 30 {window}")["done"] == 500
        assert generator.run("follow 500 30 16")["done"] == 500
        found = generator.run("latency 200 1")
        assert found["done"] == 200
        assert 0 < found["p50_us"] <= found["p99_us"]
        assert generator.run("rate 200 1")["done"] == 200
        assert generator.run("read 2000 30")["done"] >= 2000


def test_a_token_that_is_refused_ends_the_measurement(program: Path, hub: RunningHub, tmp_path: Path) -> None:
    lines = [amqp_hub_line(DEVICES[0], "example.com", EXPIRES_AT)]
    with pytest.raises(LoadFailed, match="its token is refused"):
        load(program, hub, tmp_path, lines, amqp=True)


def test_a_link_that_is_refused_ends_the_measurement(program: Path, hub: RunningHub, tmp_path: Path) -> None:
    token = sas_token(f"{hub.address}/devices/device-0", SAS_KEY, EXPIRES_AT)
    lines = [login_line(Login("device-0", "", token, "/devices/device-1/messages/events"))]
    with pytest.raises(LoadFailed, match="amqp:unauthorized-access"):
        load(program, hub, tmp_path, lines, amqp=True)
