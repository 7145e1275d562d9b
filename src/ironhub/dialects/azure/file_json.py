"""The upload handshake and file notifications in the vendor's JSON (azure-device-api 2.5, azure-service-api 5.5)."""

from datetime import UTC, datetime
from typing import Any, Final

from ironhub.core.errors import InvalidArgument
from ironhub.core.strict_json import decode_json_object, encode_json
from ironhub.dialects.azure.timestamps import instant
from ironhub.messaging.files.model import FileNotice, Offer, Outcome

MAX_DESCRIPTION: Final = 4096
MAX_CORRELATION_ID: Final = 512
NOTIFICATION_TYPE: Final = "application/vnd.microsoft.iothub.filenotification.json"
"""The content type of a notification."""


def decode_blob_name(body: bytes) -> str:
    """Return what the device calls its file. Raises JsonInvalid, InvalidArgument."""
    name = decode_json_object(body).get("blobName")
    if not isinstance(name, str) or not name:
        raise InvalidArgument("blobName must be a text")
    return name


def encode_offer(offer: Offer) -> bytes:
    """Return where the device may write: exactly these five keys, and a token that begins with "?"."""
    upload = offer.upload
    return encode_json(
        {
            "correlationId": upload.correlation_id,
            "hostName": upload.host,
            "containerName": upload.container,
            "blobName": upload.blob,
            "sasToken": f"?{offer.token}",
        }
    )


def decode_outcome(body: bytes, correlation_id: str | None) -> tuple[str, Outcome]:
    """Return which upload is over, and how it went. Raises JsonInvalid, InvalidArgument.

    Args:
        correlation_id: from the path, where Node puts it; None: it stands in the body.
    """
    given = decode_json_object(body)
    which = given.get("correlationId", correlation_id) if correlation_id is None else correlation_id
    if not isinstance(which, str) or not 0 < len(which) <= MAX_CORRELATION_ID:
        raise InvalidArgument("correlationId must be the text that began the upload")
    success, code = given.get("isSuccess"), given.get("statusCode", 0)
    if not isinstance(success, bool):
        raise InvalidArgument("isSuccess must be true or false")
    if isinstance(code, bool) or not isinstance(code, int | str | None):
        raise InvalidArgument("statusCode must be a number")
    return which, Outcome(success, _number(code), str(given.get("statusDescription") or "")[:MAX_DESCRIPTION])


def notification_json(notice: FileNotice) -> dict[str, Any]:
    """Return a notification as back ends read it."""
    modified = datetime.fromtimestamp(int(notice.modified_at), UTC)
    return {
        "deviceId": notice.identity.device_id,
        "blobUri": notice.uri,
        "blobName": notice.blob,
        "lastUpdatedTime": f"{modified:%Y-%m-%dT%H:%M:%S}+00:00",
        "blobSizeInBytes": notice.size,
        "enqueuedTimeUtc": instant(notice.enqueued_at),
    }


def _number(code: int | str | None) -> int:
    """Some devices send the status as a text, or none."""
    text = str(code or 0)[:10]
    return int(text) if text.isascii() and text.isdigit() else 0
