"""The service REST API of Azure IoT Hub: authenticate once, decode, authorise, act, encode.

Protects against a second way in: every handler gets an `Admitted` caller, and reaches a service only with a grant.
Source: REST reference of IoT Hub service; what the vendor's SDKs accept (exact success codes, etags in quotes).
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from ironhub.access.model import WHOLE_HUB, Grant, Permission, Target
from ironhub.access.service import authorise
from ironhub.core.clock import Clock, Entropy
from ironhub.core.errors import HubError
from ironhub.core.ids import Identity, identity
from ironhub.core.strict_json import encode_json
from ironhub.dialects.azure.errors import ERROR_HEADER, azure_error, error_body, tracking_id
from ironhub.dialects.azure.identity_json import decode_device, decode_module, encode_device, encode_module
from ironhub.dialects.azure.if_match import decode_if_match, encode_etag
from ironhub.dialects.azure.method_json import decode_method_call, encode_method_answer
from ironhub.dialects.azure.twin_json import decode_twin_wish, encode_twin
from ironhub.heads.background import Background
from ironhub.heads.channel import Channel
from ironhub.heads.http.errors import InternalError, MethodNotAllowed
from ironhub.heads.http.messages import Head, Request, Response
from ironhub.heads.http.router import Match, Router, decode_query
from ironhub.identity.gate import Gate
from ironhub.identity.model import ServicePrincipal
from ironhub.messaging.commands.service import CommandService
from ironhub.messaging.methods.service import MethodService
from ironhub.messaging.sessions.service import LiveSessions
from ironhub.registry.service import RegistryService
from ironhub.twins.model import Twin, etag_of
from ironhub.twins.service import TwinService

log: Final = logging.getLogger(__name__)

MAX_LISTED: Final = 1000


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request whose caller the gate admitted, and what its path names."""

    principal: ServicePrincipal
    request: Request
    values: dict[str, str]

    @property
    def target(self) -> Identity:
        """The device or module the path names. Raises InvalidId."""
        return identity(self.values["device"], self.values.get("module"))

    @property
    def if_match(self) -> str | None:
        """The etag that must match, as `decode_if_match` returns it."""
        return decode_if_match(self.request.head.headers.get("if-match"))

    def may(self, permission: Permission, target: Target | None = None) -> Grant:
        """Return the grant, for what the path names unless `target` is given. Raises PermissionDenied, InvalidId."""
        return authorise(self.principal, permission, self.target if target is None else target)


Handler = Callable[[Admitted], Awaitable[Response]]


class AzureService:
    """Answers service requests; a heads.http.messages.Application."""

    def __init__(
        self,
        *,
        gate: Gate,
        registry: RegistryService,
        twins: TwinService,
        commands: CommandService,
        methods: MethodService,
        sessions: LiveSessions,
        clock: Clock,
        entropy: Entropy,
        background: Background | None = None,
    ) -> None:
        self._gate = gate
        self._registry = registry
        self._twins = twins
        self._commands = commands
        self._methods = methods
        self._sessions = sessions
        self._entropy = entropy
        self.clock = clock
        self.background = background if background is not None else Background()
        self._router: Router[Handler] = Router(self._routes())

    def _routes(self) -> list[tuple[str, str, Handler]]:
        device, module = "/devices/{device}", "/devices/{device}/modules/{module}"
        twin, module_twin = "/twins/{device}", "/twins/{device}/modules/{module}"
        return [
            ("GET", "/devices", self._list_devices),
            ("GET", device, self._get_device),
            ("PUT", device, self._put_device),
            ("DELETE", device, self._delete_device),
            ("DELETE", f"{device}/commands", self._purge),
            ("GET", f"{device}/modules", self._list_modules),
            ("GET", module, self._get_module),
            ("PUT", module, self._put_module),
            ("DELETE", module, self._delete_module),
            ("DELETE", f"{module}/commands", self._purge),
            ("GET", "/statistics/devices", self._count_devices),
            ("GET", "/statistics/service", self._count_connected),
            *((method, path, call) for path in (twin, module_twin) for method, call in self._twin_calls()),
            ("POST", f"{twin}/methods", self._invoke),
            ("POST", f"{module_twin}/methods", self._invoke),
        ]

    def _twin_calls(self) -> list[tuple[str, Handler]]:
        return [("GET", self._get_twin), ("PATCH", self._update_twin), ("PUT", self._replace_twin)]

    async def admit(self, head: Head, channel: Channel) -> Response | None:
        """Return the response that refuses a request before its body comes, or None."""
        try:
            await self._admitted(head, channel)
        except Exception as error:  # noqa: BLE001  # a bug costs its own request only
            return self._failed(error, head, channel)
        return None

    async def answer(self, request: Request) -> Response:
        """Return the response; an error is one too."""
        try:
            principal, match = await self._admitted(request.head, request.channel)
            return self._with_id(await match.handler(Admitted(principal, request, match.values)))
        except Exception as error:  # noqa: BLE001  # a bug costs its own request only
            return self._failed(error, request.head, request.channel)

    def refuse(self, error: HubError) -> Response:
        """Return the vendor's response for `error`."""
        return self._error_response(error, tracking_id(self._entropy, self.clock.now()))

    async def _admitted(self, head: Head, channel: Channel) -> tuple[ServicePrincipal, Match[Handler]]:
        match = self._router.find(head.method, head.path)
        principal = await self._gate.admit_service(head.headers.get("authorization"))
        channel.identified()
        return principal, match

    def _failed(self, error: Exception, head: Head, channel: Channel) -> Response:
        """Who asked for what goes to the log; never the query nor a header, which may hold a token."""
        tracking = tracking_id(self._entropy, self.clock.now())
        fields = {"tracking_id": tracking, "method": head.method, "path": head.path[:500], "peer": channel.peer_address}
        if not isinstance(error, HubError):
            log.error("http_request_failed", exc_info=error, extra=fields)
            return self._error_response(InternalError("something broke in the hub"), tracking)
        response = self._error_response(error, tracking)
        fields |= {"code": error.code, "detail": error.detail or str(error)}
        level = logging.WARNING if response.status >= 500 else logging.INFO
        log.log(level, "http_request_refused", extra=fields)
        return response

    def _error_response(self, error: HubError, tracking: str) -> Response:
        told = azure_error(error)
        headers = [(ERROR_HEADER, told.name)]
        if isinstance(error, MethodNotAllowed):
            headers.append(("Allow", ", ".join(error.allow)))
        return self._with_id(Response(told.status, error_body(error, tracking, self.clock.now()), tuple(headers)))

    def _with_id(self, response: Response) -> Response:
        headers = (*response.headers, ("x-ms-request-id", self._entropy.uuid()))
        return Response(response.status, response.body, headers, response.content_type)

    # Devices and modules

    async def _list_devices(self, call: Admitted) -> Response:
        wanted = decode_query(call.request.head.query).get("top", "")
        limit = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) <= 4 else MAX_LISTED
        limit = limit if 1 <= limit <= MAX_LISTED else MAX_LISTED
        page = await self._registry.list_devices(call.may(Permission.REGISTRY_READ, WHOLE_HUB), limit=limit)
        return _json([encode_device(device) for device in page.items])

    async def _get_device(self, call: Admitted) -> Response:
        device = await self._registry.get_device(call.may(Permission.REGISTRY_READ))
        return _json(encode_device(device), etag=device.etag)

    async def _put_device(self, call: Admitted) -> Response:
        grant = call.may(Permission.REGISTRY_WRITE)
        draft = decode_device(call.request.body, grant.identity.device_id)
        device = await self._registry.put_device(grant, draft, if_match=call.if_match)
        return _json(encode_device(device), etag=device.etag)

    async def _delete_device(self, call: Admitted) -> Response:
        await self._registry.delete_device(call.may(Permission.REGISTRY_WRITE), if_match=call.if_match)
        return Response(204)

    async def _list_modules(self, call: Admitted) -> Response:
        modules = await self._registry.list_modules(call.may(Permission.REGISTRY_READ))
        return _json([encode_module(module) for module in modules])

    async def _get_module(self, call: Admitted) -> Response:
        module = await self._registry.get_module(call.may(Permission.REGISTRY_READ))
        return _json(encode_module(module), etag=module.etag)

    async def _put_module(self, call: Admitted) -> Response:
        grant = call.may(Permission.REGISTRY_WRITE)
        draft = decode_module(call.request.body, grant.identity)
        module = await self._registry.put_module(grant, draft, if_match=call.if_match)
        return _json(encode_module(module), etag=module.etag)

    async def _delete_module(self, call: Admitted) -> Response:
        await self._registry.delete_module(call.may(Permission.REGISTRY_WRITE), if_match=call.if_match)
        return Response(204)

    async def _count_devices(self, call: Admitted) -> Response:
        total, enabled = await self._registry.count(call.may(Permission.REGISTRY_READ, WHOLE_HUB))
        counts = {"totalDeviceCount": total, "enabledDeviceCount": enabled, "disabledDeviceCount": total - enabled}
        return _json(counts)

    async def _count_connected(self, call: Admitted) -> Response:
        call.may(Permission.REGISTRY_READ, WHOLE_HUB)
        return _json({"connectedDeviceCount": len(self._sessions)})

    # Twins

    async def _get_twin(self, call: Admitted) -> Response:
        return await self._shown(call, await self._twins.read(call.may(Permission.TWIN_READ)))

    async def _update_twin(self, call: Admitted) -> Response:
        return await self._changed(call, self._twins.update)

    async def _replace_twin(self, call: Admitted) -> Response:
        return await self._changed(call, self._twins.replace)

    async def _changed(self, call: Admitted, change: Callable[..., Awaitable[Twin]]) -> Response:
        grant = call.may(Permission.TWIN_WRITE)
        tags, desired = decode_twin_wish(call.request.body)
        return await self._shown(call, await change(grant, tags=tags, desired=desired, if_match=call.if_match))

    async def _shown(self, call: Admitted, twin: Twin) -> Response:
        owner = await self._registry.twin_owner(call.may(Permission.TWIN_READ))
        return _json(encode_twin(twin, owner), etag=etag_of(twin))

    # Commands and methods

    async def _purge(self, call: Admitted) -> Response:
        who = call.target
        purged = await self._commands.purge(call.may(Permission.COMMAND_PURGE))
        return _json({"totalMessagesPurged": purged, "deviceId": who.device_id, "moduleId": who.module_id})

    async def _invoke(self, call: Admitted) -> Response:
        grant = call.may(Permission.METHOD_INVOKE)
        answer = await self._methods.invoke(grant, decode_method_call(call.request.body))
        return Response(200, encode_method_answer(answer))


def _json(value: Any, *, etag: str | None = None) -> Response:
    return Response(200, encode_json(value), () if etag is None else (("ETag", encode_etag(etag)),))
