"""Promise 1 over HTTPS: what was answered with 204 is there after SIGKILL, once and in order; a batch whole or not."""

import json
import ssl
import threading
from base64 import b64encode
from collections import Counter
from functools import partial
from typing import Final

import httpx
import pytest
from tests.durability.conftest import MakeHub
from tests.durability.form import FULL
from tests.fakes.raw_device import token_for
from tests.fakes.running_hub import Registered, RunningHub

KILLS: Final = 20 if FULL else 2
ENOUGH: Final = 40
"""Requests of all devices that were answered before a kill."""
BATCH: Final = {"Content-Type": "application/vnd.microsoft.iothub.json"}
BATCH_SIZE: Final = 7
JSON: Final = {"iothub-contenttype": "application/json"}


class Sender:
    """A device that sends numbers, one or seven at a time, until its connection breaks."""

    def __init__(self, hub: RunningHub, device: Registered) -> None:
        self.hub, self.device = hub, device
        self.sent = 0
        self.acked: list[int] = []
        self.answers = 0
        self.unexpected: list[int] = []

    def run(self) -> None:
        """Send."""
        context = ssl.create_default_context(cafile=str(self.hub.ca_path))
        base = f"https://{self.hub.address}:{self.hub.ready['https']}"
        token = {"Authorization": token_for(self.hub, self.device)}
        try:
            with httpx.Client(base_url=base, headers=token, verify=context, timeout=20.0) as client:
                while True:
                    self._send(client, 1 if self.answers % 2 else BATCH_SIZE)
        except httpx.TransportError:
            return

    def _send(self, client: httpx.Client, count: int) -> None:
        numbers = list(range(self.sent, self.sent + count))
        self.sent += count
        texts = [json.dumps({"n": number, "of": numbers[0]}) for number in numbers]
        path = f"/devices/{self.device.device_id}/messages/events"
        if count == 1:
            answer = client.post(path, content=texts[0], headers=JSON)
        else:
            items = [{"body": b64encode(text.encode()).decode(), "properties": JSON} for text in texts]
            answer = client.post(path, content=json.dumps(items), headers=BATCH)
        if answer.status_code == 204:
            self.acked += numbers
            self.answers += 1
        else:
            self.unexpected.append(answer.status_code)


def stored(hub: RunningHub, device: Registered) -> list[dict[str, int]]:
    """What the log holds of a device."""
    params = {"from": "earliest", "follow": "false", "device": device.device_id}
    with hub.admin() as admin, admin.stream("GET", "/events", params=params) as answer:
        return [json.loads(line)["body"] for line in answer.iter_lines() if line]


def has_answered(senders: list[Sender], enough: int) -> bool:
    """Whether all of them together got so many answers."""
    return sum(sender.answers for sender in senders) >= enough


def check(hub: RunningHub, sender: Sender) -> None:
    """Everything answered is there once, in order; nothing else but what was sent; batches whole. Raises."""
    bodies = stored(hub, sender.device)
    numbers = [body["n"] for body in bodies]
    assert sender.unexpected == []
    assert numbers == sorted(set(numbers))
    assert set(sender.acked) <= set(numbers)
    assert numbers[-1] < sender.sent
    assert set(Counter(body["of"] for body in bodies).values()) <= {1, BATCH_SIZE}


@pytest.mark.timeout(3600 if FULL else 120)
def test_what_was_answered_over_https_survives_sigkill(make_hub: MakeHub) -> None:
    hub = make_hub().start()
    senders = [Sender(hub, hub.create_device(f"press-{number}")) for number in range(3)]
    enough = 0
    for _ in range(KILLS):
        enough += ENOUGH
        threads = [threading.Thread(target=sender.run) for sender in senders]
        for thread in threads:
            thread.start()
        hub.wait_for(partial(has_answered, senders, enough))
        hub.kill()
        for thread in threads:
            thread.join(30.0)
            assert not thread.is_alive()
        hub.start()
        for sender in senders:
            check(hub, sender)
    assert hub.stop() == 0
