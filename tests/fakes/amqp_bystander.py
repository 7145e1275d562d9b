"""Somebody who only does their work over AMQP, beside the one over MQTT: a device, and a back end that reads events."""

import itertools
from typing import Final

from tests.fakes.amqp_client import ClientLink, filtered_source, message, selector
from tests.fakes.bystander import PROMPT, Bystander
from tests.fakes.raw_amqp import (
    amqp_device,
    commands_address,
    dial_amqp,
    partition_address,
    stream_token,
    telemetry_address,
)
from tests.fakes.raw_device import MARK, send_command, token_for
from tests.fakes.running_hub import RunningHub

from ironhub.wire.amqp.outcomes import ACCEPTED

PARTITIONS: Final = 4


class AmqpBystander(Bystander):
    """Over MQTT all that a `Bystander` does; over AMQP telemetry, commands, and reading what it sent."""

    def __init__(self, hub: RunningHub, device_id: str = "bystander") -> None:
        super().__init__(hub, device_id)
        self._sender = hub.create_device(f"{device_id}-over-amqp")
        self._counter = itertools.count(1)
        self._connect_device()
        self._connect_reader()

    def check(self) -> None:
        """See `Bystander`; and on the connections it always had, what it sends over AMQP is accepted and read."""
        super().check()
        body = MARK + b"%d" % next(self._counter)
        assert self._line.sends(self._telemetry, message(body), PROMPT) == ACCEPTED
        self._backend.client.heartbeat()
        while not self._read(body):
            self._backend.until(lambda: any(link.messages for link in self._partitions), PROMPT)
        self._take_a_command(body)

    def newcomer(self, over: str = "mqtt") -> None:
        """See `Bystander`; another one comes over AMQP."""
        super().newcomer(over)
        with amqp_device(self.hub, self._newcomer, {"mqtt": "amqp"}.get(over, over)) as peer:
            link = peer.client.sender(telemetry_address(self._newcomer))
            assert peer.sends(link, message(MARK), PROMPT) == ACCEPTED

    def close(self) -> None:
        """See `Bystander`."""
        super().close()
        self._line.close()
        self._backend.close()

    def _connect_device(self) -> None:
        self._line = dial_amqp(self.hub)
        self._line.greet()
        assert self._line.put_token(token_for(self.hub, self._sender)) == 200
        self._telemetry = self._line.client.sender(telemetry_address(self._sender))
        self._commands = self._line.client.receiver(commands_address(self._sender))
        assert self._line.answered(self._telemetry) == self._line.answered(self._commands) == ""

    def _connect_reader(self) -> None:
        self._backend = dial_amqp(self.hub, "websocket")
        self._backend.greet()
        assert self._backend.put_token(stream_token(self.hub)) == 200
        latest = [selector("amqp.annotation.x-opt-offset > '@latest'")]
        self._partitions: list[ClientLink] = []
        for number in range(PARTITIONS):
            address = partition_address(number)
            terminus = filtered_source(address, latest)
            self._partitions.append(self._backend.client.receiver(address, terminus=terminus, credit=1_000_000))
        for link in self._partitions:
            assert self._backend.answered(link) == ""

    def _read(self, body: bytes) -> bool:
        """Tell whether `body` was among what came since the last look."""
        return body in [found.body for link in self._partitions for found in link.take()]

    def _take_a_command(self, body: bytes) -> None:
        send_command(self.hub, self._sender, body)
        found = self._line.receives(self._commands, PROMPT)
        assert found.body == body
        self._line.client.dispose(self._commands, found.delivery_id)
