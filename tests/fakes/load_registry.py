"""Operators at work: they make, tag, disable and delete devices, send commands, read feedback, and note the answers.

Whatever was answered with success must hold for ever; what was answered otherwise, or not at all, is in doubt: it may
have been stored or not, and nobody touches its device again.
"""

import asyncio
import ssl
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import httpx
from tests.fakes.load_devices import Record
from tests.fakes.running_hub import RunningHub

from ironhub.app.datadir import DataDirectory

RETRY: Final = 0.05
"""Seconds an operator waits after a failure."""
MAX_OPEN: Final = 10
"""Commands that may wait at one device: fewer than one connection is handed at a time."""
CREATE, TAG, DISABLE, DELETE = "create", "tag", "disable", "delete"


class View(NamedTuple):
    """What can be seen of a made device. Not there: all False."""

    exists: bool
    enabled: bool
    tagged: bool


@dataclass
class Made:
    """A device that an operator made, and what was done to it."""

    device_id: str
    done: list[str] = field(default_factory=list)
    """Steps that were answered with success."""
    doubt: str | None = None
    """The step whose outcome is not known."""

    def possible(self) -> set[View]:
        """What may be seen of it."""
        views = {_view(self.done)}
        return views if self.doubt is None else {*views, _view([*self.done, self.doubt])}


@dataclass
class Ledger:
    """What the operators did, and what the hub answered."""

    made: dict[str, Made] = field(default_factory=dict)
    sent: dict[str, str] = field(default_factory=dict)
    """Commands that were accepted: message id → device id."""
    doubtful: set[str] = field(default_factory=set)
    """Commands of which nobody knows."""
    completed: Counter[str] = field(default_factory=Counter)
    """How many feedback records of success were read, by message id."""
    feedback_read: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    """Answers by status and code of the error."""

    @property
    def changes(self) -> int:
        """Changes that were answered with success."""
        return sum(len(made.done) for made in self.made.values()) + len(self.sent)


class Operator:
    """One operator; `run` goes on until cancelled."""

    def __init__(self, name: str, hub: RunningHub, ledger: Ledger, devices: Sequence[Record]) -> None:
        self._name = name
        self._hub = hub
        self._ledger = ledger
        self._devices = devices
        self._count = 0

    async def run(self) -> None:
        """Work through devices and commands, one request at a time."""
        token = DataDirectory(self._hub.data).admin_token()
        client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}"},
            verify=ssl.create_default_context(cafile=str(self._hub.ca_path)),
            timeout=30.0,
        )
        async with aclosing(client):
            while True:
                await self._life_of_a_device(client)
                await self._command(client)
                await self._feedback(client)

    async def _life_of_a_device(self, client: httpx.AsyncClient) -> None:
        self._count += 1
        made = Made(f"made-{self._name}-{self._count}")
        self._ledger.made[made.device_id] = made
        for step, method, path, body in _requests(made.device_id, self._count):
            made.doubt = step
            if await self._ask(client, method, path, body) is None:
                return
            made.done.append(step)
            made.doubt = None

    async def _command(self, client: httpx.AsyncClient) -> None:
        record = self._devices[self._count % len(self._devices)]
        device_id = record.device.device_id
        if sum(each == device_id for each in self._ledger.sent.values()) - len(record.settled) >= MAX_OPEN:
            return
        message_id = f"{self._name}-{self._count}"
        self._ledger.doubtful.add(message_id)
        body = {"body": "stop", "message_id": message_id, "ack": "full"}
        if await self._ask(client, "POST", f"/devices/{device_id}/commands", body) is not None:
            self._ledger.sent[message_id] = device_id
            self._ledger.doubtful.discard(message_id)

    async def _feedback(self, client: httpx.AsyncClient) -> None:
        """Only the first operator reads it."""
        ledger = self._ledger
        if self._name != "0":
            return
        path = f"/feedback?after={ledger.feedback_read}&limit=1000"
        answer = await self._ask(client, "GET", path, None)
        for told in answer["feedback"] if answer else ():
            ledger.feedback_read = max(ledger.feedback_read, told["record_id"])
            if told["outcome"] == "success":
                ledger.completed[told["message_id"]] += 1

    async def _ask(self, client: httpx.AsyncClient, method: str, path: str, body: Any) -> Any:
        """Return the answer, None unless it is a success."""
        try:
            url = f"https://127.0.0.1:{self._hub.ready['admin']}/api/v1{path}"  # the port changes with a restart
            answer = await client.request(method, url, json=body)
        except httpx.TransportError as error:
            self._ledger.answers[type(error).__name__] += 1
            await asyncio.sleep(RETRY)
            return None
        if answer.is_success:
            self._ledger.answers[str(answer.status_code)] += 1
            return answer.json() if answer.content else {}
        self._ledger.answers[f"{answer.status_code} {answer.json()['error']['code']}"] += 1
        await asyncio.sleep(RETRY)
        return None


def _requests(device_id: str, number: int) -> Iterator[tuple[str, str, str, Any]]:
    yield CREATE, "POST", "/devices", {"device_id": device_id}
    yield TAG, "PATCH", f"/twins/{device_id}", {"tags": {"number": number}, "desired": {"number": number}}
    if number % 2 == 0:
        yield DISABLE, "PATCH", f"/devices/{device_id}", {"status": "disabled"}
    if number % 3 == 0:
        yield DELETE, "DELETE", f"/devices/{device_id}", None


def _view(steps: Sequence[str]) -> View:
    if CREATE not in steps or DELETE in steps:
        return View(False, False, False)
    return View(True, DISABLE not in steps, TAG in steps)
