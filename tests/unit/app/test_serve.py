"""app/serve.py and app/metrics.py, in this process; tests/e2e starts it as users do."""

import asyncio
import gc
import json
import logging
import os
import resource
import signal
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from tests.fakes.clock import FakeEntropy
from tests.fakes.running_hub import own_address
from tests.fakes.sessions import FakeSession
from tests.fakes.streams import entries
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from ironhub.app import serve as module
from ironhub.app.datadir import DataDirectory, DirectoryInUse, RunInfo
from ironhub.app.hub import open_hub
from ironhub.app.serve import PlaintextExposed, listening
from ironhub.app.settings import Settings
from ironhub.app.system import SystemClock
from ironhub.core.ids import identity
from ironhub.heads.listener import Listener, PortRefused, PortTaken
from ironhub.wire.amqp.frames import AMQP_HEADER


def settings(path: Path, **given: Any) -> Settings:
    ports = dict.fromkeys(("mqtt_port", "https_port", "amqp_port", "admin_port", "metrics_port"), 0)
    return Settings(**{"data": path, "bind": (own_address(),), **ports, **given})


async def test_every_listener_answers_once_it_is_ready(tmp_path: Path) -> None:
    given = settings(tmp_path / "data")
    clock, entropy = SystemClock(), FakeEntropy()
    async with open_hub(given, clock=clock, entropy=entropy) as hub, listening(hub) as info:
        assert info.amqp_plain is None
        assert info.pid == os.getpid()
        trust = ssl.create_default_context(cafile=str(hub.directory.ca_certificate))
        trust.check_hostname = False
        for port in (info.mqtt, info.https, info.amqp):
            _, writer = await asyncio.open_connection(given.bind[0], port, ssl=trust)
            writer.close()
            await writer.wait_closed()
        async with httpx.AsyncClient(verify=trust, base_url=f"https://127.0.0.1:{info.admin}/api/v1") as admin:
            assert (await admin.get("/status")).status_code == 401
            bearer = {"Authorization": f"Bearer {hub.admin_token.decode()}"}
            assert (await admin.get("/status", headers=bearer)).status_code == 200
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{info.metrics}") as metrics:
            assert (await metrics.get("/healthz")).status_code == 200
            assert (await metrics.get("/readyz")).status_code == 200
            assert "ironhub_connections" in (await metrics.get("/metrics")).text


async def test_amqp_without_tls_is_served_to_this_machine_and_warned_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    given = settings(tmp_path / "data", amqp_plain_port=0)
    async with open_hub(given, clock=SystemClock(), entropy=FakeEntropy()) as hub, listening(hub) as info:
        assert info.amqp_plain
        reader, writer = await asyncio.open_connection(given.bind[0], info.amqp_plain)
        writer.write(AMQP_HEADER)
        assert await reader.readexactly(8) == AMQP_HEADER
        assert writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) < 32_768
        writer.close()
        await writer.wait_closed()
    assert [record.message for record in caplog.records].count("amqp_without_tls") == 1


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1", "localhost"])
async def test_amqp_without_tls_is_not_served_to_other_machines(tmp_path: Path, address: str) -> None:
    given = settings(tmp_path, bind=("127.0.0.1", address), amqp_plain_port=0)
    with pytest.raises(PlaintextExposed, match=address):
        await module._start_plain(cast("Listener", Refusing()), given)


async def test_amqp_is_spoken_inside_a_websocket(tmp_path: Path) -> None:
    given = settings(tmp_path / "data")
    async with open_hub(given, clock=SystemClock(), entropy=FakeEntropy()) as hub, listening(hub) as info:
        trust = ssl.create_default_context(cafile=str(hub.directory.ca_certificate))
        for path in ("/$iothub/websocket", "/$servicebus/websocket/"):
            url = f"wss://{given.bind[0]}:{info.https}{path}"
            trust.check_hostname = False
            async with connect(url, ssl=trust, subprotocols=[Subprotocol("AMQPWSB10")]) as client:
                await client.send(AMQP_HEADER)
                assert await client.recv() == AMQP_HEADER


async def test_a_port_that_is_taken_is_an_error_and_the_others_are_closed_again(tmp_path: Path) -> None:
    address = own_address()
    with socket.socket() as taken:
        taken.bind((address, 0))
        taken.listen()
        given = settings(tmp_path / "data", bind=(address,), https_port=taken.getsockname()[1])
        async with open_hub(given, clock=SystemClock(), entropy=FakeEntropy()) as hub:
            with pytest.raises(PortTaken):
                async with listening(hub):
                    pass


class Refusing:
    """A listener of a user who may not have ports below 1024."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    async def start(self, _addresses: Sequence[str], port: int) -> int:
        self.asked.append(port)
        if port < 1024:
            raise PortRefused(f"port {port} is refused to this user")
        return port


async def test_where_443_is_refused_8443_is_used_with_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listener = Refusing()
    given = settings(tmp_path, https_port=None)
    assert await module._start_https(cast("Listener", listener), given) == 8443
    assert listener.asked == [443, 8443]
    assert "warning: listener.port_refused" in capsys.readouterr().err


async def test_a_port_that_was_asked_for_by_name_is_never_replaced(tmp_path: Path) -> None:
    with pytest.raises(PortRefused):
        await module._start_https(cast("Listener", Refusing()), settings(tmp_path, https_port=443))


async def test_a_certificate_is_renewed_without_ending_a_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = settings(tmp_path / "data")
    renewed = asyncio.Event()
    monkeypatch.setattr(module, "RENEWAL_LOOK", 0.01)
    async with open_hub(given, clock=SystemClock(), entropy=FakeEntropy()) as hub:
        issue = hub.certificate.renew_if_due

        def renew() -> bool:
            if renewed.is_set():
                return False
            hub.certificate._names = (*hub.certificate._names, "new.example")
            renewed.set()
            return issue()

        trust = ssl.create_default_context(cafile=str(hub.directory.ca_certificate))
        trust.check_hostname = False
        async with listening(hub) as info:
            reader, writer = await asyncio.open_connection(given.bind[0], info.https, ssl=trust)
            monkeypatch.setattr(hub.certificate, "renew_if_due", renew)
            async with asyncio.timeout(10.0):
                await renewed.wait()
                names: list[str] = []
                while "new.example" not in names:
                    _, other = await asyncio.open_connection(given.bind[0], info.https, ssl=trust)
                    shown = other.get_extra_info("ssl_object").getpeercert()["subjectAltName"]
                    names = [name for _, name in shown]
                    other.close()
                    await other.wait_closed()
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 ")
            writer.close()
            await writer.wait_closed()


async def test_a_renewal_that_fails_is_reported_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "RENEWAL_LOOK", 0.001)
    tries = asyncio.Semaphore(0)
    async with open_hub(settings(tmp_path / "data"), clock=SystemClock(), entropy=FakeEntropy()) as hub:

        def fail() -> bool:
            tries.release()
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(hub.certificate, "renew_if_due", fail)
        with caplog.at_level(logging.ERROR):
            async with listening(hub), asyncio.timeout(10.0):
                await tries.acquire()
                await tries.acquire()
    assert "certificate_not_renewed" in caplog.text


async def test_what_is_stored_at_the_end_is_acknowledged_before_the_sessions_end(tmp_path: Path) -> None:
    order: list[str] = []
    session = FakeSession(identity("press-7"))
    session.on_end = lambda: order.append("ended")
    async with open_hub(settings(tmp_path / "data"), clock=SystemClock(), entropy=FakeEntropy()) as hub:
        async with listening(hub):
            hub.sessions.enter(session, judged_at=hub.sessions.notices)
            for _ in range(2):
                hub.log.append(0, entries(1), lambda error: order.append(f"stored {error}"))
        assert order == ["stored None", "stored None", "ended"]


async def test_a_log_that_cannot_store_holds_up_no_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never() -> None:
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(module, "LAST_COMMIT", 0.001)
    session = FakeSession(identity("press-7"))
    async with open_hub(settings(tmp_path / "data"), clock=SystemClock(), entropy=FakeEntropy()) as hub:
        monkeypatch.setattr(hub.log, "committed", never)
        async with listening(hub):
            hub.sessions.enter(session, judged_at=hub.sessions.notices)
    assert len(session.ends) == 1


class LettingGo:
    """A listener whose peers let go once those of all the others have been told, too."""

    def __init__(self, everybody: asyncio.Barrier) -> None:
        self._everybody = everybody

    def stop_accepting(self) -> None:
        """Nobody comes."""

    async def close(self, grace: float) -> None:
        """Wait for the others."""
        async with asyncio.timeout(grace):
            await self._everybody.wait()


async def test_listeners_end_together_so_that_slow_peers_of_several_cost_the_time_of_one(tmp_path: Path) -> None:
    barrier = asyncio.Barrier(3)
    async with open_hub(settings(tmp_path / "data"), clock=SystemClock(), entropy=FakeEntropy()) as hub:
        await module._drain(hub, cast("list[Listener]", [LettingGo(barrier) for _ in range(3)]))


@pytest.fixture
def stopped_once_ready(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A hub that is told to end as soon as it is ready."""
    before = gc.get_threshold()

    def ready(*arguments: Any) -> None:
        original(*arguments)
        os.kill(os.getpid(), signal.SIGTERM)

    original = module._print_ready
    monkeypatch.setattr(module, "_print_ready", ready)
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.mark.usefixtures("stopped_once_ready")
def test_serve_ends_with_0_on_sigterm_and_prints_one_ready_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert module.serve(settings(tmp_path / "data")) == 0
    (line,) = capsys.readouterr().out.splitlines()
    said = json.loads(line)
    assert said["event"] == "ready"
    assert said["amqp"] > 0
    assert "amqp_plain" not in said
    assert Path(said["ca"]) == tmp_path / "data" / "pki" / "ca.pem"


@pytest.mark.usefixtures("stopped_once_ready")
def test_serve_waits_for_a_command_that_uses_the_directory_just_then(tmp_path: Path) -> None:
    """Whoever pastes `ironhub serve &` and the next command at once has both."""
    directory = DataDirectory(tmp_path / "data")
    directory.make()
    with ExitStack() as command:
        command.enter_context(directory.locked(SystemClock()))
        over = threading.Timer(0.2, command.close)
        over.start()
        assert module.serve(settings(directory.path)) == 0
        over.join()


@pytest.mark.usefixtures("stopped_once_ready")
def test_serve_waits_for_no_other_hub(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "data")
    directory.make()
    with directory.locked(SystemClock()):
        directory.announce(RunInfo(1, 1, 1, 1, 1, 1))
        with pytest.raises(DirectoryInUse):
            module.serve(settings(directory.path))


def test_connections_follow_the_file_descriptors_there_are(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 2048))
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: asked.append(pair))
    possible = module._affordable(10_000)
    assert 1000 < possible < 2048
    assert asked == [(2048, 2048)]
    assert "connections_limited" in caplog.text
