"""Tests of app/cli/client.py: the same commands with a hub that runs."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.running_hub import RunningHub
from tests.unit.app.cli.conftest import Cli

from ironhub.app.cli import client
from ironhub.app.cli.client import AdminClient, open_client
from ironhub.app.cli.problems import Problem
from ironhub.app.datadir import DataDirectory, DirectoryInUse


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub that runs in a process of its own."""
    ports = ("--mqtt-port", "0", "--https-port", "0")
    running = RunningHub(tmp_path_factory.mktemp("running") / "data", arguments=ports).start()
    yield running
    assert running.stop() == 0


def test_commands_reach_a_running_hub(cli: Cli, hub: RunningHub) -> None:
    assert cli("device", "create", "..", "-o", "json", at=hub.data).json["device_id"] == ".."
    assert cli("device", "show", "..", "-o", "json", at=hub.data).json["device_id"] == ".."
    assert cli("device", "create", "..", at=hub.data).err.startswith("error: device.exists:")
    assert cli("device", "show", "a/b", at=hub.data).err.startswith("error: id.invalid: 'a/b' is not")
    assert cli("device", "show", "", at=hub.data).err.startswith("error: id.invalid: '' is not")
    assert cli("consumer-group", "create", "", at=hub.data).err.startswith("error: id.invalid: '' is not")
    said = cli("monitor", "--from", "earliest", "--timeout", "0.1", at=hub.data)
    assert (said.code, said.out, said.err) == (0, "", "Waiting for telemetry; Ctrl-C ends.\n")


def test_a_running_hub_is_backed_up(cli: Cli, hub: RunningHub, tmp_path: Path) -> None:
    cli("device", "create", "kept", at=hub.data)
    assert cli("backup", str(tmp_path / "b"), at=hub.data).code == 0
    assert cli("restore", str(tmp_path / "b"), at=tmp_path / "new").code == 0
    assert cli("device", "show", "kept", at=tmp_path / "new").code == 0


def test_whoever_has_another_token_is_refused_with_exit_code_3(
    cli: Cli, hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DataDirectory, "admin_token", lambda self: "00" * 32)
    said = cli("device", "list", at=hub.data)
    assert (said.code, said.err.split(":")[1]) == (3, " identity.unauthorized")


def test_a_hub_that_cannot_prove_who_it_is_learns_no_token(
    cli: Cli, hub: RunningHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = cli("ca", "show", at=tmp_path / "other").out
    monkeypatch.setattr(DataDirectory, "ca_pem", lambda self: other)
    said = cli("device", "list", at=hub.data)
    assert (said.code, said.err.split(":")[1]) == (1, " hub.unreachable")


async def test_a_directory_that_somebody_holds_for_long_is_in_use(data: Path) -> None:
    class Impatient(FakeClock):
        def monotonic(self) -> float:
            self.advance(client.PATIENCE)
            return super().monotonic()

    async with open_client(data, creates=True):
        with pytest.raises(DirectoryInUse):
            async with open_client(data, clock=Impatient()):
                pass


async def test_a_command_waits_for_the_one_before_it(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []
    opened = client._in_process

    async def busy_at_first(*arguments: object) -> httpx.AsyncClient:
        tries.append(1)
        if len(tries) < 3:
            raise DirectoryInUse("somebody has it")
        return await opened(*arguments)  # type: ignore[arg-type]  # passed through

    monkeypatch.setattr(client, "_in_process", busy_at_first)
    async with open_client(data, creates=True) as hub:
        assert hub.running is False
    assert len(tries) == 3


def answering(response: httpx.Response) -> AdminClient:
    transport = httpx.MockTransport(lambda request: response)
    return AdminClient(httpx.AsyncClient(base_url="http://hub", transport=transport), running=True)


async def test_a_refusal_keeps_its_code_and_its_next_step() -> None:
    told = {"error": {"code": "a.b", "message": "m", "next_step": "n"}}
    with pytest.raises(Problem) as refused:
        await answering(httpx.Response(409, json=told)).get("x")
    assert (refused.value.code, str(refused.value), refused.value.next_step, refused.value.status) == (
        "a.b",
        "m",
        "n",
        409,
    )


@pytest.mark.parametrize("content", [b"", b"no json", b"[]", json.dumps({"error": {}}).encode()])
async def test_a_refusal_of_another_shape_is_one_too(content: bytes) -> None:
    with pytest.raises(Problem) as refused:
        await answering(httpx.Response(502, content=content)).get("x")
    assert (refused.value.code, refused.value.status) == ("hub.error", 502)


@asynccontextmanager
async def wildcard_hub(tmp_path: Path, address: str) -> AsyncIterator[httpx.AsyncClient]:
    from ironhub.app.datadir import RunInfo
    from ironhub.app.settings import Settings

    settings = Settings.model_validate({"data": tmp_path, "admin_bind": address})
    async with open_client(tmp_path, creates=True):
        pass
    info = RunInfo(pid=1, mqtt=1, https=2, amqp=5671, admin=9443, metrics=4)
    async with client._over_network(DataDirectory(tmp_path), settings, info) as http:
        yield http


@pytest.mark.parametrize(
    ("address", "url"),
    [("0.0.0.0", "https://127.0.0.1:9443"), ("::", "https://[::1]:9443"), ("10.0.0.1", "https://10.0.0.1:9443")],
)
async def test_a_hub_on_every_address_is_reached_on_loopback(tmp_path: Path, address: str, url: str) -> None:
    async with wildcard_hub(tmp_path, address) as http:
        assert str(http.base_url).rstrip("/") == url
