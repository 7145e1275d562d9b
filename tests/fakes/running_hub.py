"""A real hub in a process of its own, on a loopback address of its own, so that several can run side by side.

The vendor's SDKs dial 8883 and 443 whatever they are told; the whole of 127.0.0.0/8 is loopback, so each hub gets an
address with all its ports free instead of a share of one.
"""

import itertools
import json
import os
import signal
import ssl
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx

import ironhub
from ironhub.app.datadir import DataDirectory

T = TypeVar("T")

START_TIMEOUT: Final = 30.0
STOP_TIMEOUT: Final = 30.0

PACKAGES: Final = Path(ironhub.__file__).parents[1]
"""Where this process has Ironhub from, the source tree or an installation: its hubs come from there too."""

_numbers: Final = itertools.count(1)


def own_address() -> str:
    """Return a loopback address that no other test uses, in this process or in another one on this machine."""
    process = os.getpid() % 50_000
    return f"127.{20 + process // 250}.{process % 250}.{next(_numbers)}"


def hub_environment(**more: str) -> dict[str, str]:
    """Return the environment for a process that runs the same Ironhub as this one."""
    environment = {**os.environ, **more}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of short processes: compile once
    if PACKAGES not in map(Path, sysconfig.get_paths().values()):
        paths = [str(PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment["PYTHONPATH"] = os.pathsep.join(paths)
    return environment


@dataclass(frozen=True)
class Registered:
    """A device or module as the tests know it."""

    device_id: str
    module_id: str | None
    connection_string: str
    primary_key: str
    """Base64; empty when it has none."""


class HubFailed(Exception):
    """The hub process did not do what it should."""


class RunningHub:
    """Start, stop, kill and restart one hub, and reach its admin API."""

    def __init__(
        self, data: Path, *, address: str | None = None, arguments: Sequence[str] = (), **environment: str
    ) -> None:
        self.data = data
        self.address = address or own_address()
        self._arguments = arguments
        self._environment = environment
        self._process: subprocess.Popen[str] | None = None
        self.ready: dict[str, Any] = {}
        self.log_path = data.with_suffix(".log")

    @property
    def command(self) -> list[str]:
        """The command line of the hub."""
        ports = ["--admin-port", "0", "--metrics-port", "0"]
        where = ["--data", str(self.data), "--bind", self.address, "--hostname", self.address]
        return [sys.executable, "-m", "ironhub", "serve", *where, *ports, *self._arguments]

    def start(self, prefix: Sequence[str] = ()) -> "RunningHub":
        """Start it and wait for its ready line; `prefix` may hold a wrapper such as strace."""
        environment = hub_environment(**self._environment)
        with self.log_path.open("a") as log:
            self._process = subprocess.Popen(
                [*prefix, *self.command], stdout=subprocess.PIPE, stderr=log, text=True, env=environment
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            code = self._reap(START_TIMEOUT)
            raise HubFailed(f"exit {code}: {self.log_path.read_text()[-2000:]}")
        self.ready = json.loads(line)
        return self

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> int:
        """SIGTERM, and wait; returns the exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """SIGKILL, and wait."""
        return self._end(signal.SIGKILL)

    def wait(self, timeout: float = STOP_TIMEOUT) -> int:
        """Wait until it ends by itself; returns the exit code."""
        return self._reap(timeout)

    def restart(self) -> None:
        """Stop it in order and start it again."""
        code = self.stop()
        if code != 0:
            raise HubFailed(f"exit {code}: {self.log_path.read_text()[-2000:]}")
        self.start()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def ca_path(self) -> Path:
        """Where the certificate lies that clients must trust."""
        return self.data / "pki" / "ca.pem"

    @property
    def ca_pem(self) -> str:
        """The certificate that clients must trust."""
        return self.ca_path.read_text()

    @property
    def log(self) -> str:
        """All that the hub logged."""
        return self.log_path.read_text()

    @contextmanager
    def admin(self) -> Iterator[httpx.Client]:
        """A client of the admin API with the operator's token."""
        token = DataDirectory(self.data).admin_token()
        with httpx.Client(
            base_url=f"https://127.0.0.1:{self.ready['admin']}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            verify=ssl.create_default_context(cafile=str(self.ca_path)),
            timeout=30.0,
        ) as client:
            yield client

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        """Call the admin API; returns the JSON of its answer (None: no body). Raises HubFailed on an error."""
        with self.admin() as admin:
            answer = admin.request(method, path, **arguments)
        if answer.is_error:
            raise HubFailed(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def create_device(self, device_id: str, **fields: Any) -> Registered:
        """Register a device; `auth` and the rest as the admin API takes them."""
        self.call("POST", "/devices", json={"device_id": device_id, **fields})
        return self.registered(device_id)

    def create_module(self, device_id: str, module_id: str, **fields: Any) -> Registered:
        """Register a module."""
        self.call("POST", f"/devices/{device_id}/modules", json={"module_id": module_id, **fields})
        return self.registered(device_id, module_id)

    def registered(self, device_id: str, module_id: str | None = None) -> Registered:
        """Return what a test needs of a device or module that is registered."""
        names = {"device": device_id} | ({} if module_id is None else {"module": module_id})
        text = self.connection_string(**names)
        key = dict(part.split("=", 1) for part in text.split(";")).get("SharedAccessKey", "")
        return Registered(device_id, module_id, text, key)

    def connection_string(self, **query: str) -> str:
        """Return a connection string for `policy=`, or `device=` with or without `module=`, at this hub's address."""
        answer = self.call("GET", "/connection-string", params={"host": self.address, **query})
        text: str = answer["connection_string"]
        return text

    def events(self, *, count: int, timeout: float = 20.0, **query: str) -> list[dict[str, Any]]:
        """Return `count` events from the beginning of the log on, or fewer after `timeout` seconds."""
        params: Mapping[str, Any] = {"from": "earliest", "count": count, "timeout": timeout, **query}
        with self.admin() as admin, admin.stream("GET", "/events", params=params, timeout=timeout + 10) as answer:
            return [json.loads(line) for line in answer.iter_lines() if line]

    def wait_for(self, look: Callable[[], T], timeout: float = 20.0) -> T:
        """Look until what is seen is true, or `timeout` seconds are over; returns what was seen last."""
        deadline = time.monotonic() + timeout
        while not (seen := look()) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert seen, f"not within {timeout} s; the hub's log ends with: {self.log[-2000:]}"
        return seen

    def _end(self, number: signal.Signals) -> int:
        process = self._process
        assert process is not None
        if process.poll() is None:
            process.send_signal(number)
        return self._reap(STOP_TIMEOUT)

    def _reap(self, timeout: float) -> int:
        process = self._process
        assert process is not None
        code = process.wait(timeout)
        if process.stdout is not None:
            process.stdout.close()
        return code
