"""The upload handshake of devices (azure-device-api 2.5)."""

from collections.abc import Sequence

from ironhub.access.model import Permission
from ironhub.dialects.azure.file_json import decode_blob_name, decode_outcome, encode_offer
from ironhub.heads.http.azure.calls import Call, Door, Route
from ironhub.heads.http.messages import Response
from ironhub.messaging.files.service import UploadService


class FileCalls:
    """Uploads, begun and ended."""

    def __init__(self, uploads: UploadService) -> None:
        self._uploads = uploads

    def routes(self) -> Sequence[Route]:
        """Return what it serves; an address may end with a slash, which the C SDK adds."""
        files = "/devices/{device}/files"
        return [
            Route("POST", files, self._begin, Door.DEVICE),
            Route("POST", f"{files}/notifications", self._end, Door.DEVICE),
            Route("POST", f"{files}/notifications/{{correlation}}", self._end, Door.DEVICE),
        ]

    async def _begin(self, call: Call) -> Response:
        grant = call.may(Permission.FILE_UPLOAD)
        name = decode_blob_name(call.request.body)
        offer = await self._uploads.begin(grant, name, host=call.request.head.headers.get("host", ""))
        return Response(200, encode_offer(offer))

    async def _end(self, call: Call) -> Response:
        grant = call.may(Permission.FILE_UPLOAD)
        correlation_id, outcome = decode_outcome(call.request.body, call.values.get("correlation"))
        await self._uploads.end(grant, correlation_id, outcome)
        return Response(204)
