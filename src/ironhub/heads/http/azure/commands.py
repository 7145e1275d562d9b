"""Command queues, and direct methods (azure-service-api 4.1, 4.7), which modules call too (azure-device-api 2.6)."""

from collections.abc import Sequence

from ironhub.access.model import Grant, Permission
from ironhub.access.ports import FamilySource
from ironhub.access.service import authorise_in_family
from ironhub.dialects.azure.method_json import decode_method_call, encode_method_answer
from ironhub.heads.http.azure.calls import Call, Door, Route, json_response
from ironhub.heads.http.messages import Response
from ironhub.identity.model import DevicePrincipal
from ironhub.messaging.commands.service import CommandService
from ironhub.messaging.methods.service import MethodService


class CommandCalls:
    """What back ends, and the modules of a device, send to devices."""

    def __init__(self, commands: CommandService, methods: MethodService, family: FamilySource) -> None:
        self._commands = commands
        self._methods = methods
        self._family = family

    def routes(self) -> Sequence[Route]:
        """Return what it serves."""
        return [
            Route("DELETE", "/devices/{device}/commands", self._purge),
            Route("DELETE", "/devices/{device}/modules/{module}/commands", self._purge),
            Route("POST", "/twins/{device}/methods", self._invoke, Door.SERVICE_OR_MODULE),
            Route("POST", "/twins/{device}/modules/{module}/methods", self._invoke, Door.SERVICE_OR_MODULE),
        ]

    async def _purge(self, call: Call) -> Response:
        who = call.target
        purged = await self._commands.purge(call.may(Permission.COMMAND_PURGE))
        return json_response({"totalMessagesPurged": purged, "deviceId": who.device_id, "moduleId": who.module_id})

    async def _invoke(self, call: Call) -> Response:
        answer = await self._methods.invoke(await self._grant(call), decode_method_call(call.request.body))
        return Response(200, encode_method_answer(answer))

    async def _grant(self, call: Call) -> Grant:
        if isinstance(call.principal, DevicePrincipal):
            return await authorise_in_family(call.principal, Permission.METHOD_INVOKE, call.target, self._family)
        return call.may(Permission.METHOD_INVOKE)
