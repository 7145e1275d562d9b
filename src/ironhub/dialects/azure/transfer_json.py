"""Import and export jobs as JobProperties.

Source: azure "Import and export IoT Hub device identities in bulk", REST reference of IoT Hub service.
"""

from typing import Any, Final

from ironhub.core.errors import InvalidArgument
from ironhub.core.strict_json import decode_json_object
from ironhub.dialects.azure.timestamps import instant
from ironhub.provisioning.transfer.model import DEFAULT_BLOB, Transfer, TransferKind, TransferRequest

_KINDS: Final = {kind.value: kind for kind in TransferKind}


def decode_transfer(data: bytes) -> TransferRequest:
    """Return what a job shall do. Raises JsonInvalid, InvalidArgument."""
    body = decode_json_object(data)
    kind = _KINDS.get((_text(body, "type") or "").lower())
    if kind is None:
        raise InvalidArgument("type must be import or export")
    if body.get("includeConfigurations"):
        raise InvalidArgument("includeConfigurations is not done here: configurations have calls of their own")
    source, target = _text(body, "inputBlobContainerUri") or "", _text(body, "outputBlobContainerUri") or ""
    if not target or (kind is TransferKind.IMPORT and not source):
        raise InvalidArgument("the address of a container is missing")
    return TransferRequest(
        kind=kind,
        input_uri=source if kind is TransferKind.IMPORT else "",
        input_blob=_text(body, "inputBlobName") or DEFAULT_BLOB,
        output_uri=target,
        output_blob=_text(body, "outputBlobName") or DEFAULT_BLOB,
        with_keys=body.get("excludeKeysInExport") is not True,
    )


def encode_transfer(transfer: Transfer) -> dict[str, Any]:
    """Return a job. Addresses are shown without their signatures: who may see a job may not act with them."""
    request = transfer.request.without_signatures()
    shown: dict[str, Any] = {
        "jobId": transfer.job_id,
        "type": request.kind.value,
        "status": transfer.status.value,
        "progress": transfer.progress,
        "startTimeUtc": None if transfer.started_at is None else instant(transfer.started_at),
        "endTimeUtc": None if transfer.ended_at is None else instant(transfer.ended_at),
        "outputBlobContainerUri": request.output_uri,
        "failureReason": transfer.failure or None,
        "storageAuthenticationType": "keyBased",
        "includeConfigurations": False,
    }
    if request.kind is TransferKind.IMPORT:
        return {**shown, "inputBlobContainerUri": request.input_uri, "inputBlobName": request.input_blob}
    return {**shown, "outputBlobName": request.output_blob, "excludeKeysInExport": not request.with_keys}


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidArgument(f"{name} must be a text")
    return value
