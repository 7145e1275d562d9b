"""What the vendor's Python SDKs offer besides the usual ways: calls that wait, and modules with certificates."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from azure.iot.device import IoTHubDeviceClient, MethodResponse
from azure.iot.hub import IoTHubHttpRuntimeManager, IoTHubRegistryManager
from tests.covers import covers
from tests.e2e.python_client import MQTT, PATIENCE, new_id
from tests.fakes.running_hub import RunningHub

THUMBPRINTS = ("a" * 40, "b" * 40)


@covers(
    "py:IoTHubRegistryManager.update_module_with_x509",
    "py:IoTHubRegistryManager.update_module_with_certificate_authority",
)
def test_a_modules_certificate_is_changed(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(hub.ca_path))
    registry: Any = IoTHubRegistryManager.from_connection_string(hub.connection_string(policy="iothubowner"))
    device = hub.create_device(new_id("press")).device_id
    made = registry.create_module_with_x509(device, "eye", "plant", *THUMBPRINTS)
    changed = registry.update_module_with_x509(device, "eye", "shop", made.etag, *reversed(THUMBPRINTS))
    assert changed.authentication.x509_thumbprint.primary_thumbprint.lower() == THUMBPRINTS[1]
    changed = registry.update_module_with_certificate_authority(device, "eye", "shop", changed.etag)
    assert registry.get_module(device, "eye").authentication.type == "certificateAuthority"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the SDK would rather have handlers
@covers(
    "py:IoTHubDeviceClient.create_from_symmetric_key",
    "py:IoTHubDeviceClient.receive_message",
    "py:IoTHubDeviceClient.receive_method_request",
    "py:IoTHubDeviceClient.receive_twin_desired_properties_patch",
)
def test_a_device_that_waits_for_what_it_is_told(hub: RunningHub) -> None:
    device = hub.create_device(new_id("press"))
    path = f"/devices/{device.device_id}"
    options = {"server_verification_cert": hub.ca_pem}
    client: Any = IoTHubDeviceClient.create_from_symmetric_key(
        device.primary_key, hub.address, device.device_id, **options
    )
    try:
        client.connect()
        hub.call("POST", f"{path}/commands", json={"body": "wake up"})
        assert client.receive_message(timeout=PATIENCE).data == b"wake up"
        assert client.receive_twin_desired_properties_patch(block=False) is None
        hub.call("PATCH", f"/twins/{device.device_id}", json={"desired": {"n": 1}})
        assert client.receive_twin_desired_properties_patch(timeout=PATIENCE)["n"] == 1
        assert client.receive_method_request(block=False) is None
        assert _call_and_answer(hub, client, path) == {"status": 201, "payload": "stopped"}
    finally:
        client.shutdown()


def _call_and_answer(hub: RunningHub, client: Any, path: str) -> Any:
    body = {"name": "stop", "connect_timeout": 10}
    with ThreadPoolExecutor(1) as pool:
        called = pool.submit(hub.call, "POST", f"{path}/methods", json=body)
        request = client.receive_method_request(timeout=PATIENCE)
        client.send_method_response(MethodResponse(request.request_id, 201, "stopped"))
        return called.result(PATIENCE)


@covers("py:IoTHubModuleClient.disconnect")
def test_a_module_comes_and_goes(hub: RunningHub) -> None:
    module = hub.create_module(hub.create_device(new_id("press")).device_id, "arm")
    with MQTT.module(hub, module.connection_string) as client:
        client.connect()
        client.disconnect()
        assert client.raw.connected is False


@covers(
    "py:IoTHubHttpRuntimeManager.from_connection_string",
    "py:IoTHubHttpRuntimeManager.receive_feedback_notification",
    "py:IoTHubHttpRuntimeManager.complete_feedback_notification",
    "py:IoTHubHttpRuntimeManager.abandon_feedback_notification",
)
def test_feedback_is_received_and_settled_over_https(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The manager itself throws the answer away; what it is made of shows the records and the lock."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(hub.ca_path))
    runtime: Any = IoTHubHttpRuntimeManager.from_connection_string(hub.connection_string(policy="service"))
    device, message_id = hub.create_device(new_id("press")).device_id, new_id("m")
    params = {"ack": "full", "message_id": message_id}
    hub.call("POST", f"/devices/{device}/commands", json={"body": "", **params})
    hub.call("DELETE", f"/devices/{device}/commands")

    def receive() -> tuple[str, list[str]]:
        raw = runtime.protocol.cloud_to_device_messages.receive_feedback_notification(raw=True).response
        assert raw.status_code == 200
        return raw.headers["ETag"].strip('"'), [record["originalMessageId"] for record in raw.json()]

    for settle in (runtime.abandon_feedback_notification, runtime.complete_feedback_notification):
        lock, ids = receive()
        assert message_id in ids
        settle(lock)
    with pytest.raises(Exception, match="Precondition Failed"):
        runtime.complete_feedback_notification(lock)
    assert runtime.receive_feedback_notification() is None
