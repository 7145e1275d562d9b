"""Link addresses: what a client's link is for, told by the address it attaches to.

What it protects: an address names exactly one identity, and whoever opens the link judges that one. Its id is
percent-decoded once, and stays as it stands when that gives no id; segments are cut before, so no decoding ever moves
a boundary. Only fixed words compare without regard to case.
Source: azure-device-api 3.4, azure-service-api 5.2, 6.4-6.6. Links are told apart by address alone: the properties
that come with them may belong to another link of the same client.
"""

import re
from dataclasses import dataclass
from typing import ClassVar, Final
from urllib.parse import unquote

from ironhub.core.errors import HubError
from ironhub.core.ids import Identity, InvalidId, device_id, identity

CBS_NODE: Final = "$cbs"
MANAGEMENT_NODE: Final = "$management"
MAX_ADDRESS: Final = 2048
"""Characters; two ids of 128 percent-encoded characters and a host fit."""
_AUTHORITY: Final = re.compile(r"\A(?:amqps?|sb)://[^/]*", re.IGNORECASE)
_MAX_SHOWN: Final = 200


class AddressUnknown(HubError):
    """No link can be attached there in this direction."""

    code: ClassVar[str] = "link.address_unknown"
    status: ClassVar[int] = 404
    next_step: ClassVar[str] = "Use one of the link addresses of Azure IoT Hub, and the direction that goes with it."


@dataclass(frozen=True, slots=True)
class CbsNode:
    """Where tokens are put, and where the answers come from."""


@dataclass(frozen=True, slots=True)
class DeviceTelemetry:
    """A device or module sends telemetry."""

    identity: Identity


@dataclass(frozen=True, slots=True)
class DeviceCommands:
    """A device or module receives commands."""

    identity: Identity


@dataclass(frozen=True, slots=True)
class ModuleInputs:
    """A module receives what is routed to its inputs."""

    identity: Identity


@dataclass(frozen=True, slots=True)
class DeviceMethods:
    """Direct method calls come one way and their answers go the other."""

    identity: Identity


@dataclass(frozen=True, slots=True)
class DeviceTwin:
    """Twin requests go one way, answers and notices come the other."""

    identity: Identity


@dataclass(frozen=True, slots=True)
class ServiceCommands:
    """A back end sends commands."""


@dataclass(frozen=True, slots=True)
class CommandFeedback:
    """A back end receives what became of its commands."""


@dataclass(frozen=True, slots=True)
class FileNotifications:
    """A back end receives notices of uploaded files."""


@dataclass(frozen=True, slots=True)
class HubEvents:
    """The way to telemetry on the hub's own host, which is answered with the stream's address."""

    rest: str
    """What came behind `/messages/events/`, as sent, e.g. "ConsumerGroups/$Default/Partitions/0"; perhaps ""."""


@dataclass(frozen=True, slots=True)
class StreamManagement:
    """Questions about the stream of telemetry, and their answers."""


@dataclass(frozen=True, slots=True)
class StreamPartition:
    """A back end receives the events of one partition."""

    group: str
    """The consumer group as sent, percent-decoded."""
    partition: str


@dataclass(frozen=True, slots=True)
class StreamProducer:
    """A client wants to send into the stream of telemetry."""


Address = (
    CbsNode
    | DeviceTelemetry
    | DeviceCommands
    | ModuleInputs
    | DeviceMethods
    | DeviceTwin
    | ServiceCommands
    | CommandFeedback
    | FileNotifications
    | HubEvents
    | StreamManagement
    | StreamPartition
    | StreamProducer
)


def parse_address(text: str, *, receiver: bool, event_stream: str) -> Address:
    """Return what a link at `text` is for.

    Args:
        text: the address of the source when the client receives, of the target when it sends; it may begin with
            `amqps://{host}[:port]`, whatever the host.
        receiver: whether the client receives.
        event_stream: what the stream of telemetry is called at the Event Hubs-compatible endpoint.

    Raises:
        AddressUnknown
    """
    if len(text) <= MAX_ADDRESS:
        segments = _segments(text)
        words = [segment.lower() for segment in segments]
        address = _of(segments, words, receiver=receiver, event_stream=event_stream.lower())
        if address is not None:
            return address
    way = "receives from" if receiver else "sends to"
    raise AddressUnknown(f"The messaging entity {text[:_MAX_SHOWN]!a} could not be found: no link {way} it")


def command_targets(to: str) -> list[Identity]:
    """Return whom a command sent to `to` may be for: the id decoded first, then as it stands; [] when it is nobody."""
    if len(to) > MAX_ADDRESS:
        return []
    segments = _segments(to)
    readings: list[tuple[str, str | None]] = []
    match [segment.lower() for segment in segments]:
        case ["devices", _, "messages", "devicebound"]:
            readings = [(_id(segments[1]), None), (segments[1], None)]
        case ["devices", _, "modules", _, "messages", "devicebound"]:
            readings = [(_id(segments[1]), _id(segments[3])), (segments[1], segments[3])]
    found = [_identity(*reading) for reading in dict.fromkeys(readings)]
    return [who for who in found if who is not None]


def _of(segments: list[str], words: list[str], *, receiver: bool, event_stream: str) -> Address | None:
    match words:
        case ["$cbs"]:
            return CbsNode()
        case ["$management"]:
            return StreamManagement()
        case ["devices", *_]:
            return _device_link(segments, words, receiver=receiver)
        case ["messages", "events", *_]:
            return HubEvents("/".join(segments[2:]))
        case ["messages", *rest]:
            return _service_link(rest, receiver=receiver)
        case [entity, *rest] if entity == event_stream:
            return _stream_link(segments[1:], rest, receiver=receiver)
        case _:
            return None


def _device_link(segments: list[str], words: list[str], *, receiver: bool) -> Address | None:
    is_module = len(segments) > 3 and words[2] == "modules"
    who = _identity(_id(segments[1]), _id(segments[3]) if is_module else None) if len(segments) > 1 else None
    if who is None:
        return None
    rest = words[4 if is_module else 2 :]
    match rest:
        case ["messages", "events"]:
            if not receiver:
                return DeviceTelemetry(who)
            return None if who.module_id is None else ModuleInputs(who)
        case ["messages", "devicebound"]:
            return DeviceCommands(who) if receiver else None
        case ["methods", "devicebound"]:
            return DeviceMethods(who)
        case ["twin"]:
            return DeviceTwin(who)
        case _:
            return None


def _service_link(rest: list[str], *, receiver: bool) -> Address | None:
    match rest:
        case ["devicebound"] if not receiver:
            return ServiceCommands()
        case ["servicebound", "feedback"] if receiver:
            return CommandFeedback()
        case ["servicebound", "filenotifications"] if receiver:
            return FileNotifications()
        case _:
            return None


def _stream_link(segments: list[str], words: list[str], *, receiver: bool) -> Address | None:
    match words:
        case ["$management"]:
            return StreamManagement()
        case ["consumergroups", _, "partitions", _] if receiver:
            return StreamPartition(unquote(segments[1]), segments[3])
        case [] | ["partitions", _] | ["publishers", _] if not receiver:
            return StreamProducer()
        case _:
            return None


def _segments(text: str) -> list[str]:
    return _AUTHORITY.sub("", text, count=1).removeprefix("/").split("/")


def _identity(device: str, module: str | None) -> Identity | None:
    try:
        return identity(device, module)
    except InvalidId:
        return None


def _id(text: str) -> str:
    """Decoded once where that gives an id, else as it stands."""
    try:
        return device_id(unquote(text, errors="strict"))
    except (InvalidId, UnicodeDecodeError):
        return text
