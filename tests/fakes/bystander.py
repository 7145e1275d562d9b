"""Somebody who only does their work while the hub is attacked, and the measure of what an attack leaves behind."""

import itertools
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
from tests.fakes.mqtt_packets import publish
from tests.fakes.raw_device import (
    MARK,
    PATIENCE,
    TlsStream,
    command_filter,
    connect_packet,
    dial,
    events_topic,
    http_request,
    online,
    policy_token,
    read_answer,
    shown_secrets,
)
from tests.fakes.running_hub import Registered, RunningHub

from ironhub.app.datadir import DataDirectory

STRANGER_TIMEOUT: Final = 4.0
"""Seconds the attacked hubs give a peer to identify itself."""
SETTLE_TIME: Final = 40.0
"""Seconds until nothing of an attack may be left: what it asked for and was allowed is still done first."""
PROMPT: Final = 8.0
"""Seconds in which each answer to the bystander must come: honest ones take milliseconds, but the machine is shared."""
_LOOKS_LIKE_A_SECRET: Final = re.compile(r"sig=[A-Za-z0-9%+/]{20}|SharedAccessKey=[A-Za-z0-9+/]{20}|PRIVATE KEY")

_numbers: Final = itertools.count(1)


def new_device(hub: RunningHub, name: str = "device", **fields: Any) -> Registered:
    """Register a device that no other test knows."""
    return hub.create_device(f"{name}-{next(_numbers)}", **fields)


class Level(NamedTuple):
    """What the hub holds at one instant."""

    sockets: int
    tasks: int
    connections: int
    unidentified: int


class Bystander:
    """A device that was connected before the attack, with telemetry, twin, commands and methods."""

    def __init__(self, hub: RunningHub, device_id: str = "bystander") -> None:
        self.hub = hub
        self.device = hub.create_device(device_id)
        self._newcomer = hub.create_device(f"{device_id}-newcomer")
        self.peer = dial(hub)
        self._numbers = 1
        self._owner = policy_token(hub, "iothubowner")
        assert self.peer.connack(connect_packet(hub, self.device)) == 0
        feeds = (command_filter(self.device), "$iothub/methods/POST/#", "$iothub/twin/res/#")
        assert self.peer.subscribe(*feeds) == b"\x01\x01\x01"

    def check(self) -> None:
        """Everything it can do, it does, on the connection it always had. Raises Gone, TimeoutError, AssertionError."""
        self._numbers = self._numbers % 60_000 + 1
        self.peer.ping(PROMPT)
        self.peer.publish(events_topic(self.device), MARK, packet_id=self._numbers, timeout=PROMPT)
        self.peer.send(publish(f"$iothub/twin/GET/?$rid={self._numbers}"))
        answer = self.peer.packet_of(3, PROMPT)
        assert answer.topic == f"$iothub/twin/res/200/?$rid={self._numbers}"
        self._answer_a_method()

    def newcomer(self, over: str = "mqtt") -> None:
        """A device that was not connected yet gets in and does its work, while the attack goes on."""
        with online(self.hub, self._newcomer, over) as peer:
            peer.publish(events_topic(self._newcomer), MARK, timeout=PROMPT)

    def close(self) -> None:
        """It has seen enough."""
        self.peer.close()

    def _answer_a_method(self) -> None:
        stream = TlsStream(self.hub.address, self.hub.ready["https"])
        try:
            body = b'{"methodName": "look", "payload": null, "responseTimeoutInSeconds": 10}'
            path = f"/twins/{self.device.device_id}/methods?api-version=2021-04-12"
            stream.send(http_request("POST", path, host=self.hub.address, token=self._owner, body=body))
            call = self.peer.packet_of(3, PROMPT)
            request_id = call.topic.partition("$rid=")[2]
            self.peer.send(publish(f"$iothub/methods/res/200/?$rid={request_id}", b'{"seen": true}'))
            answer = read_answer(stream, PROMPT)
            assert answer is not None
            assert answer.json == {"status": 200, "payload": {"seen": True}}
        finally:
            stream.close()


class Watch:
    """Measures a hub from outside: its sockets, tasks, memory and log."""

    def __init__(self, hub: RunningHub) -> None:
        self.hub = hub
        self._read = 0
        self._secrets = {DataDirectory(hub.data).admin_token()}

    def level(self) -> Level:
        """Return what the hub holds now, the question itself included."""
        text = httpx.get(f"http://127.0.0.1:{self.hub.ready['metrics']}/metrics", timeout=PATIENCE).text
        values = dict(re.findall(r"^(ironhub_[a-z]+(?:\{[^}]*\})?) ([0-9.]+)$", text, re.MULTILINE))
        return Level(
            sum(link.startswith("socket:") for link in self._descriptors()),
            int(float(values["ironhub_tasks"])),
            int(float(values['ironhub_connections{state="open"}'])),
            int(float(values['ironhub_connections{state="unidentified"}'])),
        )

    def settled(self) -> Level:
        """Return the level once it did not change over several looks."""
        seen = [self.level()]
        deadline = time.monotonic() + SETTLE_TIME
        while len(seen) < 5 or len(set(seen[-5:])) > 1:
            assert time.monotonic() < deadline, seen[-5:]
            seen.append(self.level())
        return seen[-1]

    def wait_for(self, what: Callable[[Level], bool], timeout: float = SETTLE_TIME) -> Level:
        """Return the first level of which `what` is true. Raises AssertionError after `timeout`."""
        deadline = time.monotonic() + timeout
        while not what(found := self.level()):
            assert time.monotonic() < deadline, f"after {timeout} s the hub still holds {found}"
        return found

    def falls_back_to(self, before: Level) -> None:
        """Wait until nothing of an attack is left. Raises AssertionError."""
        self.wait_for(lambda now: all(mine <= earlier for mine, earlier in zip(now, before, strict=True)))

    def memory(self) -> int:
        """Return the resident memory, bytes."""
        return self._status("VmRSS")

    def peak_memory(self) -> int:
        """Return the most resident memory since `forget_peak`, bytes."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        """Measure the peak from here on."""
        Path(f"/proc/{self.hub.pid}/clear_refs").write_text("5")

    def check_log(self) -> None:
        """Read what was logged since the last look: no secret, no payload, no error of ours. Raises AssertionError."""
        with self.hub.log_path.open(errors="replace") as file:
            file.seek(self._read)
            text = file.read()
            self._read = file.tell()
        found = {secret for secret in self._secrets | shown_secrets if secret in text}
        assert not found, f"the log repeats a secret: {found}"
        assert MARK.decode() not in text, "the log repeats a payload"
        assert not _LOOKS_LIKE_A_SECRET.search(text), text
        broken = [line for line in text.splitlines() if '"level": "error"' in line or "Traceback" in line]
        assert not broken, broken[:3]

    def _descriptors(self) -> list[str]:
        links = []
        for entry in Path(f"/proc/{self.hub.pid}/fd").iterdir():
            try:
                links.append(str(entry.readlink()))
            except FileNotFoundError:
                continue
        return links

    def _status(self, name: str) -> int:
        text = Path(f"/proc/{self.hub.pid}/status").read_text()
        return int(text.partition(f"{name}:")[2].split()[0]) * 1024
