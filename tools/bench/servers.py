"""The servers under test: each on a loopback address of its own, pinned to one core, ended by us alone."""

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, Protocol

from tools.bench.credentials import Pair, signed_by
from tools.bench.machine import cores

START_PATIENCE: Final = 60.0
STOP_PATIENCE: Final = 30.0
READER: Final = "bench-reader"
"""The durable subscriber that is away."""


class NotStarted(Exception):
    """A server did not get ready; the message shows the end of its log."""


class Server(Protocol):
    """A running server."""

    name: str
    address: str
    ca: Path

    @property
    def pid(self) -> int:
        """Its process."""

    def stop(self) -> None:
        """End it in its own way and wait."""

    def kill(self) -> None:
        """End it with SIGKILL and wait."""


class Process:
    """A child process on the server's core, its stderr in a file."""

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        with log.open("ab") as file:
            self._child = subprocess.Popen(
                ["taskset", "-c", str(cores()[0]), *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=file,
                env={**os.environ, **(environment or {})},
            )

    @property
    def pid(self) -> int:
        """Its process: taskset has become the server by the time it is ready."""
        return self._child.pid

    @property
    def stdout(self) -> IO[bytes]:
        """What it prints."""
        if self._child.stdout is None:
            raise ValueError("opened without a pipe")
        return self._child.stdout

    def stop(self) -> None:
        """SIGTERM; SIGKILL to one that does not listen."""
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(STOP_PATIENCE)
        self.kill()

    def kill(self) -> None:
        """SIGKILL."""
        if self._child.poll() is None:
            self._child.kill()
        self._child.wait()
        self.stdout.close()

    def require_running(self) -> None:
        """Raise NotStarted when it has ended."""
        if self._child.poll() is not None:
            raise NotStarted(f"it ended with {self._child.returncode}: {self.last_words()}")

    def last_words(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-500:].strip()


class HubServer:
    """This hub as installed, on a prepared data directory."""

    def __init__(
        self, data: Path, address: str, names: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        """Start it, answering to `names`, and wait for its ready line. Raises NotStarted."""
        self.name, self.address, self.data = "ironhub", address, data
        command = [sys.executable, "-m", "ironhub", "serve", "--data", str(data), "--bind", address]
        command += ["--admin-port", "0", "--metrics-port", "0"]
        command += [word for name in names for word in ("--hostname", name)]
        self._process = Process(command, data.with_name(f"{data.name}.log"), environment)
        try:
            ready = self._ready()
            self.ca, self.https = Path(ready["ca"]), int(ready["https"])
        except BaseException:
            self._process.kill()
            raise

    @property
    def pid(self) -> int:
        """See `Server`."""
        return self._process.pid

    def stop(self) -> None:
        """See `Server`."""
        self._process.stop()

    def kill(self) -> None:
        """See `Server`."""
        self._process.kill()

    def _ready(self) -> dict[str, str]:
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._process.stdout, selectors.EVENT_READ)
            waiting.select(START_PATIENCE)
        self._process.require_running()
        line = self._process.stdout.readline()
        if not line:
            raise NotStarted(f"no ready line: {self._process.last_words()}")
        ready: dict[str, str] = json.loads(line)
        return ready


class FloorServer:
    """`floor.py` under uvicorn."""

    https = 8443

    def __init__(self, directory: Path, address: str, authority: Pair) -> None:
        """Make its certificate and start it. Raises NotStarted."""
        self.name, self.address, self.ca = "FastAPI", address, directory / "ca.pem"
        directory.mkdir(parents=True)
        certificate, key = directory / "server.pem", directory / "server.key"
        issued = signed_by(authority, address, address)
        self.ca.write_bytes(authority.pem)
        certificate.write_bytes(issued.pem + authority.pem)
        key.touch(mode=0o600)
        key.write_bytes(issued.key_pem)
        command = [sys.executable, "-m", "uvicorn", "tools.bench.floor:app", "--host", address]
        command += ["--port", str(self.https), "--ssl-certfile", str(certificate), "--ssl-keyfile", str(key)]
        command += ["--timeout-keep-alive", "600"]  # it waits while the other's round runs
        self._process = Process([*command, "--no-access-log", "--log-level", "warning"], directory / "stderr.log")
        try:
            wait_for(self._process, address, self.https)
        except BaseException:
            self._process.kill()
            raise

    @property
    def pid(self) -> int:
        """See `Server`."""
        return self._process.pid

    def stop(self) -> None:
        """See `Server`."""
        self._process.stop()

    def kill(self) -> None:
        """See `Server`."""
        self._process.kill()


class MosquittoServer:
    """Debian's mosquitto: TLS, client certificates required, an ACL per device, persistence on."""

    def __init__(self, program: Path, directory: Path, address: str, authority: Pair) -> None:
        """Write its configuration, unless `directory` has one, and start it. Raises NotStarted."""
        self.name, self.address, self.directory = "mosquitto", address, directory
        self.ca = directory / "ca.pem"
        if not self.ca.exists():
            write_configuration(directory, address, authority)
        command = [str(program), "-c", str(directory / "mosquitto.conf")]
        self._process = Process(command, directory / "stderr.log")
        try:
            wait_for(self._process, address, 8883)
        except BaseException:
            self._process.kill()
            raise

    @property
    def pid(self) -> int:
        """See `Server`."""
        return self._process.pid

    def stop(self) -> None:
        """See `Server`."""
        self._process.stop()

    def kill(self) -> None:
        """See `Server`."""
        self._process.kill()


def wait_for(process: Process, address: str, port: int) -> None:
    ends_at = time.monotonic() + START_PATIENCE
    while time.monotonic() < ends_at:
        process.require_running()
        with suppress(OSError), socket.create_connection((address, port), timeout=1):
            return
        time.sleep(0.05)
    raise NotStarted(f"{address}:{port} does not answer: {process.last_words()}")


def write_configuration(directory: Path, address: str, authority: Pair) -> None:
    """Write what mosquitto needs into `directory`; everything not named here is its default."""
    directory.mkdir(parents=True)
    server = signed_by(authority, address, address)
    (directory / "ca.pem").write_bytes(authority.pem)
    (directory / "server.pem").write_bytes(server.pem + authority.pem)
    key = directory / "server.key"
    key.touch(mode=0o600)
    key.write_bytes(server.key_pem)
    (directory / "acl").write_text(acl())
    (directory / "mosquitto.conf").write_text(configuration(directory, address))


def acl() -> str:
    """Each device may write below its own name, as at the hub; the reader may read all."""
    return f"user {READER}\ntopic read #\n\npattern write devices/%u/messages/events/#\n"


def configuration(directory: Path, address: str) -> str:
    """`max_queued_messages 0`: every message is kept for the subscriber that is away."""
    lines = [
        f"listener 8883 {address}",
        f"cafile {directory}/ca.pem",
        f"certfile {directory}/server.pem",
        f"keyfile {directory}/server.key",
        "require_certificate true",
        "use_identity_as_username true",
        f"acl_file {directory}/acl",
        "persistence true",
        f"persistence_location {directory}/",
        "max_queued_messages 0",
        f"log_dest file {directory}/mosquitto.log",
        *(["user root"] if os.geteuid() == 0 else []),
    ]
    return "\n".join(lines) + "\n"
