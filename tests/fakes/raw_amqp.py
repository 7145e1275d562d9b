"""An AMQP peer that may say anything: `AmqpClient` keeps the numbers, everything else is up to the test."""

import base64
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from tests.fakes.amqp_client import AmqpClient, ClientLink, Received, correlation_of, statuses
from tests.fakes.raw_device import (
    PATIENCE,
    RESET,
    Gone,
    Stream,
    TlsStream,
    WebSocketStream,
    remembered,
    token_for,
)
from tests.fakes.running_hub import Registered, RunningHub

from ironhub.identity.sas import make_sas_token
from ironhub.wire.amqp import encode
from ironhub.wire.amqp.frames import encode_frame
from ironhub.wire.amqp.values import Value

_PIECE: Final = 60_000
"""Bytes of a message in one frame: what the hub announces, less some."""


class RawAmqp:
    """One connection. `client` says and hears AMQP; `send` says anything."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.client = AmqpClient(self.send)
        self.heard = 0
        """Bytes that came."""

    def send(self, *data: bytes) -> None:
        """Send all; a connection that is gone meanwhile is no error: `is_closed` tells."""
        with suppress(*RESET):
            self.stream.send(b"".join(data))

    def frame(self, body: bytes, *, channel: int = 0, kind: int = 0) -> None:
        """Send one frame with any body."""
        self.send(encode_frame(kind, channel, body))

    def until(self, seen: Callable[[], object], timeout: float = PATIENCE) -> None:
        """Hear until `seen()` is true. Raises Gone, TimeoutError."""
        deadline = time.monotonic() + timeout
        while not seen():
            self._hear(deadline)

    def is_closed(self, timeout: float = PATIENCE) -> bool:
        """Tell whether the hub ends the connection within `timeout`; what still comes is heard."""
        try:
            self.until(lambda: False, timeout)
        except Gone:
            return True
        except TimeoutError:
            pass
        return False

    def is_open(self) -> bool:
        """Tell whether the hub still answers: it begins and ends a session on the last channel."""
        try:
            self.client.begin(255)
            self.until(lambda: 255 in self.client.begun)
            self.client.end(255)
            self.until(lambda: 255 in self.client.ended)
        except (Gone, TimeoutError):
            return False
        del self.client.begun[255], self.client.ended[255]
        return True

    def greet(self) -> None:
        """OPEN and BEGIN without a security layer, and both links of `$cbs`."""
        self.client.open()
        self.client.cbs(credit=100_000)
        self.until(lambda: self._requests.credit > 0)

    def put_token(self, token: str, *, message_id: bytes = b"", audience: str = "") -> Value:
        """Put a token and return the status code of the answer. Raises Gone, TimeoutError."""
        requests, replies = self.client.links[:2]
        self.until(lambda: requests.credit > 0)
        self.client.put_token(requests, token, message_id=message_id, audience=audience)
        self.until(lambda: replies.messages)
        assert correlation_of(replies.messages[0]) == (message_id or encode.string("1"))
        return statuses(replies)[0]

    def answered(self, link: ClientLink, timeout: float = PATIENCE) -> str:
        """Return "" when the hub opens the link, or the condition of its refusal. Raises Gone, TimeoutError."""
        self.until(lambda: link.attached is not None, timeout)
        if not link.is_open:
            self.until(lambda: link.detached is not None, timeout)
        return link.refusal

    def sends(self, link: ClientLink, payload: bytes, timeout: float = PATIENCE) -> int:
        """Send a message and return what became of it: the code of its outcome. Raises Gone, TimeoutError."""
        self.until(lambda: link.credit > 0, timeout)
        number = self.client.transfer(link, payload, pieces=1 + len(payload) // _PIECE)
        self.until(lambda: number in link.states, timeout)
        state = link.states[number]
        return -1 if state is None else state.kind

    def receives(self, link: ClientLink, timeout: float = PATIENCE) -> Received:
        """Return the next message of a link. Raises Gone, TimeoutError."""
        self.until(lambda: link.messages, timeout)
        return link.messages.pop(0)

    def close(self) -> None:
        """Cut the connection."""
        self.stream.close()

    def __enter__(self) -> "RawAmqp":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _requests(self) -> ClientLink:
        return self.client.links[0]

    def _hear(self, deadline: float) -> None:
        if time.monotonic() > deadline:
            raise TimeoutError
        try:
            data = self.stream.receive(deadline)
        except TimeoutError:
            raise
        except RESET as error:
            raise Gone(str(error)) from error
        if not data:
            raise Gone("the hub closed")
        self.heard += len(data)
        self.client.hear(data)


def dial_amqp(hub: RunningHub, over: str = "amqp", context: ssl.SSLContext | None = None) -> RawAmqp:
    """Return a peer that has shaken hands and said nothing, over "amqp" or "websocket". Raises what RESET names."""
    if over == "amqp":
        return RawAmqp(TlsStream(hub.address, hub.ready["amqp"], context))
    return RawAmqp(WebSocketStream(hub.address, hub.ready["https"], context, protocol="AMQPWSB10"))


@contextmanager
def shown(hub: RunningHub, *tokens: str, over: str = "amqp") -> Iterator[RawAmqp]:
    """A peer that has put these tokens."""
    with dial_amqp(hub, over) as peer:
        peer.greet()
        for token in tokens:
            assert peer.put_token(token) == 200
        yield peer


@contextmanager
def amqp_device(hub: RunningHub, device: Registered, over: str = "amqp") -> Iterator[RawAmqp]:
    """A peer that has put the device's token."""
    with shown(hub, token_for(hub, device), over=over) as peer:
        yield peer


def stream_token(hub: RunningHub, policy: str = "service", *, path: str = "events", ends_in: float = 3600) -> str:
    """Return a reader's token of `policy` for the Event Hubs-compatible endpoint."""
    text = hub.connection_string(policy=policy)
    key = base64.b64decode(dict(part.split("=", 1) for part in text.split(";"))["SharedAccessKey"])
    audience = f"sb://{hub.address}/{path}"
    return remembered(key, make_sas_token(audience, key, int(time.time() + ends_in), policy))


def telemetry_address(device: Registered) -> str:
    """Where a device or module sends."""
    return f"{_base(device)}/messages/events"


def commands_address(device: Registered) -> str:
    """Where a device receives."""
    return f"{_base(device)}/messages/devicebound"


def device_addresses(device: Registered) -> Sequence[tuple[str, bool]]:
    """Return all addresses of a device, and whether the client sends there."""
    base = _base(device)
    return [
        (f"{base}/messages/events", True),
        (f"{base}/messages/devicebound", False),
        (f"{base}/methods/devicebound", True),
        (f"{base}/methods/devicebound", False),
        (f"{base}/twin", True),
        (f"{base}/twin", False),
    ]


def partition_address(partition: int | str, group: str = "$Default") -> str:
    """Where events are read."""
    return f"events/ConsumerGroups/{group}/Partitions/{partition}"


def _base(device: Registered) -> str:
    inside = f"/modules/{device.module_id}" if device.module_id else ""
    return f"/devices/{device.device_id}{inside}"
