"""JSON and property bags that mean two things or cost more than they weigh: refused, or kept without harm."""

import json
from typing import Final

import pytest
from tests.fakes.bystander import Watch, new_device
from tests.fakes.mqtt_packets import publish
from tests.fakes.raw_device import (
    HttpAnswer,
    TlsStream,
    ask,
    events_topic,
    http_request,
    online,
    policy_token,
    read_answer,
)
from tests.fakes.running_hub import RunningHub

NO_JSON: Final[dict[str, bytes]] = {
    "nothing": b"",
    "white space": b"   ",
    "a half": b'{"a":',
    "two": b'{"a":1}{"b":2}',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":Infinity}',
    "minus Infinity": b'{"a":-Infinity}',
    "a number that is too large": b'{"a":1e999}',
    "a million digits": b'{"a":' + b"9" * 200_000 + b"}",
    "a million digits behind the point": b'{"a":0.' + b"9" * 200_000 + b"}",
    "the same key twice": b'{"a":1,"a":2}',
    "the same key twice, once escaped": b'{"a":1,"\\u0061":2}',
    "the same key twice, far inside": b'{"x":{"y":[{"a":1,"a":2}]}}',
    "a hundred thousand brackets": b'{"a":' + b"[" * 100_000,
    "a hundred thousand braces": b'{"a":' * 30_000 + b"1" + b"}" * 30_000,
    "deep and whole": b'{"a":' + b"[" * 60_000 + b"]" * 60_000 + b"}",
    "no UTF-8": b'{"a":"\xff"}',
    "an overlong letter": b'{"a":"\xc0\xae"}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"a":1}',
    "half a surrogate pair": b'{"a":"\\ud800"}',
    "a NUL": b'{"a":1}\0',
    "a comment": b'{"a":1 /* */}',
    "single quotes": b"{'a':1}",
    "a comma too much": b'{"a":1,}',
    "a line break in a text": b'{"a":"\n"}',
}
NOT_FOR_A_TWIN: Final[dict[str, bytes]] = {
    "null": b"null",
    "a list": b"[1]",
    "a text": b'"a"',
    "a key with a dollar": b'{"$version":1}',
    "a key with a point": b'{"a.b":1}',
    "a key with a space": b'{"a b":1}',
    "an empty key": b'{"":1}',
    "a key with a control character": b'{"a\\u0000":1}',
    "a long key": json.dumps({"k" * 1025: 1}).encode(),
    "a long text": json.dumps({"a": "x" * 4097}).encode(),
    "an integer that floats cannot hold": b'{"a":4503599627370496}',
    "too much": json.dumps({f"k{n}": "x" * 4000 for n in range(9)}).encode(),
    "too many": b'{"a":[' + b"1," * 20_001 + b"1]}",
    "eleven levels": b'{"a":' * 12 + b"1" + b"}" * 12,
    "twenty thousand keys": json.dumps({f"{n:x}": 1 for n in range(20_001)}).encode(),
}
BOMBS: Final = {**NO_JSON, **NOT_FOR_A_TWIN}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_reported_by_a_device_is_refused_and_the_session_lives(hub: RunningHub, name: str) -> None:
    device = new_device(hub)
    with online(hub, device) as peer:
        peer.subscribe("$iothub/twin/res/#", qos=0)
        peer.send(publish("$iothub/twin/PATCH/properties/reported/?$rid=9", BOMBS[name]))
        answer = peer.packet_of(3)
        assert answer.topic == "$iothub/twin/res/400/?$rid=9"
        assert json.loads(answer.payload)["errorCode"] // 1000 == 400
        assert peer.is_open()
    assert hub.call("GET", f"/twins/{device.device_id}")["reported"]["properties"] == {}


def rest(hub: RunningHub, method: str, path: str, body: bytes, policy: str = "iothubowner") -> HttpAnswer:
    """A back end's request."""
    token = policy_token(hub, policy)
    request = http_request(method, f"{path}?api-version=2021-04-12", host=hub.address, token=token, body=body)
    answer = ask(hub.address, hub.ready["https"], request)
    assert answer is not None
    return answer


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_from_a_back_end_is_refused(hub: RunningHub, name: str) -> None:
    device = new_device(hub)
    twin, bomb = f"/twins/{device.device_id}", BOMBS[name]
    bodies = [b'{"properties":{"desired":' + bomb + b"}}", b'{"tags":' + bomb + b"}"]
    if name in NO_JSON:
        bodies.append(bomb)
    for method in ("PATCH", "PUT"):
        for body in bodies if name != "null" else []:
            tolerated = name == "a key with a dollar" and b"desired" in body  # SDKs send back what they read
            assert rest(hub, method, twin, body).status == (200 if tolerated else 400), body[:60]
    if name in NO_JSON:
        assert rest(hub, "PUT", f"/devices/{device.device_id}", bomb).status == 400
        assert rest(hub, "PUT", f"/devices/{device.device_id}/modules/m", bomb).status == 400
        assert rest(hub, "POST", f"{twin}/methods", b'{"methodName":"a","payload":' + bomb + b"}").status == 400
    stored = hub.call("GET", f"/twins/{device.device_id}")
    assert (stored["desired"]["properties"], stored["tags"]) == ({}, {})


@pytest.mark.parametrize("name", NO_JSON)
def test_a_bomb_to_the_admin_api_is_refused(hub: RunningHub, name: str) -> None:
    with hub.admin() as admin:
        headers = {"Content-Type": "application/json"}
        for method, path in (("POST", "/devices"), ("PATCH", "/twins/bystander"), ("POST", "/authorities")):
            answer = admin.request(method, path, content=NO_JSON[name], headers=headers)
            assert answer.status_code in (400, 413), (path, answer.text[:200])


@pytest.mark.parametrize("name", NO_JSON)
def test_a_bomb_as_answer_to_a_call_is_told_as_the_devices_mistake(hub: RunningHub, name: str) -> None:
    device = new_device(hub)
    stream = TlsStream(hub.address, hub.ready["https"])
    with online(hub, device) as peer:
        peer.subscribe("$iothub/methods/POST/#")
        path = f"/twins/{device.device_id}/methods?api-version=2021-04-12"
        body = b'{"methodName": "look", "payload": null, "responseTimeoutInSeconds": 10}'
        stream.send(http_request("POST", path, host="h", token=policy_token(hub, "service"), body=body))
        request_id = peer.packet_of(3).topic.partition("$rid=")[2]
        peer.send(publish(f"$iothub/methods/res/200/?$rid={request_id}", NO_JSON[name]))
        answer = read_answer(stream)
        assert answer is not None
        assert answer.status in ((200, 502) if not NO_JSON[name].strip() else (502,))
        assert peer.is_open()
    stream.close()


BAGS: Final[dict[str, str]] = {
    "a broken escape": "a=%zz&%=%&%u0041=1",
    "no UTF-8": "a=%ff%fe&%ff=1",
    "a NUL": "a=%00&%00=1",
    "line breaks": "a=%0d%0a%0d%0aSet-Cookie:x",
    "a terminal's commands": "%1b%5b2J=%1b%5d0;x%07",
    "the same name twice": "a=1&a=2&%61=3",
    "no names": "=&=&=1&&&",
    "a thousand names": "&".join(f"k{n}=v" for n in range(1000)),
    "system properties that there are not": "$.=1&$.nothing=1&$.mid=%24.mid",
    "system properties twice": "$.mid=1&%24.mid=2&$.ct=x&$.ct=y",
    "a text for an instant": "$.ctime=never&$.exp=-1",
    "somebody else's name": "iothub-connection-device-id=bystander&$.cdid=bystander&$.uid=bystander",
    "a name of the hub's own": "iothub-enqueuedtime=1&x-opt-sequence-number=0&x-opt-offset=0",
    "a long value": "a=" + "x" * 60_000,
    "percent signs": "%" * 60_000,
    "escapes": "a=" + "%25" * 20_000,
    "equals signs": "=" * 60_000,
    "an encoding that there is not": "$.ce=utf-99&$.ct=application%2Fjson",
    "an encoding that runs code": "$.ce=unicode_escape&$.ct=application%2Fjson",
    "an encoding that unpacks": "$.ce=zlib&$.ct=application%2Fjson",
}


@pytest.mark.parametrize("name", BAGS)
def test_a_property_bag_bomb_is_stored_and_whoever_reads_the_log_reads_on(hub: RunningHub, name: str) -> None:
    device = new_device(hub)
    bodies = [b'{"a":NaN}', b"\xff\xfe", b"[" * 50_000, b'{"a":1,"a":2}', b"9" * 5000]
    with online(hub, device) as peer:
        for number, body in enumerate(bodies, 1):
            peer.publish(events_topic(device, BAGS[name]), body, packet_id=number)
        peer.publish(events_topic(device), b"after", packet_id=99)
    events = hub.events(count=6, device=device.device_id)
    assert len(events) == 6
    assert events[-1]["body"] == "after"
    assert {event["device_id"] for event in events} == {device.device_id}
    assert {event["system_properties"]["iothub-connection-device-id"] for event in events} == {device.device_id}


def test_a_bag_with_too_many_properties_ends_the_session(hub: RunningHub) -> None:
    for bag in ("&" * 5000, "&".join(f"k{n}=v" for n in range(1100)), "a=1" + "&a=1" * 15_000):
        device = new_device(hub)
        with online(hub, device) as peer:
            peer.send(publish(events_topic(device, bag), qos=1))
            assert peer.is_closed()
        assert hub.events(count=1, timeout=0.1, device=device.device_id) == []


def test_bombs_leave_no_memory(hub: RunningHub, watch: Watch) -> None:
    device = new_device(hub)

    def burst() -> None:
        with online(hub, device) as peer:
            peer.subscribe("$iothub/twin/res/#", qos=0)
            for bomb in BOMBS.values():
                peer.send(publish("$iothub/twin/PATCH/properties/reported/?$rid=9", bomb))
                peer.packet_of(3)

    for _ in range(3):
        burst()
    watch.settled()
    before = watch.memory()
    watch.forget_peak()
    for _ in range(3):
        burst()
    assert watch.peak_memory() - before < 32 << 20
    watch.settled()
    assert watch.memory() - before < 12 << 20
