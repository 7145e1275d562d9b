"""Microsoft's unmodified Python device SDK after the hub went away, and when its token is renewed.

The SDK never subscribes again after a drop: all it listens to must outlive its connection, and the hub's process.
"""

import queue
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from tests.covers import covers
from tests.e2e.conftest import StartHub
from tests.e2e.python_client import KINDS, MQTT, PATIENCE, Kind, PythonClient, new_id
from tests.fakes.running_hub import Registered, RunningHub

ENDINGS = pytest.mark.parametrize("end", [RunningHub.stop, RunningHub.kill], ids=["SIGTERM", "SIGKILL"])
RETRY = {"connection_retry_interval": 1}
RENEWED_SOON = 126
"""Seconds a token lives; the SDK renews it 120 seconds before its end."""


class Listening:
    """A device that listens to everything, once and for all."""

    def __init__(self, hub: RunningHub, device: Registered, client: PythonClient) -> None:
        self._hub = hub
        self._device = device
        self.client = client
        client.connect()
        client.twin()
        self.messages = client.messages()
        self.patches = client.desired()
        client.answer_methods(lambda name, payload: (200, payload))

    def assert_everything_works(self, mark: str) -> None:
        """A command, a call, a desired property, a reported one and telemetry must pass."""
        path, params = f"/devices/{self._device.device_id}", {}
        if self._device.module_id is not None:
            params["module"] = self._device.module_id
        method = {"name": "echo", "payload": mark, "connect_timeout": 20}
        assert self._hub.call("POST", f"{path}/methods", json=method, params=params)["payload"] == mark
        twin = f"/twins/{self._device.device_id}"
        self._hub.call("PATCH", twin, json={"desired": {"mark": mark}}, params=params)
        # The SDK may first hand over all that is desired, when it is not sure that it knows it.
        while self.patches.get(timeout=PATIENCE).get("mark") != mark:
            pass
        if self._device.module_id is None:
            self._hub.call("POST", f"{path}/commands", json={"body": mark})
            # What the connection that ended did not acknowledge comes again, before what is new.
            while self.messages.get(timeout=PATIENCE).data != mark.encode():
                pass
        self.client.report({"mark": mark})
        assert self.client.twin()["reported"]["mark"] == mark
        self.client.send(mark)


@covers("py:IoTHubDeviceClient.on_connection_state_change", "py:feature.reconnect")
@ENDINGS
def test_everything_works_again_when_the_hub_is_back(start_hub: StartHub, end: Callable[[RunningHub], int]) -> None:
    hub = start_hub()
    with ExitStack() as stack:
        fleet: list[Listening] = []
        for kind in KINDS:
            device = hub.create_device(new_id(str(kind)))
            client = stack.enter_context(kind.device(hub, device.connection_string, **RETRY))
            fleet.append(Listening(hub, device, client))
        module = hub.create_module(hub.create_device(new_id("press")).device_id, "arm")
        client = stack.enter_context(MQTT.module(hub, module.connection_string, **RETRY))
        fleet.append(Listening(hub, module, client))
        fleet[0].assert_everything_works("before")
        end(hub)
        for listening in fleet:
            listening.client.wait_connected(False)
        hub.start()
        for listening in fleet:
            listening.client.wait_connected(True)
            listening.assert_everything_works("after")
    bodies = [event["body"] for event in hub.events(count=1 + len(fleet))]
    assert bodies == ["before", *["after"] * len(fleet)]


@ENDINGS
def test_what_was_queued_and_desired_before_the_hub_ended_comes_when_it_is_back(
    start_hub: StartHub, end: Callable[[RunningHub], int]
) -> None:
    hub = start_hub()
    device = hub.create_device(new_id("press"))
    with MQTT.device(hub, device.connection_string, **RETRY) as client:
        listening = Listening(hub, device, client)
        client.disconnect()
        hub.call("POST", f"/devices/{device.device_id}/commands", json={"body": "kept"})
        hub.call("PATCH", f"/twins/{device.device_id}", json={"desired": {"kept": True}})
        end(hub)
        hub.start()
        client.connect()
        assert listening.messages.get(timeout=PATIENCE).data == b"kept"
        assert listening.patches.get(timeout=PATIENCE) == {"kept": True, "$version": 2}


@covers("py:feature.token-renewal")
@pytest.mark.parametrize("kind", [MQTT, Kind(aio=True, websockets=True)], ids=str)
def test_a_renewed_token_loses_nothing(hub: RunningHub, kind: Kind) -> None:
    """What the SDK had no time to acknowledge before it left comes again: at least once, and in order."""
    device = hub.create_device(new_id("press"))
    path = f"/devices/{device.device_id}/commands"
    sent: list[str] = []
    received: list[str] = []
    with kind.device(hub, device.connection_string, sastoken_ttl=RENEWED_SOON) as client:
        listening = Listening(hub, device, client)
        client.wait_connected(True)
        while not _renewed(client):
            sent.append(f"message {len(sent)}")
            client.send(sent[-1])
            hub.call("POST", path, json={"body": sent[-1]})
        while sent[-1] not in received:
            received.append(listening.messages.get(timeout=PATIENCE).data.decode())
        hub.wait_for(lambda: hub.call("GET", path)["pending"] == 0)
        listening.assert_everything_works("after")
    assert list(dict.fromkeys(received)) == sent
    stored = hub.events(count=10_000, follow="false", device=device.device_id)
    assert list(dict.fromkeys(event["body"] for event in stored)) == [*sent, "after"]


def _renewed(client: PythonClient) -> bool:
    """Whether the SDK has gone and come back."""
    try:
        return client.connections.get(timeout=0.1)
    except queue.Empty:
        return False
