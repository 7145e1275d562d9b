"""Microsoft's unmodified Python service SDK (azure-iot-hub), and uamqp as the Azure CLI uses it, over AMQP."""

import base64
import hashlib
import hmac
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import pytest
from tests.covers import covers
from tests.e2e.node_process import NodeError
from tests.e2e.python_client import MQTT, PATIENCE, new_id
from tests.e2e.service_process import ServiceProcess
from tests.fakes.running_hub import RunningHub

TRANSPORTS = pytest.mark.parametrize("websocket", [False, True], ids=["amqp", "websocket"])
MAX_PENDING = 50


@pytest.fixture(scope="module")
def sdk(hub: RunningHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A process with the SDK."""
    process = ServiceProcess(hub, tmp_path_factory.mktemp("python") / "service.log")
    yield process
    process.close()


class Manager:
    """One registry manager in the process."""

    def __init__(self, sdk: ServiceProcess, handle: str) -> None:
        self._sdk = sdk
        self._handle = handle

    def send(self, device: str, text: str, **properties: object) -> None:
        """`send_c2d_message`. Raises NodeError with the name of the SDK's error."""
        self._sdk.ask("send", handle=self._handle, device=device, text=text, properties=properties)


@contextmanager
def manager(sdk: ServiceProcess, connection_string: str, *, websocket: bool = False) -> Iterator[Manager]:
    """A registry manager, connected to the end of the block."""
    handle = new_id("manager")
    sdk.ask("open", handle=handle, connection_string=connection_string, websocket=websocket)
    try:
        yield Manager(sdk, handle)
    finally:
        sdk.ask("close", handle=handle)


def feedback_of(hub: RunningHub, device: str) -> list[tuple[str, str]]:
    """Message ids and outcomes that the hub keeps for whoever asks."""
    records = hub.call("GET", "/feedback", params={"limit": 1000})["feedback"]
    return [(record["message_id"], record["outcome"]) for record in records if record["device_id"] == device]


def signed(hub: RunningHub, policy: str) -> tuple[str, str]:
    """User name and password as the Azure CLI makes them for SASL PLAIN."""
    parts = dict(part.split("=", 1) for part in hub.connection_string(policy=policy).split(";"))
    resource, expiry = quote(hub.address, safe=""), int(time.time()) + 360
    key = base64.b64decode(parts["SharedAccessKey"])
    digest = hmac.new(key, f"{resource}\n{expiry}".encode(), hashlib.sha256).digest()
    signature = quote(base64.b64encode(digest), safe="")
    token = f"SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn={policy}"
    return f"{policy}@sas.root.{hub.address.split('.')[0]}", token


@covers("py:IoTHubRegistryManager.send_c2d_message")
@TRANSPORTS
def test_a_command_reaches_its_device_with_all_its_properties(
    hub: RunningHub, sdk: ServiceProcess, websocket: bool
) -> None:
    device = hub.create_device(new_id("press"))
    expires_at = int((time.time() + 600) * 1000)
    with (
        MQTT.device(hub, device.connection_string) as press,
        manager(sdk, hub.connection_string(policy="service"), websocket=websocket) as back_end,
    ):
        press.connect()
        received = press.messages()
        given = {
            "messageId": "m1",
            "correlationId": "c1",
            "contentType": "application/json",
            "contentEncoding": "utf-8",
        }
        back_end.send(device.device_id, '{"open": 3}', **given, expiryTimeUtc=expires_at, hall="ü & 7")
        message = received.get(timeout=PATIENCE)
        assert message.data == b'{"open": 3}'
        assert (message.message_id, message.correlation_id) == ("m1", "c1")
        assert (message.content_type, message.content_encoding) == ("application/json", "utf-8")
        assert message.custom_properties["hall"] == "ü & 7"
        for number in range(10):
            back_end.send(device.device_id, str(number))
        assert [received.get(timeout=PATIENCE).data for _ in range(10)] == [b"%d" % number for number in range(10)]


@TRANSPORTS
def test_the_sender_learns_what_became_of_its_command(hub: RunningHub, sdk: ServiceProcess, websocket: bool) -> None:
    device = hub.create_device(new_id("press"))
    with manager(sdk, hub.connection_string(policy="service"), websocket=websocket) as back_end:
        back_end.send(device.device_id, "go", messageId="m1", **{"iothub-ack": "full"})
        assert feedback_of(hub, device.device_id) == []
        with MQTT.device(hub, device.connection_string) as press:
            press.connect()
            assert press.messages().get(timeout=PATIENCE).data == b"go"
            hub.wait_for(lambda: feedback_of(hub, device.device_id))
    assert feedback_of(hub, device.device_id) == [("m1", "success")]


@TRANSPORTS
def test_what_cannot_be_queued_fails_and_the_connection_goes_on(
    hub: RunningHub, sdk: ServiceProcess, websocket: bool
) -> None:
    device = hub.create_device(new_id("press"))
    with manager(sdk, hub.connection_string(policy="service"), websocket=websocket) as back_end:
        with pytest.raises(NodeError, match="C2D message send failure"):
            back_end.send(new_id("nobody"), "go")
        for number in range(MAX_PENDING):
            back_end.send(device.device_id, str(number))
        with pytest.raises(NodeError, match="C2D message send failure"):
            back_end.send(device.device_id, "one too many")
        with pytest.raises(NodeError, match="C2D message send failure"):
            back_end.send(hub.create_device(new_id("press")).device_id, "x" * 70_000)
    assert hub.call("DELETE", f"/devices/{device.device_id}/commands")["purged"] == MAX_PENDING


def test_a_policy_without_the_right_and_a_wrong_key_send_nothing(hub: RunningHub, sdk: ServiceProcess) -> None:
    device = hub.create_device(new_id("press"))
    with (
        pytest.raises(NodeError, match="UnauthorizedAccess"),
        manager(sdk, hub.connection_string(policy="registryRead")) as back_end,
    ):
        back_end.send(device.device_id, "go")
    wrong = hub.connection_string(policy="service").split("SharedAccessKey=")[0] + "SharedAccessKey=" + "A" * 43 + "="
    with pytest.raises(NodeError) as caught, manager(sdk, wrong) as back_end:
        back_end.send(device.device_id, "go")
    # The SDK reads what the hub says of it from memory that it has freed: often it is no text any more.
    assert caught.value.name in ("TokenAuthFailure", "AuthenticationException")
    assert hub.call("DELETE", f"/devices/{device.device_id}/commands")["purged"] == 0


def test_the_azure_cli_sends_and_reads_feedback_with_sasl_plain(hub: RunningHub, sdk: ServiceProcess) -> None:
    device = hub.create_device(new_id("press"))
    user, token = signed(hub, "service")
    to = f"/devices/{device.device_id}/messages/devicebound"
    given = {"messageId": "m1", "iothub-ack": "full", "hall": "b"}
    states = sdk.ask("send_plain", host=hub.address, user=user, token=token, to=to, text="go", properties=given)
    assert states == ["MessageState.SendComplete"]
    with MQTT.device(hub, device.connection_string) as press:
        press.connect()
        message = press.messages().get(timeout=PATIENCE)
        assert (message.data, message.message_id, message.custom_properties["hall"]) == (b"go", "m1", "b")
        hub.wait_for(lambda: feedback_of(hub, device.device_id))
    (batch,) = sdk.ask("feedback_plain", host=hub.address, user=user, token=token, count=1)
    (record,) = [record for record in batch if record["deviceId"] == device.device_id]
    assert (record["originalMessageId"], record["statusCode"]) == ("m1", "Success")
    hub.wait_for(lambda: feedback_of(hub, device.device_id) == [])


def test_a_login_that_is_not_good_is_told(hub: RunningHub, sdk: ServiceProcess) -> None:
    user, token = signed(hub, "service")
    with pytest.raises(NodeError):
        sdk.ask("feedback_plain", host=hub.address, user=user, token=token.replace("sig=", "sig=A"), count=1)
    user, token = signed(hub, "registryRead")
    with pytest.raises(NodeError, match="UnauthorizedAccess"):
        sdk.ask("feedback_plain", host=hub.address, user=user, token=token, count=1)
