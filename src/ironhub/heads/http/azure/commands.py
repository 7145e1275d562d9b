"""Command queues, and direct methods (azure-service-api 4.1, 4.7)."""

from collections.abc import Sequence

from ironhub.access.model import Permission
from ironhub.dialects.azure.method_json import decode_method_call, encode_method_answer
from ironhub.heads.http.azure.calls import Call, Route, json_response
from ironhub.heads.http.messages import Response
from ironhub.messaging.commands.service import CommandService
from ironhub.messaging.methods.service import MethodService


class CommandCalls:
    """What back ends send to devices."""

    def __init__(self, commands: CommandService, methods: MethodService) -> None:
        self._commands = commands
        self._methods = methods

    def routes(self) -> Sequence[Route]:
        """Return what it serves."""
        return [
            Route("DELETE", "/devices/{device}/commands", self._purge),
            Route("DELETE", "/devices/{device}/modules/{module}/commands", self._purge),
            Route("POST", "/twins/{device}/methods", self._invoke),
            Route("POST", "/twins/{device}/modules/{module}/methods", self._invoke),
        ]

    async def _purge(self, call: Call) -> Response:
        who = call.target
        purged = await self._commands.purge(call.may(Permission.COMMAND_PURGE))
        return json_response({"totalMessagesPurged": purged, "deviceId": who.device_id, "moduleId": who.module_id})

    async def _invoke(self, call: Call) -> Response:
        grant = call.may(Permission.METHOD_INVOKE)
        answer = await self._methods.invoke(grant, decode_method_call(call.request.body))
        return Response(200, encode_method_answer(answer))
