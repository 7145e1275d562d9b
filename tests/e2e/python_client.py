"""Microsoft's unmodified Python device SDK, its synchronous and its asyncio clients behind one blocking face."""

import asyncio
import queue
import threading
import uuid
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import azure.iot.device
import azure.iot.device.aio
import pytest
from azure.iot.device import X509, Message, MethodResponse
from azure.iot.device.exceptions import NoConnectionError
from tests.fakes.pki import FakeCertificate
from tests.fakes.running_hub import RunningHub

PATIENCE: Final = 20.0
"""Seconds until a test stops to wait for what should happen at once."""

Answer = tuple[int, Any]
"""Status and payload of a direct method's answer."""
Run = Callable[[Any], Any]


def new_id(name: str) -> str:
    """An id that no other test uses."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


def new_message(body: bytes | str, *, properties: dict[str, str] | None = None, **fields: Any) -> Message:
    """Return a message; `fields` are attributes as the SDK names them."""
    message = Message(body)  # type: ignore[no-untyped-call]  # the vendor's constructor has no types
    for name, value in fields.items():
        setattr(message, name, value)
    message.custom_properties.update(properties or {})
    return message


class PythonClient:
    """One device or module. What the hub sends it waits in queues until a test takes it."""

    def __init__(self, raw: Any, run: Run, *, aio: bool) -> None:
        self.raw = raw
        """The vendor's client."""
        self.run = run
        """Calls of the vendor's client go through this: it waits for them where they are coroutines."""
        self._aio = aio
        self.connections: queue.Queue[bool] = queue.Queue()
        """True or false whenever the connection comes or goes."""
        self.raw.on_connection_state_change = self._handler(lambda: self.connections.put(self.raw.connected))

    def connect(self) -> None:
        """Connect; raises what the SDK raises."""
        self.run(self.raw.connect())

    def disconnect(self) -> None:
        """Disconnect in order."""
        self.run(self.raw.disconnect())

    def send(self, message: Message | str) -> None:
        """Send telemetry and wait until the hub has stored it."""
        self.run(self.raw.send_message(message))

    def twin(self) -> dict[str, Any]:
        """Return the device's own twin."""
        twin: dict[str, Any] = self.run(self.raw.get_twin())
        return twin

    def report(self, patch: Any) -> None:
        """Merge into the reported properties."""
        self.run(self.raw.patch_twin_reported_properties(patch))

    def messages(self) -> "queue.Queue[Message]":
        """Listen for commands."""
        received: queue.Queue[Message] = queue.Queue()
        self.raw.on_message_received = self._handler(received.put)
        return received

    def desired(self) -> "queue.Queue[dict[str, Any]]":
        """Listen for changes of desired properties."""
        received: queue.Queue[dict[str, Any]] = queue.Queue()
        self.raw.on_twin_desired_properties_patch_received = self._handler(received.put)
        return received

    def answer_methods(self, answer: Callable[[str, Any], Answer]) -> None:
        """Answer each direct method with the status and payload that `answer(name, payload)` returns."""

        def respond(request: Any) -> Any:
            status, payload = answer(request.name, request.payload)
            return self.raw.send_method_response(MethodResponse(request.request_id, status, payload))

        self.raw.on_method_request_received = self._handler(respond)

    def wait_connected(self, wanted: bool, timeout: float = PATIENCE) -> None:
        """Wait until the SDK says that its connection came (or went). Raises queue.Empty."""
        while self.connections.get(timeout=timeout) is not wanted:
            pass

    def _handler(self, handle: Callable[..., Any]) -> Callable[..., Any]:
        if not self._aio:
            return handle

        async def handle_soon(*arguments: Any) -> None:
            result = handle(*arguments)
            if asyncio.iscoroutine(result):
                await result

        return handle_soon


@dataclass(frozen=True)
class Kind:
    """Which of the SDK's clients, over which transport."""

    aio: bool = False
    websockets: bool = False

    def __str__(self) -> str:
        return f"{'aio' if self.aio else 'sync'}-{'websocket' if self.websockets else 'mqtt'}"

    @contextmanager
    def device(self, hub: RunningHub, connection_string: str, **options: Any) -> Iterator[PythonClient]:
        """A device client, not yet connected, shut down at the end."""
        with self._client("IoTHubDeviceClient", hub, connection_string, options) as client:
            yield client

    @contextmanager
    def module(self, hub: RunningHub, connection_string: str, **options: Any) -> Iterator[PythonClient]:
        """A module client, not yet connected, shut down at the end."""
        with self._client("IoTHubModuleClient", hub, connection_string, options) as client:
            yield client

    @contextmanager
    def with_certificate(
        self, hub: RunningHub, device_id: str, certificate: FakeCertificate, place: Path, **options: Any
    ) -> Iterator[PythonClient]:
        """A client that shows its certificate and the intermediates above it; with `module_id`, a module's."""
        (place / "device.pem").write_bytes(certificate.chain_pem)
        (place / "device.key").write_bytes(certificate.key_pem)
        name = "IoTHubModuleClient" if "module_id" in options else "IoTHubDeviceClient"
        maker = self._class(name).create_from_x509_certificate
        files = str(place / "device.pem"), str(place / "device.key")
        x509 = X509(*files)  # type: ignore[no-untyped-call]  # the vendor's constructor has no types
        options = {"server_verification_cert": hub.ca_pem, "websockets": self.websockets, **options}
        with self._opened(maker(x509, hub.address, device_id, **options)) as client:
            yield client

    @contextmanager
    def with_token(self, hub: RunningHub, token: str) -> Iterator[PythonClient]:
        """A device client that holds a token, and no key to make another."""
        maker = self._class("IoTHubDeviceClient").create_from_sastoken
        raw = maker(token, server_verification_cert=hub.ca_pem, websockets=self.websockets)
        with self._opened(raw) as client:
            yield client

    @contextmanager
    def _client(
        self, name: str, hub: RunningHub, connection_string: str, options: dict[str, Any]
    ) -> Iterator[PythonClient]:
        options = {"server_verification_cert": hub.ca_pem, "websockets": self.websockets, **options}
        maker = self._class(name).create_from_connection_string
        with self._opened(maker(connection_string, **options)) as client:
            yield client

    def _class(self, name: str) -> Any:
        return getattr(azure.iot.device.aio if self.aio else azure.iot.device, name)

    @contextmanager
    def _opened(self, raw: Any) -> Iterator[PythonClient]:
        if not self.aio:
            try:
                yield PythonClient(raw, lambda result: result, aio=False)
            finally:
                _shut_down(raw.shutdown)
            return
        with _loop_in_thread() as run:
            try:
                yield PythonClient(raw, run, aio=True)
            finally:
                _shut_down(lambda: run(raw.shutdown()))


def _shut_down(client: Callable[[], Any]) -> None:
    """Once more when the hub cut the connection while the SDK was about to: it stops half-way with an error then."""
    try:
        client()
    except NoConnectionError:
        client()


@contextmanager
def _loop_in_thread() -> Iterator[Run]:
    """Yield what runs a coroutine to its end in an event loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(3 * PATIENCE)

    try:
        yield run
    finally:
        run(loop.shutdown_default_executor())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


MQTT: Final = Kind()
KINDS: Final = [Kind(aio=aio, websockets=websockets) for aio in (False, True) for websockets in (False, True)]
EVERY_KIND: Final = pytest.mark.parametrize("kind", KINDS, ids=str)
