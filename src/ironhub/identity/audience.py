"""What a SAS token was signed for, and which names are ours.

Protects against a token for one host, device or module being used at another: hosts compare as host names do, ids
compare exactly, and one path covers another by whole segments only.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple
from urllib.parse import quote

from ironhub.core.ids import Identity, InvalidId, identity

EVENTS_PATH: Final = "/messages/events"
"""Where telemetry lives below the hub, whatever name the Event Hubs-compatible endpoint gives it."""

_SCHEME: Final = re.compile(r"(?:sb|amqps|https)://", re.IGNORECASE)
# A name, an IPv4 address, or an IPv6 address in brackets; then perhaps a port.
_HOST: Final = re.compile(r"(?:\[([0-9a-fA-F:.%]{2,64})\]|([A-Za-z0-9._\-]{1,253}))(?::[0-9]{1,5})?")
_BARE_IPV6: Final = re.compile(r"[0-9a-fA-F]{0,4}:[0-9a-fA-F:.]*:[0-9a-fA-F.]{0,15}")


class Audience(NamedTuple):
    """A host and a path below it, e.g. `("hub.example", "/devices/press-7")`; path "" is the host itself."""

    host: str
    """As `normal_host` gives it."""
    path: str
    """Begins with "/" unless empty, never ends with one."""


def parse_audience(resource: str) -> Audience | None:
    """Return what `resource` (percent-decoded, once) names, or None when it is no host with an optional path.

    The host may carry a port and a prefix sb://, amqps:// or https://, which Event Hubs clients write.

    Source: Azure IoT Hub, "Control access with shared access signatures"; ports as the Node SDK sends them.
    """
    scheme = _SCHEME.match(resource)
    text = resource[scheme.end() :] if scheme else resource
    authority, slash, rest = text.partition("/")
    host = normal_host(authority)
    if host is None:
        return None
    path = f"{slash}{rest}"
    return None if "//" in path else Audience(host, path.removesuffix("/"))


def normal_host(text: str) -> str | None:
    """Return the host in lower case without port and brackets, or None when `text` is no host name."""
    match = _HOST.fullmatch(text)
    if match:
        return (match[1] or match[2]).lower()
    return text.lower() if _BARE_IPV6.fullmatch(text) else None


def identity_path(identity: Identity) -> str:
    """Return where an identity lives below the hub: `/devices/press-7` or `/devices/press-7/modules/arm`."""
    path = f"/devices/{identity.device_id}"
    return path if identity.module_id is None else f"{path}/modules/{identity.module_id}"


def identity_of(path: str) -> Identity | None:
    """Return who lives at `path`, the inverse of `identity_path`, or None when nobody can."""
    match path.split("/"):
        case ["", "devices", device]:
            parts: tuple[str, str | None] = device, None
        case ["", "devices", device, "modules", module]:
            parts = device, module
        case _:
            return None
    try:
        return identity(*parts)
    except InvalidId:
        return None


def covers(scope: str, path: str) -> bool:
    """Tell whether `path` is `scope` or lies below it: `/devices/d1` covers no `/devices/d10`."""
    return scope == "" or path == scope or path.startswith(f"{scope}/")


def device_resource(host: str, identity: Identity) -> str:
    """Return the resource that a device signs a token for, not yet percent-encoded."""
    return f"{host}{identity_path(identity)}"


def encode_resource(resource: str) -> str:
    """Return `resource` as it stands in `sr`: everything but letters, digits and `_.-~` as %XX."""
    return quote(resource, safe="")


class HubNames:
    """The names this hub answers under. One object is shared by all who ask; its content may be replaced."""

    def __init__(self, names: Iterable[str] = (), *, event_stream: str = "") -> None:
        self._names: frozenset[str] = frozenset()
        self.event_stream = event_stream.lower()
        """The name of the telemetry stream at the Event Hubs-compatible endpoint; "": there is none."""
        self.replace(names)

    def replace(self, names: Iterable[str]) -> None:
        """Answer under these names from here on; ports and case do not matter.

        Raises:
            ValueError: one of them is no host name; nothing was changed.
        """
        normal = {name: normal_host(name) for name in names}
        wrong = sorted(name for name, host in normal.items() if host is None)
        if wrong:
            raise ValueError(f"not a host name: {', '.join(map(repr, wrong))}")
        self._names = frozenset(host for host in normal.values() if host is not None)

    def __contains__(self, host: str) -> bool:
        """Tell whether `host`, with or without a port, is one of ours."""
        return normal_host(host) in self._names

    def __iter__(self) -> Iterator[str]:
        """The names in alphabetical order, as `normal_host` gives them."""
        return iter(sorted(self._names))
