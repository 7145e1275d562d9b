"""The door for signed links, and what every call behind it needs: which blob the path means, and errors in XML.

A blob is at `/{container}/{blob}`, as devices are told, and at `/{account}/{container}/{blob}`, as the vendor's clients
of a storage emulator ask for it.
"""

from typing import Final

from ironhub.access.model import BlobPlace
from ironhub.core.errors import HubError
from ironhub.dialects.azure.blob_errors import ERROR_HEADER, XML, blob_error, blob_error_body
from ironhub.dialects.azure.blob_sas import decode_link
from ironhub.heads.http.errors import MethodNotAllowed
from ironhub.heads.http.messages import Head, Headers, Response
from ironhub.identity.links import LinkGate
from ironhub.identity.model import LinkPrincipal
from ironhub.messaging.files.blobs import check_blob_name, check_container

SERVICE_VERSION: Final = "2021-08-06"
"""The version of the vendor's API that is answered, when a request names none."""
MAX_ECHO: Final = 256
"""Characters of what a client sends to find its request again."""


class BlobLinks:
    """A LinkDoor to the hub's own blobs."""

    def __init__(self, gate: LinkGate) -> None:
        self._gate = gate

    def admit(self, head: Head, values: dict[str, str]) -> LinkPrincipal:
        """Return what the holder of the link may do. Raises AuthenticationFailed, BlobNameInvalid."""
        place = self.place(values)
        claim = decode_link(head.query, self._gate.account.name, place.container, place.name)
        return self._gate.admit(claim)

    def refuse(self, error: HubError, head: Head, request_id: str) -> Response:
        """Return the response that tells of `error`."""
        told = blob_error(error)
        headers = [(ERROR_HEADER, told.code), *storage_headers(head)]
        if isinstance(error, MethodNotAllowed):
            headers.append(("Allow", ", ".join(error.allow)))
        return Response(told.status, blob_error_body(error, request_id), tuple(headers), content_type=XML)

    def place(self, values: dict[str, str]) -> BlobPlace:
        """Return the container or blob that a path names, by its one true name. Raises BlobNameInvalid."""
        container, name = values["container"], values.get("blob")
        if container == self._gate.account.name and name is not None:
            container, _, name = name.partition("/")
        check_container(container)
        return BlobPlace(container, check_blob_name(name) if name else None)


def storage_headers(head: Head) -> Headers:
    """Return what stands on every answer: the version, and what the client finds its request by."""
    version = head.headers.get("x-ms-version", SERVICE_VERSION)
    headers = [("x-ms-version", version if len(version) <= 10 and version.isascii() else SERVICE_VERSION)]
    echo = head.headers.get("x-ms-client-request-id", "")
    if echo and len(echo) <= MAX_ECHO and echo.isascii() and echo.isprintable():
        headers.append(("x-ms-client-request-id", echo))
    return tuple(headers)
