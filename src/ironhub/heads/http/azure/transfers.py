"""Import and export jobs (azure-service-api 4.1, 4.10)."""

from collections.abc import Sequence

from ironhub.access.model import WHOLE_HUB, Permission
from ironhub.dialects.azure.transfer_json import decode_transfer, encode_transfer
from ironhub.heads.http.azure.calls import Call, Route, json_response
from ironhub.heads.http.messages import Response
from ironhub.provisioning.transfer.model import TransferKind
from ironhub.provisioning.transfer.service import TransferService


class TransferCalls:
    """The whole registry from and to a container of blobs."""

    def __init__(self, transfers: TransferService) -> None:
        self._transfers = transfers

    def routes(self) -> Sequence[Route]:
        """Return what it serves."""
        return [
            Route("POST", "/jobs/create", self._create),
            Route("GET", "/jobs", self._list),
            Route("GET", "/jobs/{job}", self._get),
            Route("DELETE", "/jobs/{job}", self._cancel),
        ]

    async def _create(self, call: Call) -> Response:
        grant = call.may(Permission.TRANSFER_WRITE, WHOLE_HUB)
        request = decode_transfer(call.request.body)
        # An export holds the keys of all devices: who may write the registry may not always read it.
        reading = call.may(Permission.REGISTRY_READ, WHOLE_HUB) if request.kind is TransferKind.EXPORT else None
        return json_response(encode_transfer(await self._transfers.create(grant, request, reading=reading)))

    async def _list(self, call: Call) -> Response:
        found = await self._transfers.list(call.may(Permission.TRANSFER_READ, WHOLE_HUB))
        return json_response([encode_transfer(transfer) for transfer in found])

    async def _get(self, call: Call) -> Response:
        grant = call.may(Permission.TRANSFER_READ, WHOLE_HUB)
        return json_response(encode_transfer(await self._transfers.get(grant, call.values["job"])))

    async def _cancel(self, call: Call) -> Response:
        grant = call.may(Permission.TRANSFER_WRITE, WHOLE_HUB)
        return json_response(encode_transfer(await self._transfers.cancel(grant, call.values["job"])))
