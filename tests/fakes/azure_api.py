"""The vendor's REST APIs of one hub in memory, called without a socket, as back ends and as devices call them."""

import json
from collections.abc import Callable, Iterable
from typing import Any, cast
from urllib.parse import quote

from tests.fakes.channel import FakeChannel
from tests.fakes.clock import FakeClock, FakeEntropy
from tests.fakes.identities import HUB, OWNER_KEYS, KnownToTheHub, token_for
from tests.fakes.services import SmallHub

from ironhub.core.ids import Identity, identity
from ironhub.dialects.azure.events import AzureEvent, decode_event
from ironhub.heads.http.azure.application import AzureHttp
from ironhub.heads.http.azure.calls import CallGroup, LinkDoor
from ironhub.heads.http.azure.commands import CommandCalls
from ironhub.heads.http.azure.device_messages import DeviceMessageCalls
from ironhub.heads.http.azure.identities import IdentityCalls
from ironhub.heads.http.azure.twins import TwinCalls
from ironhub.heads.http.messages import Head, Request, Response
from ironhub.identity.audience import HubNames, device_resource
from ironhub.identity.gate import Gate
from ironhub.identity.model import Right
from ironhub.messaging.commands.service import CommandService
from ironhub.messaging.methods.model import MethodAnswer, MethodCall
from ironhub.messaging.methods.service import MethodService
from ironhub.messaging.sessions.service import LiveSessions
from ironhub.messaging.telemetry.service import TelemetryService
from ironhub.registry.family import DeviceFamily
from ironhub.registry.service import RegistryService
from ironhub.streams.inproc import MemoryLog
from ironhub.streams.settings import LogSettings
from ironhub.twins.service import TwinService

PRESS = identity("press-7")
ARM = identity("press-7", "arm")
NODE_CREATE = {
    "deviceId": "press-7",
    "status": "enabled",
    "authentication": {"type": "sas", "symmetricKey": {"primaryKey": "", "secondaryKey": ""}},
}
"""What the Node SDK sends to create or update a device."""


class FakeMethods:
    """Answers as the test says."""

    def __init__(self) -> None:
        self.calls: list[tuple[Identity, MethodCall]] = []
        self.outcome: MethodAnswer | Exception = MethodAnswer(200, b'{"ok": true}')

    async def invoke(self, grant: Any, call: MethodCall) -> MethodAnswer:
        """Remember the call."""
        self.calls.append((grant.identity, call))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


Groups = Callable[["AzureApi"], Iterable[CallGroup]]


class AzureApi:
    """The APIs with policies of each kind; make it inside a running event loop.

    `groups` returns the calls that are served besides those of devices, twins, commands and telemetry.
    """

    def __init__(self, groups: Groups | None = None, *, links: LinkDoor | None = None) -> None:
        self.hub = SmallHub()
        self.stores, self.clock, self.entropy = self.hub.stores, self.hub.clock, FakeEntropy("api")
        self.methods = FakeMethods()
        self.channel = FakeChannel()
        self.sessions: list[None] = [None] * 3
        self.log = MemoryLog(self.clock, LogSettings(partitions=1))
        self.known = KnownToTheHub()
        self.known.put_policy("owner", *Right)
        self.known.put_policy("service", Right.SERVICE_CONNECT)
        self.known.put_policy("reader", Right.REGISTRY_READ)
        self.known.put_policy("device", Right.DEVICE_CONNECT)
        names = HubNames([HUB, "localhost"])
        self.gate = Gate(self.stores.devices, self.known, self.known, names, self.clock)
        self.registry = RegistryService(self.stores.devices, self.hub.bus, self.clock, self.entropy)
        self.twins = TwinService(self.stores.twins, self.hub.bus, self.clock)
        self.commands = CommandService(self.stores.commands, self.hub.bus, self.clock, self.entropy)
        methods = cast("MethodService", self.methods)
        self.service = AzureHttp(
            [
                IdentityCalls(self.registry, cast("LiveSessions", self.sessions)),
                TwinCalls(self.twins, self.registry),
                CommandCalls(self.commands, methods, DeviceFamily(self.stores.devices)),
                DeviceMessageCalls(TelemetryService(self.log), self.commands),
                *(groups(self) if groups else ()),
            ],
            gate=self.gate,
            clock=self.clock,
            entropy=self.entropy,
            links=links,
        )

    def token(self, policy: str = "owner", resource: str = HUB) -> str:
        """A back end's token."""
        return token_for(resource, clock=self.clock, key=OWNER_KEYS.primary, policy=policy)

    async def device_token(self, who: Identity, *, signed_for: Identity | None = None) -> str:
        """A token signed with the key of `who`, for itself unless told otherwise."""
        known = await self.stores.devices.known_identity(who)
        assert known is not None
        assert known.credentials.keys is not None
        resource = device_resource(HUB, who if signed_for is None else signed_for)
        return token_for(resource, clock=self.clock, key=known.credentials.keys.primary)

    async def call(
        self, method: str, path: str, body: Any = None, *, policy: str | None = "owner", **headers: str
    ) -> Response:
        """Make a back end's request; header names as keyword with "_" for "-"."""
        if policy is not None:
            headers.setdefault("authorization", self.token(policy))
        return await self.send(method, path, b"" if body is None else json.dumps(body).encode(), **headers)

    async def call_as(self, who: Identity, method: str, path: str, body: bytes = b"", **headers: str) -> Response:
        """Make a request as the device or module that the key of `who` belongs to."""
        headers.setdefault("authorization", await self.device_token(who))
        return await self.send(method, path, body, **headers)

    async def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> Response:
        """Make a request with nothing but these headers and the host."""
        path, _, query = path.partition("?")
        headers.setdefault("host", HUB)
        fields = tuple((name.replace("_", "-"), text) for name, text in headers.items())
        head = Head(method, path, query, {name.lower(): text for name, text in fields}, fields=fields)
        return await self.service.answer(Request(head, body, self.channel))

    async def create(self, device: str = "press-7", module: str | None = None) -> Any:
        """Create a device or module with keys."""
        path = f"/devices/{quote(device, safe='')}" + ("" if module is None else f"/modules/{module}")
        return shown(await self.call("PUT", path, {}))

    async def stored(self) -> list[AzureEvent]:
        """Return all telemetry, as a reader sees it."""
        batch = await self.log.read(0, 0)
        return [decode_event(logged, "hub") for logged in batch.entries]


def shown(response: Response) -> Any:
    """The JSON of a response that must be good."""
    assert response.status == 200, response.body
    assert response.content_type == "application/json; charset=utf-8"
    return json.loads(response.body)


def header(response: Response, name: str) -> str | None:
    """The value of a header, or None."""
    return next((value for key, value in response.headers if key == name), None)


def refused(response: Response) -> tuple[int, str | None]:
    """Status and name of an error."""
    assert response.content_type == "application/json; charset=utf-8"
    assert json.loads(response.body)["Message"]
    assert header(response, "x-ms-request-id")
    return response.status, header(response, "iothub-errorcode")


__all__ = ["ARM", "HUB", "NODE_CREATE", "PRESS", "AzureApi", "FakeClock", "FakeMethods", "header", "refused", "shown"]
