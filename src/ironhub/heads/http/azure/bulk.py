"""Many devices in one call (azure-service-api 4.1, 4.4)."""

from collections.abc import Sequence
from typing import Final

from ironhub.access.model import WHOLE_HUB, Permission
from ironhub.dialects.azure.bulk_json import decode_bulk, decode_key_request, encode_rekeyed, encode_result
from ironhub.heads.http.azure.calls import Call, Route, json_response
from ironhub.heads.http.messages import Response
from ironhub.identity.model import SymmetricKeys
from ironhub.provisioning.bulk.service import BulkService

MAX_DEVICES: Final = 100
"""In one call; the vendor's SDKs send no more."""


class BulkCalls:
    """The bulk calls of the identity registry."""

    def __init__(self, bulk: BulkService) -> None:
        self._bulk = bulk

    def routes(self) -> Sequence[Route]:
        """Return what it serves."""
        return [
            Route("POST", "/devices", self._apply),
            Route("POST", "/devices/keys/regenerate", self._new_keys),
        ]

    async def _apply(self, call: Call) -> Response:
        """The same body tells of success and of failure: SDKs read it with either status."""
        grant = call.may(Permission.REGISTRY_WRITE, WHOLE_HUB)
        elements = decode_bulk(call.request.body)
        rows = [element.given for element in elements]
        result = await self._bulk.apply(grant, rows, max_rows=MAX_DEVICES, distinct=True)
        return json_response(encode_result(elements, result.errors), status=400 if result.errors else 200)

    async def _new_keys(self, call: Call) -> Response:
        grant = call.may(Permission.REGISTRY_WRITE, WHOLE_HUB)
        request = decode_key_request(call.request.body)
        rekeyed = await self._bulk.new_keys(
            grant, request.identities, secondary=request.secondary, max_rows=MAX_DEVICES
        )
        good = sum(isinstance(each.outcome, SymmetricKeys) for each in rekeyed)
        status = 200 if good == len(rekeyed) else 207 if good else 400
        return json_response(encode_rekeyed(request, rekeyed), status=status)
