"""A device or module in a Node process, with Microsoft's unmodified SDK, over any of its transports."""

import queue
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from tests.e2e.node_process import NodeProcess
from tests.e2e.python_client import new_id
from tests.fakes.pki import FakeCertificate
from tests.fakes.running_hub import Registered, RunningHub

NASTY: Final = {
    "a b": "c/d=e&f%+",
    "leer": "",
    "%41": "%2F%",
    "#+/": "devices/other/#",
    "ключ": "значение \N{SNOWMAN}\N{GRINNING FACE}",
    "!'()*": "!'()*",
}
"""Names and values of properties that are hard to carry."""


class NodeClient:
    """One device or module in a Node process."""

    def __init__(self, process: NodeProcess, handle: str) -> None:
        self._process = process
        self.handle = handle
        self.messages = process.events(handle, "message")
        self.settled = process.events(handle, "settled")
        self.desired = process.events(handle, "desired")
        self.connects = process.events(handle, "connect")
        self.disconnects = process.events(handle, "disconnect")
        self.tokens = process.events(handle, "token")

    def ask(self, action: str, **arguments: Any) -> Any:
        """As NodeProcess.ask, of this client."""
        return self._process.ask(action, handle=self.handle, **arguments)

    def send(self, body: bytes, properties: dict[str, str] | None = None, **arguments: Any) -> None:
        """Send telemetry; `fields` as the SDK names them."""
        given = {"data": b64encode(body).decode(), "properties": list((properties or {}).items()), "fields": {}}
        self.ask("send", **(given | arguments))


@contextmanager
def opened(
    process: NodeProcess,
    hub: RunningHub,
    registered: Registered,
    transport: str,
    certificate: FakeCertificate | None = None,
    **more: Any,
) -> Iterator[NodeClient]:
    """A connected client, closed at the end; `more` options as the SDK names them."""
    client = NodeClient(process, new_id("client"))
    options = {"ca": hub.ca_pem, **more}
    if certificate is not None:
        options |= {"cert": certificate.chain_pem.decode(), "key": certificate.key_pem.decode()}
    client.ask(
        "open",
        connectionString=registered.connection_string,
        transport=transport,
        module=registered.module_id is not None,
        options=options,
    )
    try:
        yield client
    finally:
        client.ask("close")


def follows(hub: RunningHub, device: Registered, client: NodeClient, mark: str) -> None:
    """A desired property must reach the device; the SDK does not say when it listens, so it is set until it does."""

    def told() -> bool:
        hub.call("PATCH", f"/twins/{device.device_id}", json={"desired": {"mark": mark}})
        with suppress(queue.Empty):
            while client.desired.get(timeout=0.5).get("mark") != mark:
                pass
            return True
        return False

    hub.wait_for(told)
