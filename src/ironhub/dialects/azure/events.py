"""What is read from the event log, as a reader of Azure's built-in endpoint knows it.

What it protects: names that the hub vouches for (who sent it, how it was authenticated, when it came) are only ever
taken from the connection; what a device sends under these names is left out.
Source: azure "Create and read IoT Hub messages", "IoT Hub non-telemetry event schemas".
"""

from base64 import b64encode
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from ironhub.core.strict_json import JsonInvalid, decode_json, decode_json_object, encode_json
from ironhub.dialects.azure.amqp_stored import Stored, decode_stored
from ironhub.dialects.azure.fact_events import fact_event
from ironhub.dialects.azure.properties import Pair, PropertiesInvalid, decode_bag, split_bag
from ironhub.dialects.azure.timestamps import instant_ms
from ironhub.dialects.azure.twin_json import encode_ids
from ironhub.dialects.azure.vouched import is_vouched
from ironhub.identity.model import Proof
from ironhub.messaging.telemetry.model import Encoding, Flag, Logged, Origin, Source

_PROPERTY_NAMES: Final = {
    "$.mid": "message-id",
    "$.cid": "correlation-id",
    "$.uid": "user-id",
    "$.to": "to",
    "$.ct": "content-type",
    "$.ce": "content-encoding",
    "$.exp": "absolute-expiry-time",
}
_ANNOTATION_NAMES: Final = {
    "$.ctime": "iothub-creation-time-utc",
    "$.sub": "dt-subject",
    "$.ifid": "iothub-interface-id",
    "$.on": "iothub-output-name",
}
_AUTHENTICATION: Final[dict[str, str]] = {Proof.THUMBPRINT: "x509", Proof.CHAIN: "x509"}


@dataclass(frozen=True, slots=True)
class AzureEvent:
    """One event: the sections of an Event Hubs message, and where it stands in the log."""

    partition: int
    sequence_number: int
    enqueued_at: float
    """Seconds since the epoch."""
    body: bytes
    properties: dict[str, str] = field(default_factory=dict)
    """`message-id`, `content-type` and the like."""
    annotations: dict[str, str] = field(default_factory=dict)
    """What the hub says of it: `iothub-connection-device-id` and the like."""
    application: dict[str, str | None] = field(default_factory=dict)
    """The sender's own properties."""


def decode_event(logged: Logged, hub_name: str) -> AzureEvent:
    """Return the entry as a reader sees it; never fails, whatever a device managed to store."""
    origin, properties, body, flags = logged.entry
    came = {"iothub-enqueuedtime": instant_ms(logged.enqueued_at)}
    if origin.source is Source.FACT:
        told = fact_event(logged, hub_name)
        annotations = {**_ids(origin), **came, "iothub-message-source": told.source}
        sent, body = Stored(told.properties, annotations, told.application), told.body
    else:
        sent = decode_sent(origin.encoding, properties, flags)
        annotations = {**connection_annotations(origin), **came, **sent.annotations}
    return AzureEvent(
        logged.partition,
        logged.sequence_number,
        logged.enqueued_at,
        body,
        sent.system,
        annotations,
        sent.application,
    )


def connection_annotations(origin: Origin) -> dict[str, str]:
    """Return what the hub says of every message of one connection."""
    annotations = {
        **_ids(origin),
        "iothub-connection-auth-method": auth_method(origin),
        "iothub-connection-auth-generation-id": origin.generation_id,
        "iothub-message-source": "Telemetry",
    }
    return {**annotations, "dt-dataschema": origin.model_id} if origin.model_id else annotations


def decode_sent(encoding: Encoding, properties: bytes, flags: int) -> Stored:
    """Return the properties of a device's message for readers: without names that only the hub may use."""
    if encoding is Encoding.AZURE_AMQP:
        sent = decode_stored(properties)
    else:
        bag = split_bag(_pairs(encoding, properties))
        renamed = _renamed(bag.system, _PROPERTY_NAMES), _renamed(bag.system, _ANNOTATION_NAMES)
        sent = Stored(*renamed, bag.application)
    application = {name: value for name, value in sent.application.items() if not is_vouched(name)}
    return sent._replace(application=application | flag_properties(flags))


def flag_properties(flags: int) -> dict[str, str | None]:
    """Return the application properties that tell a reader of an entry's `flags`."""
    told: dict[str, str | None] = {}
    if flags & Flag.RETAIN:
        told["mqtt-retain"] = "true"
    if flags & Flag.DUPLICATE:
        told["mqtt-dup"] = "true"
    if flags & Flag.WILL:
        told["iothub-MessageType"] = "Will"
    return told


def event_json(event: AzureEvent) -> dict[str, Any]:
    """Return the event as one JSON object, for people and scripts that watch telemetry."""
    return {
        "body": _body(event),
        "systemProperties": {**event.properties, **event.annotations},
        "properties": event.application,
        "partition": event.partition,
        "sequenceNumber": event.sequence_number,
        "offset": str(event.sequence_number),
    }


def auth_method(origin: Origin) -> str:
    """Return the JSON text that tells how the sender was authenticated."""
    own = "device" if origin.identity.module_id is None else "module"
    scope = "hub" if origin.proof == Proof.POLICY_KEY else own
    return _auth_method(scope, _AUTHENTICATION.get(origin.proof, "sas"))


@lru_cache(maxsize=8)
def _auth_method(scope: str, kind: str) -> str:
    return encode_json({"scope": scope, "type": kind, "issuer": "iothub", "acceptingIpFilterRule": None}).decode()


def _ids(origin: Origin) -> dict[str, str]:
    names = {"deviceId": "iothub-connection-device-id", "moduleId": "iothub-connection-module-id"}
    return {names[name]: text for name, text in encode_ids(origin.identity).items()}


def _renamed(system: dict[str, str | None], names: dict[str, str]) -> dict[str, str]:
    return {names[name]: value or "" for name, value in system.items() if name in names}


def _pairs(encoding: Encoding, properties: bytes) -> list[Pair]:
    try:
        if encoding is Encoding.AZURE_TOPIC:
            return decode_bag(properties)
        return [(name, str(value)) for name, value in decode_json_object(properties or b"{}").items()]
    except (PropertiesInvalid, JsonInvalid):
        return []


def _body(event: AzureEvent) -> Any:
    """JSON where the sender says so and it is, else text, else base64 in an object that says so."""
    try:
        if "json" in event.properties.get("content-type", "").lower():
            return decode_json(event.body)
    except JsonInvalid:
        pass
    try:
        return event.body.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": b64encode(event.body).decode()}
