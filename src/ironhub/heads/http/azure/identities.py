"""Devices, modules and how many there are (azure-service-api 4.1 to 4.3, 4.5)."""

from collections.abc import Sequence
from typing import Final

from ironhub.access.model import WHOLE_HUB, Permission
from ironhub.dialects.azure.identity_json import decode_device, decode_module, encode_device, encode_module
from ironhub.heads.http.azure.calls import Call, Route, json_response
from ironhub.heads.http.messages import Response
from ironhub.messaging.sessions.service import LiveSessions
from ironhub.registry.service import RegistryService

MAX_LISTED: Final = 1000


class IdentityCalls:
    """The identity registry."""

    def __init__(self, registry: RegistryService, sessions: LiveSessions) -> None:
        self._registry = registry
        self._sessions = sessions

    def routes(self) -> Sequence[Route]:
        """Return what it serves."""
        device, module = "/devices/{device}", "/devices/{device}/modules/{module}"
        return [
            Route("GET", "/devices", self._list_devices),
            Route("GET", device, self._get_device),
            Route("PUT", device, self._put_device),
            Route("DELETE", device, self._delete_device),
            Route("GET", f"{device}/modules", self._list_modules),
            Route("GET", module, self._get_module),
            Route("PUT", module, self._put_module),
            Route("DELETE", module, self._delete_module),
            Route("GET", "/statistics/devices", self._count_devices),
            Route("GET", "/statistics/service", self._count_connected),
        ]

    async def _list_devices(self, call: Call) -> Response:
        wanted = call.query.get("top", "")
        limit = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) <= 4 else MAX_LISTED
        limit = limit if 1 <= limit <= MAX_LISTED else MAX_LISTED
        page = await self._registry.list_devices(call.may(Permission.REGISTRY_READ, WHOLE_HUB), limit=limit)
        return json_response([encode_device(device) for device in page.items])

    async def _get_device(self, call: Call) -> Response:
        device = await self._registry.get_device(call.may(Permission.REGISTRY_READ))
        return json_response(encode_device(device), etag=device.etag)

    async def _put_device(self, call: Call) -> Response:
        grant = call.may(Permission.REGISTRY_WRITE)
        draft = decode_device(call.request.body, grant.identity.device_id)
        device = await self._registry.put_device(grant, draft, if_match=call.if_match)
        return json_response(encode_device(device), etag=device.etag)

    async def _delete_device(self, call: Call) -> Response:
        await self._registry.delete_device(call.may(Permission.REGISTRY_WRITE), if_match=call.if_match)
        return Response(204)

    async def _list_modules(self, call: Call) -> Response:
        modules = await self._registry.list_modules(call.may(Permission.REGISTRY_READ))
        return json_response([encode_module(module) for module in modules])

    async def _get_module(self, call: Call) -> Response:
        module = await self._registry.get_module(call.may(Permission.REGISTRY_READ))
        return json_response(encode_module(module), etag=module.etag)

    async def _put_module(self, call: Call) -> Response:
        grant = call.may(Permission.REGISTRY_WRITE)
        draft = decode_module(call.request.body, grant.identity)
        module = await self._registry.put_module(grant, draft, if_match=call.if_match)
        return json_response(encode_module(module), etag=module.etag)

    async def _delete_module(self, call: Call) -> Response:
        await self._registry.delete_module(call.may(Permission.REGISTRY_WRITE), if_match=call.if_match)
        return Response(204)

    async def _count_devices(self, call: Call) -> Response:
        total, enabled = await self._registry.count(call.may(Permission.REGISTRY_READ, WHOLE_HUB))
        counts = {"totalDeviceCount": total, "enabledDeviceCount": enabled, "disabledDeviceCount": total - enabled}
        return json_response(counts)

    async def _count_connected(self, call: Call) -> Response:
        call.may(Permission.REGISTRY_READ, WHOLE_HUB)
        return json_response({"connectedDeviceCount": len(self._sessions)})
