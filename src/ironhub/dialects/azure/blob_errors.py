"""Our errors as Azure storage tells them: status, code, and the XML that its SDKs read.

Source: Azure Blob Storage REST reference, "Blob service error codes", "Status and error codes".
"""

from typing import Final, NamedTuple
from xml.sax.saxutils import escape

from ironhub.core.errors import HubError

XML: Final = "application/xml"
ERROR_HEADER: Final = "x-ms-error-code"


class BlobError(NamedTuple):
    """A status and the code that stands for it."""

    status: int
    code: str


BY_CODE: Final[dict[str, BlobError]] = {
    "access.denied": BlobError(403, "AuthorizationPermissionMismatch"),
    "argument.invalid": BlobError(400, "InvalidInput"),
    "blob.block_list_invalid": BlobError(400, "InvalidBlockList"),
    "blob.checksum_mismatch": BlobError(400, "Md5Mismatch"),
    "blob.condition_not_met": BlobError(412, "ConditionNotMet"),
    "blob.exists": BlobError(409, "BlobAlreadyExists"),
    "blob.name_invalid": BlobError(400, "InvalidResourceName"),
    "blob.not_found": BlobError(404, "BlobNotFound"),
    "blob.range_invalid": BlobError(416, "InvalidRange"),
    "blob.store_full": BlobError(507, "InsufficientAccountStorage"),
    "blob.too_large": BlobError(413, "RequestBodyTooLarge"),
    "blob.too_many_blocks": BlobError(409, "BlockCountExceedsLimit"),
    "blob.unsupported": BlobError(400, "UnsupportedHeader"),
    "hub.unavailable": BlobError(503, "ServerBusy"),
    "http.body_incomplete": BlobError(400, "IncompleteBody"),
    "identity.unauthorized": BlobError(403, "AuthenticationFailed"),
}
"""By HubError.code; what is not here is told by its status."""

BY_STATUS: Final = {
    400: "InvalidInput",
    403: "AuthorizationFailure",
    404: "ResourceNotFound",
    405: "UnsupportedHttpVerb",
    408: "OperationTimedOut",
    413: "RequestBodyTooLarge",
    503: "ServerBusy",
}


def blob_error(error: HubError) -> BlobError:
    """Return how storage calls `error`."""
    found = BY_CODE.get(error.code)
    if found is not None:
        return found
    return BlobError(error.status, BY_STATUS[error.status]) if error.status in BY_STATUS else _INTERNAL


def blob_error_body(error: HubError, request_id: str) -> bytes:
    """Return the XML that tells of it."""
    text = escape(f"{str(error).rstrip('.')}. {error.next_step}\nRequestId:{request_id}", _CONTROLS)
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<Error><Code>{blob_error(error).code}</Code>'
        f"<Message>{text}</Message></Error>"
    ).encode("utf-8", "replace")


_INTERNAL: Final = BlobError(500, "InternalError")
_CONTROLS: Final = {chr(code): "?" for code in range(32) if chr(code) not in "\t\n\r"}
"""Characters that XML cannot carry."""
