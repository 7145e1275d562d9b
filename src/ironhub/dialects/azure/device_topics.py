"""MQTT topics of Azure IoT Hub as a device uses them: the other side of `topics`.

What it protects: who plays a device says only what the vendor's clients say, and takes what the hub publishes to it
apart as strictly as the hub takes a device's words.
Source: azure "Communicate with an IoT hub using the MQTT protocol".
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from ironhub.core.ids import Identity
from ironhub.dialects.azure.properties import Pair, encode_bag
from ironhub.dialects.azure.topics import base_of

API_VERSION: Final = "2021-04-12"
_METHOD: Final = re.compile(r"\$iothub/methods/POST/([^/]+)/\?\$rid=([^&]+)", re.DOTALL)
_TWIN_ANSWER: Final = re.compile(r"\$iothub/twin/res/([0-9]{1,5})/\?\$rid=([^&]+)", re.DOTALL)
_DESIRED: Final = re.compile(r"\$iothub/twin/PATCH/properties/desired/\?\$version=([0-9]{1,19})")


class MethodCalled(NamedTuple):
    """The hub calls a direct method; the answer repeats `request_id`."""

    name: str
    request_id: str


class TwinAnswered(NamedTuple):
    """The answer to a twin request of ours."""

    status: int
    request_id: str


class DesiredChanged(NamedTuple):
    """Operators want something else; the payload is the patch."""

    version: int


class CommandArrived(NamedTuple):
    """A command, with its properties as sent, still encoded."""

    bag: str


Heard = MethodCalled | TwinAnswered | DesiredChanged | CommandArrived


def username_of(who: Identity, host: str, client_type: str) -> str:
    """Return the user name of the CONNECT with which `who` asks the hub `host` in; its client id is `str(who)`."""
    return f"{host}/{who}/?api-version={API_VERSION}&DeviceClientType={quote(client_type, safe='')}"


def telemetry_topic(who: Identity, pairs: Iterable[Pair]) -> str:
    """Return where telemetry with these properties is published."""
    return f"{base_of(who)}/messages/events/{encode_bag(pairs)}"


def feeds_wanted(who: Identity) -> tuple[str, ...]:
    """Return the filters of all that the hub may publish to `who`."""
    return (
        "$iothub/methods/POST/#",
        "$iothub/twin/res/#",
        "$iothub/twin/PATCH/properties/desired/#",
        f"{base_of(who)}/messages/devicebound/#",
    )


def get_twin_topic(request_id: str) -> str:
    """Return where the own twin is asked for."""
    return f"$iothub/twin/GET/?$rid={request_id}"


def patch_reported_topic(request_id: str) -> str:
    """Return where a change of the reported properties is published."""
    return f"$iothub/twin/PATCH/properties/reported/?$rid={request_id}"


def method_answer_topic(status: int, request_id: str) -> str:
    """Return where the answer to a direct method is published."""
    return f"$iothub/methods/res/{status}/?$rid={request_id}"


def heard(topic: str, who: Identity) -> Heard | None:
    """Return what a publish of the hub to `topic` means for `who`; None: nothing that is known."""
    if found := _METHOD.fullmatch(topic):
        return MethodCalled(unquote(found[1]), found[2])
    if found := _TWIN_ANSWER.match(topic):
        return TwinAnswered(int(found[1]), found[2])
    if found := _DESIRED.fullmatch(topic):
        return DesiredChanged(int(found[1]))
    commands = f"{base_of(who)}/messages/devicebound/"
    return CommandArrived(topic[len(commands) :]) if topic.startswith(commands) else None
