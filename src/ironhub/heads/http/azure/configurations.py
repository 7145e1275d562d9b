"""Automatic configurations and edge deployments (azure-service-api 4.11)."""

from collections.abc import Sequence

from ironhub.access.model import WHOLE_HUB, Permission
from ironhub.dialects.azure.configuration_json import (
    decode_configuration,
    decode_contents,
    decode_test,
    encode_configuration,
    encode_verdicts,
)
from ironhub.heads.http.azure.calls import Call, Route, json_response
from ironhub.heads.http.messages import Response
from ironhub.twins.configurations.model import MAX_CONFIGURATIONS
from ironhub.twins.configurations.service import ConfigurationService


class ConfigurationCalls:
    """Configurations, as back ends manage them."""

    def __init__(self, configurations: ConfigurationService) -> None:
        self._configurations = configurations

    def routes(self) -> Sequence[Route]:
        """Return what it serves."""
        one = "/configurations/{configuration}"
        return [
            Route("GET", "/configurations", self._list),
            Route("GET", one, self._get),
            Route("PUT", one, self._put),
            Route("DELETE", one, self._delete),
            Route("POST", "/configurations/testqueries", self._test),
            Route("POST", "/devices/{device}/applyconfigurationcontent", self._apply),
        ]

    async def _list(self, call: Call) -> Response:
        wanted = call.query.get("top", "")
        limit = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) <= 4 else 0
        found = await self._configurations.list(call.may(Permission.CONFIGURATION_READ, WHOLE_HUB))
        return json_response([encode_configuration(each) for each in found[: limit or MAX_CONFIGURATIONS]])

    async def _get(self, call: Call) -> Response:
        grant = call.may(Permission.CONFIGURATION_READ, WHOLE_HUB)
        found = await self._configurations.get(grant, call.values["configuration"])
        return json_response(encode_configuration(found), etag=found.etag)

    async def _put(self, call: Call) -> Response:
        grant = call.may(Permission.CONFIGURATION_WRITE, WHOLE_HUB)
        name = call.values["configuration"]
        draft = decode_configuration(call.request.body, name)
        stored = await self._configurations.put(grant, name, draft, if_match=call.if_match)
        return json_response(encode_configuration(stored), etag=stored.etag)

    async def _delete(self, call: Call) -> Response:
        grant = call.may(Permission.CONFIGURATION_WRITE, WHOLE_HUB)
        await self._configurations.delete(grant, call.values["configuration"], if_match=call.if_match)
        return Response(204)

    async def _test(self, call: Call) -> Response:
        grant = call.may(Permission.CONFIGURATION_READ, WHOLE_HUB)
        asked = decode_test(call.request.body)
        return json_response(encode_verdicts(await self._configurations.test(grant, asked.target, asked.metrics)))

    async def _apply(self, call: Call) -> Response:
        grant = call.may(Permission.CONFIGURATION_WRITE)
        await self._configurations.apply(grant, decode_contents(call.request.body))
        return Response(204)
