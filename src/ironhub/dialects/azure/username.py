"""What an MQTT CONNECT of an Azure client claims: its client id and username read together.

Source: azure "Communicate with an IoT hub using the MQTT protocol"; the forms of the vendor's SDKs.
The client id is the anchor: the username must repeat it as it stands, so ids may hold "?" or "%" and stay unambiguous.
"""

import re
from dataclasses import dataclass
from typing import ClassVar, Final
from urllib.parse import unquote

from ironhub.core.errors import HubError
from ironhub.core.ids import Identity, InvalidId, identity

MAX_USERNAME: Final = 4096
"""Characters."""
MAX_PARAMETER: Final = 2048
"""Characters of the model id or the client type."""
_BARE_QUERY: Final = re.compile(r"[A-Za-z][A-Za-z-]*=")


class ConnectMalformed(HubError):
    """The client id or the username is not one of an Azure IoT client."""

    code: ClassVar[str] = "connect.malformed"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Use the device id as client id, and {hub}/{client id}/?api-version=2021-04-12."


class ClientIdMismatch(ConnectMalformed):
    """The username names somebody else than the client id does."""

    code: ClassVar[str] = "connect.client_id_mismatch"
    next_step: ClassVar[str] = "Repeat the client id in the username, letter by letter: {hub}/{client id}/?…"


class ApiVersionMissing(ConnectMalformed):
    """The username has no api-version."""

    code: ClassVar[str] = "connect.api_version_missing"
    next_step: ClassVar[str] = "End the username with /?api-version=2021-04-12."


@dataclass(frozen=True, slots=True)
class ConnectClaim:
    """What the peer says of itself; nothing of it is verified."""

    identity: Identity
    host: str
    """The hub's name as the client knows it, with a port when its connection string had one."""
    api_version: str
    model_id: str = ""
    """The plug-and-play model it announces, or empty."""
    client_type: str = ""
    """The SDK's description of itself, or empty."""


def decode_connect(client_id: str, username: str | None) -> ConnectClaim:
    """Return the claim. Raises ConnectMalformed, ClientIdMismatch, ApiVersionMissing."""
    if not username or len(username) > MAX_USERNAME:
        raise ConnectMalformed("the username is missing or too long")
    host, slash, rest = username.partition("/")
    if not host or not slash:
        raise ConnectMalformed("the username is not {hub}/{client id}/?api-version=…")
    who = _identity(client_id)
    parameters = _parameters(_query(rest, client_id))
    version = parameters.get("api-version", "")
    if not version:
        raise ApiVersionMissing("the username names no api-version")
    return ConnectClaim(
        identity=who,
        host=host,
        api_version=version[:MAX_PARAMETER],
        model_id=parameters.get("model-id", "")[:MAX_PARAMETER],
        client_type=parameters.get("DeviceClientType", "")[:MAX_PARAMETER],
    )


def _identity(client_id: str) -> Identity:
    device, slash, module = client_id.partition("/")
    try:
        return identity(device, module if slash else None)
    except InvalidId as error:
        raise ConnectMalformed(f"the client id is no device id or device/module: {error}") from error


def _query(rest: str, client_id: str) -> str:
    """What follows `{client id}` and an optional "/"; hand-written clients leave out the "?"."""
    tail = rest[len(client_id) :]
    if not rest.startswith(client_id) or (tail and tail[0] not in "/?"):
        raise ClientIdMismatch("the username does not repeat the client id")
    query = tail.removeprefix("/")
    if query.startswith("?"):
        return query[1:]
    if query and not _BARE_QUERY.match(query):
        raise ClientIdMismatch("the username does not repeat the client id")
    return query


def _parameters(query: str) -> dict[str, str]:
    """The first of each name, percent-decoded once; Node leaves the model id unencoded, which reads the same."""
    parameters: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        parameters.setdefault(unquote(name), unquote(value))
    return parameters
