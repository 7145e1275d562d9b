"""MQTT topics of Azure IoT Hub: what a device's publish or subscription asks for, and where the hub publishes.

What it protects: a device reaches only topics of its own identity; ids in a topic are compared as they stand, never
decoded (the SDKs do not encode them).
Source: azure "Communicate with an IoT hub using the MQTT protocol".
"""

import re
from enum import Flag, auto
from typing import ClassVar, Final, NamedTuple
from urllib.parse import quote

from ironhub.core.errors import HubError
from ironhub.core.ids import Identity
from ironhub.dialects.azure.properties import Pair, check_bag, encode_bag
from ironhub.dialects.azure.timestamps import instant
from ironhub.messaging.commands.model import Ack, Command

WEBSOCKET_PATHS: Final = ("/$iothub/websocket", "/$servicebus/websocket")
"""Where SDKs ask for MQTT over WebSocket, with anything in front of it."""
MAX_REQUEST_ID: Final = 256
"""Characters."""
_METHOD_ANSWER: Final = re.compile(r"\$iothub/methods/res/(-?[0-9]{1,10})/\?(.*)", re.DOTALL)
_GET_TWIN: Final = "$iothub/twin/GET/?"
_PATCH_REPORTED: Final = "$iothub/twin/PATCH/properties/reported/?"
_MAX_STATUS: Final = 2**31


class UnknownTopic(HubError):
    """No client may publish or subscribe there: it means nothing, or only the hub publishes there."""

    code: ClassVar[str] = "topic.unknown"
    status: ClassVar[int] = 404
    next_step: ClassVar[str] = "Use one of the topics of Azure IoT Hub's MQTT reference, spelt exactly."


class ForeignTopic(HubError):
    """The topic belongs to another device or module."""

    code: ClassVar[str] = "topic.foreign"
    status: ClassVar[int] = 403
    next_step: ClassVar[str] = "Use your own device id (and module id) in the topic; ids are case-sensitive."


class SendTelemetry(NamedTuple):
    """Telemetry; `bag` are its properties as sent, still encoded."""

    bag: bytes


class GetTwin(NamedTuple):
    """Read the own twin; the answer repeats `request_id`."""

    request_id: str


class PatchReported(NamedTuple):
    """Merge into the own reported properties."""

    request_id: str


class AnswerMethod(NamedTuple):
    """The device's answer to the call that the hub named `request_id`."""

    request_id: str
    status: int


Operation = SendTelemetry | GetTwin | PatchReported | AnswerMethod


class Feed(Flag):
    """What the hub publishes to a device."""

    COMMANDS = auto()
    METHODS = auto()
    TWIN_RESPONSES = auto()
    DESIRED = auto()
    INPUTS = auto()


def operation_of(topic: str, who: Identity) -> Operation:
    """Return what a publish of `who` to `topic` asks for. Raises UnknownTopic, ForeignTopic, PropertiesInvalid."""
    if topic.startswith("$iothub/"):
        return _hub_operation(topic)
    events = f"{base_of(who)}/messages/events"
    bag = topic[len(events) :]
    if not topic.startswith(events) or (bag and bag[0] != "/"):
        raise _refusal(topic, who)
    bag = bag[1:].removesuffix("/")  # the Node SDK ends output topics in "/"
    check_bag(bag)
    return SendTelemetry(bag.encode())


def will_of(topic: str, who: Identity) -> SendTelemetry:
    """Return what a last will to `topic` sends: own telemetry and nothing else. Raises as `operation_of`."""
    operation = operation_of(topic, who)
    if not isinstance(operation, SendTelemetry):
        raise UnknownTopic("a last will can only be telemetry")
    return operation


def feeds_of(topic_filter: str, who: Identity) -> Feed:
    """Return what `topic_filter` (well-formed) covers of `who`'s feeds. Raises UnknownTopic, ForeignTopic.

    It may match only some topics of a feed: compare each topic with the filter before it is sent.
    Wildcards may stand for anything but the first level and the ids: no filter of ours ever spans identities.
    """
    levels = topic_filter.split("/")
    feeds = Feed(0)
    for feed, prefix, literal in _feeds(who):
        if _reaches(levels, prefix, literal):
            feeds |= feed
    if not feeds:
        raise _refusal(topic_filter, who)
    return feeds


def base_of(who: Identity) -> str:
    """Return where the topics of `who` begin, e.g. "devices/press-7/modules/arm"."""
    base = f"devices/{who.device_id}"
    return base if who.module_id is None else f"{base}/modules/{who.module_id}"


def command_topic(who: Identity, command: Command) -> str:
    """Return where a command is published, with its properties; the "/" before the bag is always there."""
    return f"{base_of(who)}/messages/devicebound/{encode_bag(command_pairs(command))}"


def command_pairs(command: Command) -> list[Pair]:
    """Return a command's properties under their names on the wire, system properties first."""
    named = (
        ("$.mid", command.message_id),
        ("$.cid", command.correlation_id),
        ("$.uid", command.user_id),
        ("$.to", f"/{base_of(command.identity)}/messages/deviceBound"),
        ("$.ct", command.content_type),
        ("$.ce", command.content_encoding),
        ("$.exp", instant(command.expires_at)),
        ("iothub-ack", "" if command.ack is Ack.NONE else command.ack.value),
    )
    return [*((name, value) for name, value in named if value), *command.properties.items()]


def input_topic(who: Identity, name: str, pairs: list[Pair]) -> str:
    """Return where a message for the input `name` of a module is published."""
    return f"{base_of(who)}/inputs/{quote(name, safe='')}/{encode_bag(pairs)}"


def method_topic(name: str, request_id: str) -> str:
    """Return where a direct method call is published."""
    return f"$iothub/methods/POST/{quote(name, safe='')}/?$rid={request_id}"


def twin_response_topic(status: int, request_id: str, version: int | None = None) -> str:
    """Return where the answer to a twin request is published; `$rid` first, as it was sent."""
    topic = f"$iothub/twin/res/{status}/?$rid={request_id}"
    return topic if version is None else f"{topic}&$version={version}"


def desired_topic(version: int) -> str:
    """Return where a change of the desired properties is published."""
    return f"$iothub/twin/PATCH/properties/desired/?$version={version}"


def _hub_operation(topic: str) -> Operation:
    if topic.startswith(_GET_TWIN):
        return GetTwin(_request_id(topic[len(_GET_TWIN) :]))
    if topic.startswith(_PATCH_REPORTED):
        return PatchReported(_request_id(topic[len(_PATCH_REPORTED) :]))
    answer = _METHOD_ANSWER.match(topic)
    if answer and -_MAX_STATUS <= int(answer[1]) < _MAX_STATUS:
        return AnswerMethod(_request_id(answer[2]), int(answer[1]))
    raise UnknownTopic(f"no client publishes to {_shown(topic)}")


def _request_id(query: str) -> str:
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if name in {"$rid", "%24rid"} and 0 < len(value) <= MAX_REQUEST_ID:
            return value
    raise UnknownTopic("the topic needs a request id: end it with /?$rid=…")


def _feeds(who: Identity) -> list[tuple[Feed, list[str], int]]:
    """Each feed of `who`: the levels that begin its topics, and how many of them a filter must spell out."""
    own = base_of(who).split("/")
    feeds = [
        (Feed.COMMANDS, [*own, "messages", "devicebound"], len(own)),
        (Feed.METHODS, ["$iothub", "methods", "POST"], 1),
        (Feed.TWIN_RESPONSES, ["$iothub", "twin", "res"], 1),
        (Feed.DESIRED, ["$iothub", "twin", "PATCH", "properties", "desired"], 1),
    ]
    return feeds if who.module_id is None else [*feeds, (Feed.INPUTS, [*own, "inputs"], len(own))]


def _reaches(levels: list[str], prefix: list[str], literal: int) -> bool:
    """Whether the filter asks for anything behind `prefix`."""
    for place, wanted in enumerate(prefix):
        level = levels[place] if place < len(levels) else None
        if level == "#" and place >= literal:
            return True
        if level != wanted and not (level == "+" and place >= literal):
            return False
    return len(levels) > len(prefix)


def _refusal(topic: str, who: Identity) -> HubError:
    device, _, rest = topic.removeprefix("devices/").partition("/")
    own = device == who.device_id and (
        not rest.startswith("modules/") if who.module_id is None else rest.startswith(f"modules/{who.module_id}/")
    )
    if topic.startswith("devices/") and not own:
        return ForeignTopic(f"{_shown(topic)} belongs to another identity")
    return UnknownTopic(f"no client uses {_shown(topic)}")


def _shown(topic: str) -> str:
    return ascii(topic[:200])
