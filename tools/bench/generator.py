"""The load generators: C programs that hold connections and take commands (`load.c`, `rest.c`)."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from tools.bench.machine import cores


class LoadFailed(Exception):
    """The load generator gave up; the message says why."""


class Generator:
    """One running load generator; its connections are open from the beginning to the end."""

    def __init__(self, command: Sequence[str]) -> None:
        """Start it on its own core and wait until all connections are open. Raises LoadFailed."""
        self._child = subprocess.Popen(
            ["taskset", "-c", str(cores()[1]), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        try:
            self.opened = self._answer()
        except BaseException:
            self.close()
            raise

    def run(self, command: str) -> dict[str, Any]:
        """Run one command of the program and return its answer. Raises LoadFailed."""
        if self._child.stdin is None:
            raise ValueError("opened without a pipe")
        try:
            self._child.stdin.write(f"{command}\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            pass  # its last answer says why
        return self._answer()

    def close(self) -> None:
        """Close all connections, each with its DISCONNECT, and wait; a server that was killed is not waited for."""
        self._child.communicate()

    def __enter__(self) -> "Generator":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _answer(self) -> dict[str, Any]:
        if self._child.stdout is None:
            raise ValueError("opened without a pipe")
        line = self._child.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": f"it ended with {self._child.wait()}"}
        if "error" in answer:
            raise LoadFailed(answer["error"])
        return answer


class DeviceLoad(Generator):
    """Devices over MQTT or AMQP, and readers of events: `load.c`."""

    def __init__(
        self,
        program: Path,
        address: str,
        ca: Path,
        devices: Path,
        *,
        connections: int = 0,
        joined: bool = False,
        body: int = 100,
        tls: str = "1.3",
        parallel: int = 16,
        keep_session: bool = False,
        amqp: bool = False,
        readers: Path | None = None,
    ) -> None:
        """See `Generator`. `readers`: the file with those who read events, always over AMQP."""
        arguments = ["--host", address, "--ca", str(ca), "--devices", str(devices), "--tls", tls]
        arguments += ["--connections", str(connections), "--body", str(body), "--parallel", str(parallel)]
        arguments += ["--joined"] * joined + ["--keep-session"] * keep_session
        arguments += ["--amqp", "--port", "5671"] * amqp + ([] if readers is None else ["--readers", str(readers)])
        super().__init__([str(program), *arguments])


class RestLoad(Generator):
    """Clients over HTTPS: `rest.c`."""

    def __init__(self, program: Path, address: str, port: int, ca: Path, requests: Path, *, connections: int) -> None:
        """See `Generator`; `requests` is the file with what is sent."""
        arguments = ["--host", address, "--port", str(port), "--ca", str(ca), "--file", str(requests)]
        super().__init__([str(program), *arguments, "--connections", str(connections)])
