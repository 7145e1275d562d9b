"""Twins of devices and modules (azure-service-api 4.6)."""

from collections.abc import Awaitable, Callable, Sequence

from ironhub.access.model import Permission
from ironhub.dialects.azure.twin_json import decode_twin_wish, encode_twin
from ironhub.heads.http.azure.calls import Call, Route, json_response
from ironhub.heads.http.messages import Response
from ironhub.registry.service import RegistryService
from ironhub.twins.model import Twin, etag_of
from ironhub.twins.service import TwinService


class TwinCalls:
    """Twins, as back ends see them."""

    def __init__(self, twins: TwinService, registry: RegistryService) -> None:
        self._twins = twins
        self._registry = registry

    def routes(self) -> Sequence[Route]:
        """Return what it serves."""
        calls = {"GET": self._get_twin, "PATCH": self._update_twin, "PUT": self._replace_twin}
        paths = "/twins/{device}", "/twins/{device}/modules/{module}"
        return [Route(method, path, call) for path in paths for method, call in calls.items()]

    async def _get_twin(self, call: Call) -> Response:
        return await self._shown(call, await self._twins.read(call.may(Permission.TWIN_READ)))

    async def _update_twin(self, call: Call) -> Response:
        return await self._changed(call, self._twins.update)

    async def _replace_twin(self, call: Call) -> Response:
        return await self._changed(call, self._twins.replace)

    async def _changed(self, call: Call, change: Callable[..., Awaitable[Twin]]) -> Response:
        grant = call.may(Permission.TWIN_WRITE)
        tags, desired = decode_twin_wish(call.request.body)
        return await self._shown(call, await change(grant, tags=tags, desired=desired, if_match=call.if_match))

    async def _shown(self, call: Call, twin: Twin) -> Response:
        owner = await self._registry.twin_owner(call.may(Permission.TWIN_READ))
        return json_response(encode_twin(twin, owner), etag=etag_of(twin))
