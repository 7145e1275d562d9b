"""Entries of the log as readers of the vendor's endpoint know them."""

import json
from dataclasses import replace
from typing import Any

import pytest

from ironhub.core.ids import Identity, identity
from ironhub.dialects.azure.events import AzureEvent, auth_method, decode_event, event_json
from ironhub.dialects.azure.properties import MAX_PROPERTIES
from ironhub.identity.model import Proof
from ironhub.messaging.telemetry.model import Encoding, Entry, Flag, Logged, Origin, Source
from ironhub.wire.amqp import encode as e
from ironhub.wire.amqp.properties import properties_section
from ironhub.wire.amqp.sections import annotations_section, application_section

NOON = 1_769_860_800.0
ORIGIN = Origin(identity("press-7"), Source.TELEMETRY, Encoding.AZURE_TOPIC, "638", Proof.OWN_KEY, "", "dtmi:acme:P;1")


def read(properties: bytes, body: bytes = b"", *, origin: Origin = ORIGIN, flags: int = 0) -> AzureEvent:
    return decode_event(Logged(2, 7, NOON + 0.25, Entry(origin, properties, body, flags)), "hub")


def test_telemetry_is_read_with_what_the_hub_says_of_it() -> None:
    standard = b"%24.mid=m&%24.cid=c&%24.uid=u&%24.ct=application%2Fjson&%24.ce=utf-8"
    event = read(standard + b"&%24.ctime=t&%24.sub=s&%24.ifid=i&%24.on=o&a=1&b", b'{"t":1}')
    assert event == AzureEvent(
        partition=2,
        sequence_number=7,
        enqueued_at=NOON + 0.25,
        body=b'{"t":1}',
        properties={
            "message-id": "m",
            "correlation-id": "c",
            "user-id": "u",
            "content-type": "application/json",
            "content-encoding": "utf-8",
        },
        annotations={
            "iothub-connection-device-id": "press-7",
            "iothub-connection-auth-method": auth_method(ORIGIN),
            "iothub-connection-auth-generation-id": "638",
            "iothub-enqueuedtime": "2026-01-31T12:00:00.250Z",
            "iothub-message-source": "Telemetry",
            "dt-dataschema": "dtmi:acme:P;1",
            "iothub-creation-time-utc": "t",
            "dt-subject": "s",
            "iothub-interface-id": "i",
            "iothub-output-name": "o",
        },
        application={"a": "1", "b": None},
    )


def test_telemetry_that_came_over_amqp_is_read_alike() -> None:
    told = [("dt-subject", e.string("s")), ("iothub-connection-device-id", e.string("other"))]
    own = [("a", e.int_(1)), ("b", e.boolean(True)), ("X-Opt-Offset", e.string("0"))]
    sections = annotations_section(told) + properties_section(message_id=e.ulong(7), content_type="application/json")
    event = read(sections + application_section(own), b"{}", origin=ORIGIN._replace(encoding=Encoding.AZURE_AMQP))
    assert event.properties == {"message-id": "7", "content-type": "application/json"}
    assert event.annotations["dt-subject"] == "s"
    assert event.annotations["iothub-connection-device-id"] == "press-7"
    assert event.application == {"a": "1", "b": "true"}


def test_a_module_is_named() -> None:
    event = read(b"", origin=ORIGIN._replace(identity=identity("press-7", "arm"), model_id=""))
    assert event.annotations["iothub-connection-module-id"] == "arm"
    assert "dt-dataschema" not in event.annotations


@pytest.mark.parametrize(
    "name",
    [
        "iothub-connection-device-id",
        "iothub-connection-module-id",
        "IoTHub-Connection-Auth-Method",
        "iothub-connection-auth-generation-id",
        "iothub-enqueuedtime",
        "iothub-message-source",
        "iothub-MessageType",
        "dt-dataschema",
        "mqtt-retain",
        "mqtt-dup",
        "x-opt-sequence-number",
        "%20iothub-message-source",
        "%24.cdid",
        "$.cmid",
        "$.anything",
    ],
)
def test_a_device_cannot_speak_for_the_hub(name: str) -> None:
    plain, spoofed = read(b""), read(f"{name}=evil".encode())
    assert spoofed == plain
    assert "evil" not in json.dumps(event_json(spoofed))


def test_what_mqtt_said_of_a_message_is_told() -> None:
    event = read(b"mqtt-dup=no", flags=Flag.RETAIN | Flag.DUPLICATE | Flag.WILL)
    assert event.application == {"mqtt-retain": "true", "mqtt-dup": "true", "iothub-MessageType": "Will"}


@pytest.mark.parametrize(
    ("who", "proof", "scope", "kind"),
    [
        (identity("d"), Proof.OWN_KEY, "device", "sas"),
        (identity("d", "m"), Proof.OWN_KEY, "module", "sas"),
        (identity("d"), Proof.POLICY_KEY, "hub", "sas"),
        (identity("d"), Proof.THUMBPRINT, "device", "x509"),
        (identity("d", "m"), Proof.CHAIN, "module", "x509"),
        (identity("d"), "", "device", "sas"),
    ],
)
def test_the_way_of_authentication_is_told(who: Identity, proof: str, scope: str, kind: str) -> None:
    method = json.loads(auth_method(ORIGIN._replace(identity=who, proof=proof)))
    assert method == {"scope": scope, "type": kind, "issuer": "iothub", "acceptingIpFilterRule": None}


def test_properties_stored_as_json_are_read_by_the_same_names() -> None:
    event = read(b'{"$.mid":"m","a":"1","iothub-message-source":"x"}', origin=ORIGIN._replace(encoding=Encoding.JSON))
    assert (event.properties, event.application) == ({"message-id": "m"}, {"a": "1"})
    assert read(b"", origin=ORIGIN._replace(encoding=Encoding.JSON)).application == {}


@pytest.mark.parametrize("encoding", list(Encoding))
def test_properties_that_cannot_be_read_cost_only_themselves(encoding: Encoding) -> None:
    event = read(b"[&" * MAX_PROPERTIES, b"body", origin=ORIGIN._replace(encoding=encoding))
    assert (event.application, event.body) == ({}, b"body")


def fact(kind: Any, data: Any, who: Identity = ORIGIN.identity, at: Any = NOON) -> AzureEvent:
    origin = Origin(who, Source.FACT, Encoding.JSON)
    return read(json.dumps({"kind": kind, "at": at}).encode(), json.dumps(data).encode(), origin=origin)


def test_a_fact_comes_from_the_hub_itself() -> None:
    event = fact("connected", {}, identity("press-7", "arm"))
    assert event.annotations == {
        "iothub-connection-device-id": "press-7",
        "iothub-connection-module-id": "arm",
        "iothub-enqueuedtime": "2026-01-31T12:00:00.250Z",
        "iothub-message-source": "deviceConnectionStateEvents",
    }
    assert event.application == {
        "hubName": "hub",
        "deviceId": "press-7",
        "moduleId": "arm",
        "opType": "deviceConnected",
        "operationTimestamp": "2026-01-31T12:00:00.0000000Z",
        "iothub-message-schema": "deviceConnectionStateNotification",
    }
    assert event.properties == {
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "user-id": "hub",
        "correlation-id": "2-7",
    }


def test_an_event_as_json_shows_its_body_as_what_it_is() -> None:
    def body(data: bytes, kind: str = "") -> Any:
        shown = event_json(replace(read(b"", data), properties={"content-type": kind}))
        return shown["body"]

    assert body(b'{"t":1}', "application/json;charset=utf-8") == {"t": 1}
    assert body(b"{t", "application/json") == "{t"
    assert body(b'{"t":1}') == '{"t":1}'
    assert body(b"\xff\x00") == {"base64": "/wA="}


def test_an_event_as_json_has_its_place_in_the_log() -> None:
    shown = event_json(read(b"%24.mid=m&a=1", b"x"))
    assert (shown["partition"], shown["sequenceNumber"], shown["offset"]) == (2, 7, "7")
    assert shown["properties"] == {"a": "1"}
    assert shown["systemProperties"]["message-id"] == "m"
    assert shown["systemProperties"]["iothub-connection-device-id"] == "press-7"
