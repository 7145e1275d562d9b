"""Digital twins and their commands (azure-service-api 4.12)."""

from collections.abc import Sequence
from typing import Final

from ironhub.access.model import Permission
from ironhub.core.errors import InvalidArgument
from ironhub.core.strict_json import decode_json, encode_json
from ironhub.dialects.azure.digital_twin_json import DesiredInvalid, command_name, desired_patch, encode_digital_twin
from ironhub.dialects.azure.if_match import encode_etag
from ironhub.dialects.azure.json_patch import decode_json_patch
from ironhub.dialects.azure.method_json import DEFAULT_CONNECT_TIMEOUT, DEFAULT_RESPONSE_TIMEOUT
from ironhub.heads.http.azure.calls import Call, Route, json_response
from ironhub.heads.http.messages import Response
from ironhub.messaging.methods.model import MethodCall
from ironhub.messaging.methods.service import MethodService
from ironhub.registry.service import RegistryService
from ironhub.twins.model import TwinInvalid, etag_of
from ironhub.twins.service import TwinService

STATUS_HEADER: Final = "x-ms-command-statuscode"
"""The status that the device itself gave its answer."""


class DigitalTwinCalls:
    """Devices as their models describe them."""

    def __init__(self, twins: TwinService, registry: RegistryService, methods: MethodService) -> None:
        self._twins = twins
        self._registry = registry
        self._methods = methods

    def routes(self) -> Sequence[Route]:
        """Return what it serves."""
        one = "/digitaltwins/{device}"
        return [
            Route("GET", one, self._get),
            Route("PATCH", one, self._update),
            Route("POST", f"{one}/commands/{{command}}", self._invoke),
            Route("POST", f"{one}/components/{{component}}/commands/{{command}}", self._invoke),
        ]

    async def _get(self, call: Call) -> Response:
        grant = call.may(Permission.TWIN_READ)
        twin = await self._twins.read(grant)
        owner = await self._registry.twin_owner(grant)
        return json_response(encode_digital_twin(twin, owner.presence.model_id), etag=etag_of(twin))

    async def _update(self, call: Call) -> Response:
        grant = call.may(Permission.TWIN_WRITE)
        operations = decode_json_patch(call.request.body)
        try:
            twin = await self._twins.edit_desired(
                grant, lambda stored: desired_patch(stored, operations), if_match=call.if_match
            )
        except TwinInvalid as error:
            raise DesiredInvalid(str(error)) from error
        return Response(202, headers=(("ETag", encode_etag(etag_of(twin))), ("Location", call.request.head.path)))

    async def _invoke(self, call: Call) -> Response:
        answer = await self._methods.invoke(
            call.may(Permission.METHOD_INVOKE),
            MethodCall(
                name=command_name(call.values["command"], call.values.get("component")),
                payload=encode_json(decode_json(call.request.body)) if call.request.body.strip() else b"null",
                response_timeout=_seconds(call, "responseTimeoutInSeconds", DEFAULT_RESPONSE_TIMEOUT),
                connect_timeout=_seconds(call, "connectTimeoutInSeconds", DEFAULT_CONNECT_TIMEOUT),
            ),
        )
        return Response(200, answer.payload, ((STATUS_HEADER, str(answer.status)),))


def _seconds(call: Call, name: str, default: float) -> float:
    text = call.query.get(name.lower(), "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise InvalidArgument(f"{name} must be a number of seconds")
    return float(text)
