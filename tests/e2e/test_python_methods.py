"""Direct methods of Microsoft's unmodified Python device SDK, called while somebody waits for the answer."""

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.covers import covers
from tests.e2e.python_client import EVERY_KIND, MQTT, PATIENCE, Answer, Kind, new_id
from tests.fakes.running_hub import HubFailed, Registered, RunningHub

PAYLOADS = [None, {}, {"a": [1, 2.5, {"ü": None}]}, [], [1, "zwei", None], "text", 0, True]


def invoke(hub: RunningHub, device: Registered, name: str, payload: Any = None, **timeouts: float) -> dict[str, Any]:
    """Call a method and return the device's status and payload."""
    body = {"name": name, "payload": payload, "connect_timeout": 10, **timeouts}
    params = {} if device.module_id is None else {"module": device.module_id}
    answer: dict[str, Any] = hub.call("POST", f"/devices/{device.device_id}/methods", json=body, params=params)
    return answer


@covers("py:IoTHubDeviceClient.on_method_request_received", "py:IoTHubDeviceClient.send_method_response")
@EVERY_KIND
def test_whatever_json_is_sent_and_answered_arrives_unchanged(hub: RunningHub, kind: Kind) -> None:
    device = hub.create_device(new_id("press"))
    with kind.device(hub, device.connection_string) as client:
        client.connect()
        client.answer_methods(lambda name, payload: (200, payload))
        for payload in PAYLOADS:
            assert invoke(hub, device, "echo", payload) == {"status": 200, "payload": payload}


@EVERY_KIND
def test_the_devices_own_status_is_passed_through(hub: RunningHub, kind: Kind) -> None:
    device = hub.create_device(new_id("press"))
    with kind.device(hub, device.connection_string) as client:
        client.connect()
        client.answer_methods(lambda name, payload: (payload, {"method": name}))
        for status in (0, 207, 404, 500, -1, 70_000):
            assert invoke(hub, device, "set-Speed.2", status) == {
                "status": status,
                "payload": {"method": "set-Speed.2"},
            }


def test_a_method_of_a_device_that_is_away_is_refused_at_once(hub: RunningHub) -> None:
    device = hub.create_device(new_id("press"))
    with pytest.raises(HubFailed, match=r"404 .*method\.device_not_online"):
        invoke(hub, device, "stop", connect_timeout=0)


def test_a_device_that_does_not_listen_is_as_good_as_away(hub: RunningHub) -> None:
    device = hub.create_device(new_id("press"))
    with MQTT.device(hub, device.connection_string) as client:
        client.connect()
        with pytest.raises(HubFailed, match=r"404 .*method\.device_not_online"):
            invoke(hub, device, "stop", connect_timeout=0)


def test_a_call_waits_for_a_device_that_is_about_to_connect(hub: RunningHub) -> None:
    device = hub.create_device(new_id("press"))
    with ThreadPoolExecutor(1) as pool, MQTT.device(hub, device.connection_string) as client:
        called = pool.submit(invoke, hub, device, "stop")
        client.connect()
        client.answer_methods(lambda name, payload: (200, "here"))
        assert called.result(PATIENCE) == {"status": 200, "payload": "here"}


def test_a_device_that_does_not_answer_in_time_is_told_of_as_a_time_out(hub: RunningHub) -> None:
    device = hub.create_device(new_id("press"))
    ended = threading.Event()

    def answer_too_late(name: str, payload: Any) -> Answer:
        ended.wait(PATIENCE)
        return 200, "too late"

    with MQTT.device(hub, device.connection_string) as client:
        client.connect()
        client.answer_methods(answer_too_late)
        with pytest.raises(HubFailed, match=r"504 .*method\.timeout"):
            invoke(hub, device, "slow", response_timeout=5)
        ended.set()
        client.answer_methods(lambda name, payload: (200, "in time"))
        assert invoke(hub, device, "fast") == {"status": 200, "payload": "in time"}


def test_a_connection_lost_during_a_call_ends_the_call(hub: RunningHub) -> None:
    device = hub.create_device(new_id("press"))
    asked: queue.Queue[str] = queue.Queue()
    ended = threading.Event()

    def never(name: str, payload: Any) -> Answer:
        asked.put(name)
        ended.wait(PATIENCE)
        return 200, None

    with ThreadPoolExecutor(1) as pool, MQTT.device(hub, device.connection_string) as client:
        client.connect()
        client.answer_methods(never)
        called = pool.submit(invoke, hub, device, "stop")
        assert asked.get(timeout=PATIENCE) == "stop"
        hub.call("PATCH", f"/devices/{device.device_id}", json={"status": "disabled"})
        with pytest.raises(HubFailed, match=r"404 .*method\.connection_lost"):
            called.result(PATIENCE)
        ended.set()


def test_answers_find_their_callers_whatever_the_order(hub: RunningHub) -> None:
    device = hub.create_device(new_id("press"))
    together = threading.Barrier(4)

    def answer(name: str, payload: Any) -> Answer:
        together.wait(PATIENCE)
        return 200, payload

    with ThreadPoolExecutor(4) as pool, MQTT.device(hub, device.connection_string) as client:
        client.connect()
        client.answer_methods(answer)
        calls = [pool.submit(invoke, hub, device, "meet", number) for number in range(4)]
        assert [call.result(PATIENCE)["payload"] for call in calls] == list(range(4))
