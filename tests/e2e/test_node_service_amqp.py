"""Microsoft's unmodified Node service SDK (azure-iothub): commands, feedback and file notifications over AMQP."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.covers import covers
from tests.e2e.files import upload
from tests.e2e.node_process import NodeError, NodeProcess
from tests.e2e.python_client import MQTT, PATIENCE, new_id
from tests.e2e.test_python_hub_amqp import feedback_of
from tests.fakes.running_hub import Registered, RunningHub

TRANSPORTS = pytest.mark.parametrize("transport", ["amqp", "amqp-websocket"])
MAX_PENDING = 50


@pytest.fixture(scope="module")
def node(_node_sdks: None, hub: RunningHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A Node process with the service SDK that trusts the shared hub."""
    log = tmp_path_factory.mktemp("node") / "service_amqp.log"
    process = NodeProcess("service_amqp.js", log, NODE_EXTRA_CA_CERTS=str(hub.ca_path))
    yield process
    process.close()


class BackEnd:
    """One client of the SDK."""

    def __init__(self, node: NodeProcess, handle: str) -> None:
        self._node = node
        self._handle = handle

    def send(self, device: str, data: bytes, *, properties: dict[str, str] | None = None, **fields: Any) -> None:
        """Send a command. Raises NodeError."""
        given: dict[str, Any] = {"data": b64encode(data).decode(), "fields": fields}
        given["properties"] = list((properties or {}).items())
        self._node.ask("send", handle=self._handle, device=device, **given)

    def listen(self, kind: str, device: Registered, *verdicts: str) -> None:
        """Listen for "feedback" or "file" notifications about a device, and settle each by the next of `verdicts`."""
        given: dict[str, Any] = {"kind": kind, "device": device.device_id, "verdicts": verdicts or ["complete"]}
        self._node.ask("listen", handle=self._handle, **given)

    def detach(self, kind: str) -> None:
        """Stop listening."""
        self._node.ask("detach", handle=self._handle, kind=kind)

    def next(self, event: str) -> Any:
        """What the client told next."""
        return self._node.events(self._handle, event).get(timeout=PATIENCE)

    def next_feedback(self, device: Registered) -> tuple[str, str]:
        """Message id and status of the next record of a device; the batch may hold those of others too."""
        records = [each for each in self.next("feedback")["body"] if each["deviceId"] == device.device_id]
        return records[0]["originalMessageId"], records[0]["statusCode"]


@contextmanager
def back_end(node: NodeProcess, connection_string: str, transport: str = "amqp") -> Iterator[BackEnd]:
    """A client, open to the end of the block."""
    handle = new_id("client")
    node.ask("open", handle=handle, connectionString=connection_string, transport=transport)
    try:
        yield BackEnd(node, handle)
    finally:
        node.ask("close", handle=handle)


@contextmanager
def refused(name: str, condition: str) -> Iterator[None]:
    """The SDK must fail with this class of error, which it made of this AMQP condition."""
    with pytest.raises(NodeError) as caught:
        yield
    assert (caught.value.name, caught.value.body["condition"]) == (name, condition)


@covers("node:Client.close", "node:Client.open", "node:Client.send")
@TRANSPORTS
def test_a_command_reaches_its_device_with_all_its_properties(
    hub: RunningHub, node: NodeProcess, transport: str
) -> None:
    device = hub.create_device(f"{new_id('press')}%41")  # the SDK percent-encodes it
    with (
        back_end(node, hub.connection_string(policy="service"), transport) as client,
        MQTT.device(hub, device.connection_string) as press,
    ):
        press.connect()
        received = press.messages()
        fields = {
            "messageId": "3f2b1c9e-0000-4000-8000-000000000000",
            "correlationId": "c1",
            "contentType": "text/plain",
        }
        client.send(device.device_id, b"\x00\xff go", properties={"hall": "ü & 7"}, **fields)
        message = received.get(timeout=PATIENCE)
        assert (message.data, message.custom_properties["hall"]) == (b"\x00\xff go", "ü & 7")
        assert (message.message_id, message.correlation_id) == (fields["messageId"], "c1")
        assert message.content_type == "text/plain"
        for number in range(20):
            client.send(device.device_id, b"%d" % number)
        assert [received.get(timeout=PATIENCE).data for _ in range(20)] == [b"%d" % number for number in range(20)]


@covers("node:Client.getFeedbackReceiver", "node:Client.send")
@TRANSPORTS
def test_feedback_comes_as_soon_as_it_is_there_and_again_until_it_is_completed(
    hub: RunningHub, node: NodeProcess, transport: str
) -> None:
    device = hub.create_device(new_id("press"))
    with (
        back_end(node, hub.connection_string(policy="service"), transport) as client,
        MQTT.device(hub, device.connection_string) as press,
    ):
        client.listen("feedback", device, "abandon", "abandon", "complete")
        client.send(device.device_id, b"go", messageId="m1", ack="full")
        press.connect()
        press.messages().get(timeout=PATIENCE)
        assert [client.next_feedback(device) for _ in range(3)] == [("m1", "Success")] * 3
        hub.wait_for(lambda: feedback_of(hub, device.device_id) == [])
        client.send(device.device_id, b"go", messageId="m2", ack="positive")
        assert client.next_feedback(device) == ("m2", "Success")
        assert [client.next("settled") for _ in range(4)] == [None] * 4


@covers("node:Client.getFeedbackReceiver")
def test_rejected_feedback_is_gone_and_who_stopped_listening_hears_no_more(hub: RunningHub, node: NodeProcess) -> None:
    device = hub.create_device(new_id("press"))
    with back_end(node, hub.connection_string(policy="service")) as client:
        client.listen("feedback", device, "reject")
        client.send(device.device_id, b"go", messageId="m1", ack="full")
        hub.call("DELETE", f"/devices/{device.device_id}/commands")
        assert client.next_feedback(device) == ("m1", "Purged")
        assert client.next("settled") is None
        hub.wait_for(lambda: feedback_of(hub, device.device_id) == [])
        client.detach("feedback")
        client.send(device.device_id, b"go", messageId="m2", ack="full")
        hub.call("DELETE", f"/devices/{device.device_id}/commands")
        assert feedback_of(hub, device.device_id) == [("m2", "purged")]


@covers("node:Client.getFileNotificationReceiver")
@TRANSPORTS
def test_a_back_end_hears_of_files(hub: RunningHub, node: NodeProcess, transport: str) -> None:
    device = hub.create_device(new_id("press"))
    with back_end(node, hub.connection_string(policy="service"), transport) as client:
        client.listen("file", device, "abandon", "complete")
        upload(hub, device, "day.log", b"it was a long day")
        told = [client.next("file") for _ in range(2)]
        assert told[0] == told[1]
        assert told[0]["contentType"] == "application/vnd.microsoft.iothub.filenotification.json"
        body = told[0]["body"]
        assert (body["deviceId"], body["blobName"]) == (device.device_id, f"{device.device_id}/day.log")
        assert body["blobSizeInBytes"] == len(b"it was a long day")
        hub.wait_for(lambda: hub.call("GET", "/files/notifications")["notifications"] == [])


@TRANSPORTS
def test_errors_have_the_classes_of_the_sdk_and_the_connection_goes_on(
    hub: RunningHub, node: NodeProcess, transport: str
) -> None:
    device = hub.create_device(new_id("press"))
    with back_end(node, hub.connection_string(policy="service"), transport) as client:
        with refused("DeviceNotFoundError", "amqp:not-found"):
            client.send(new_id("nobody"), b"go")
        with refused("MessageTooLargeError", "amqp:link:message-size-exceeded"):
            client.send(device.device_id, b"x" * 65_537)
        with refused("ArgumentOutOfRangeError", "com.microsoft:argument-out-of-range"):
            client.send(device.device_id, b"go", expiryTimeUtc=1000)
        for _ in range(MAX_PENDING):
            client.send(device.device_id, b"go")
        with refused("DeviceMaximumQueueDepthExceededError", "amqp:resource-limit-exceeded"):
            client.send(device.device_id, b"one too many")
        client.send(hub.create_device(new_id("press")).device_id, b"go")


@TRANSPORTS
def test_who_has_no_right_or_a_wrong_key_is_refused(hub: RunningHub, node: NodeProcess, transport: str) -> None:
    device = hub.create_device(new_id("press"))
    with (
        back_end(node, hub.connection_string(policy="registryReadWrite"), transport) as client,
        refused("UnauthorizedError", "amqp:unauthorized-access"),
    ):
        client.send(device.device_id, b"go")
    for kind in ("feedback", "file"):
        with back_end(node, hub.connection_string(policy="registryReadWrite"), transport) as client:
            client.listen(kind, device)  # the SDK takes the link for open until it hears its end
            assert client.next("disconnect") == "amqp:unauthorized-access"
    wrong = hub.connection_string(policy="service").split("SharedAccessKey=")[0] + "SharedAccessKey=" + "A" * 43 + "="
    with pytest.raises(NodeError) as caught:
        node.ask("open", handle=new_id("client"), connectionString=wrong, transport=transport)
    assert caught.value.body["name"] == "UnauthorizedError"


@TRANSPORTS
def test_a_rolled_key_ends_the_connections_that_rest_on_it(hub: RunningHub, node: NodeProcess, transport: str) -> None:
    policy = new_id("plant")
    hub.call("PUT", f"/policies/{policy}", json={"rights": ["ServiceConnect"]})
    device = hub.create_device(new_id("press"))
    with back_end(node, hub.connection_string(policy=policy), transport) as client:
        client.listen("feedback", device)
        client.send(device.device_id, b"go")
        hub.call("POST", f"/policies/{policy}/roll")
        assert client.next("disconnect") == "amqp:unauthorized-access"
