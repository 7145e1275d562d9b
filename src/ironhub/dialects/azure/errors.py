"""Our errors as Azure IoT Hub tells them: number, name, HTTP status, and the two shapes of body.

Source: azure "Troubleshoot Azure IoT Hub error codes". Clients compare the name in the `iothub-errorcode` header with
the number in the body, and the Node SDK recognises an unknown device only by the text "ErrorCode:DeviceNotFound;".
"""

from typing import Final, NamedTuple

from ironhub.core.clock import Entropy
from ironhub.core.errors import HubError
from ironhub.core.strict_json import encode_json
from ironhub.dialects.azure.timestamps import error_instant, instant
from ironhub.messaging.methods.model import DeviceNotOnline


class AzureError(NamedTuple):
    """One of the vendor's error codes."""

    number: int
    name: str

    @property
    def status(self) -> int:
        """The HTTP status: the first three digits."""
        return self.number // 1000


ERROR_HEADER: Final = "iothub-errorcode"
"""The response header that carries an error's name."""

_INVALID: Final = AzureError(400004, "ArgumentInvalid")
_PRECONDITION: Final = AzureError(412001, "PreconditionFailed")
_SERVER: Final = AzureError(500001, "ServerError")

BY_CODE: Final[dict[str, AzureError]] = {
    "access.denied": AzureError(401002, "IotHubUnauthorizedAccess"),
    "argument.invalid": _INVALID,
    "authority.certificate_refused": _INVALID,
    "authority.etag_mismatch": _PRECONDITION,
    "authority.exists": AzureError(409000, "GenericConflict"),
    "authority.not_found": AzureError(404008, "CertificateNotFound"),
    "blob.store_full": AzureError(503001, "ServiceUnavailable"),
    "bulk.defined_twice": AzureError(400011, "DeviceDefinedMultipleTimes"),
    "bulk.too_many": _INVALID,
    "bulk.which_key": AzureError(400035, "InvalidPolicyKey"),
    "command.expiry_invalid": AzureError(403009, "InvalidMessageExpiryTime"),
    "command.lock_lost": AzureError(412002, "DeviceMessageLockLost"),
    "command.queue_full": AzureError(403004, "DeviceMaximumQueueDepthExceeded"),
    "command.too_large": AzureError(413001, "MessageTooLarge"),
    "configuration.content_immutable": AzureError(400403, "CannotModifyImmutableConfigurationContent"),
    "configuration.content_invalid": AzureError(400402, "InvalidConfigurationContent"),
    "configuration.etag_mismatch": _PRECONDITION,
    "configuration.exists": AzureError(409401, "ConfigurationAlreadyExists"),
    "configuration.invalid": _INVALID,
    "configuration.metric_invalid": AzureError(400404, "InvalidConfigurationCustomMetricsQuery"),
    "configuration.not_found": AzureError(404301, "ConfigurationNotFound"),
    "configuration.schema_unknown": AzureError(400010, "InvalidSchemaVersion"),
    "configuration.target_invalid": AzureError(400401, "InvalidConfigurationTargetCondition"),
    "configuration.too_many": AzureError(413101, "ConfigurationCountLimitExceeded"),
    "device.exists": AzureError(409001, "DeviceAlreadyExists"),
    "device.not_found": AzureError(404001, "DeviceNotFound"),
    "device.scope_invalid": AzureError(400028, "InvalidDeviceScope"),
    "digital_twin.desired_invalid": AzureError(400502, "InvalidPnPDesiredProperties"),
    "digital_twin.patch_invalid": AzureError(400507, "InvalidDigitalTwinPatch"),
    "digital_twin.path_invalid": AzureError(400508, "InvalidDigitalTwinPatchPath"),
    "digital_twin.value_invalid": AzureError(400506, "InvalidDigitalTwinPayload"),
    "blob.name_invalid": _INVALID,
    "file.depot_unreachable": AzureError(503001, "ServiceUnavailable"),
    "file.lock_lost": _PRECONDITION,
    "file.missing": AzureError(400020, "InvalidStorageEndpointOrBlob"),
    "file.too_many_uploads": AzureError(403006, "DeviceMaximumActiveFileUploadLimitExceeded"),
    "file.upload_expired": AzureError(400016, "ExpiredFileUploadCorrelationId"),
    "file.upload_unknown": AzureError(400015, "InvalidFileUploadCorrelationId"),
    "hub.unavailable": AzureError(503001, "ServiceUnavailable"),
    "id.invalid": _INVALID,
    "identity.mismatch": AzureError(400006, "IotHubFormatError"),
    "identity.unauthorized": AzureError(401003, "IotHubUnauthorized"),
    "job.exists": AzureError(409104, "JobAlreadyExists"),
    "job.id_invalid": _INVALID,
    "job.not_found": AzureError(404002, "JobNotFound"),
    "job.over": AzureError(412003, "JobRunPreconditionFailed"),
    "job.too_many_active": AzureError(429004, "ThrottlingMaxActiveJobCountExceeded"),
    "job.too_many_scheduled": AzureError(403003, "JobQuotaExceeded"),
    "json.invalid": AzureError(400012, "DeserializationError"),
    "json_patch.invalid": AzureError(400505, "InvalidDigitalTwinJsonPatch"),
    "message.too_large": AzureError(413001, "MessageTooLarge"),
    "method.answer_invalid": AzureError(502000, "GenericBadGateway"),
    "method.connection_lost": AzureError(404104, "DeviceConnectionClosedRemotely"),
    "method.device_not_online": AzureError(404103, "DeviceNotOnline"),
    "method.timeout": AzureError(504101, "GatewayTimeout"),
    "method.too_many": AzureError(403800, "DeviceMaximumInflightMethodExceeded"),
    "module.exists": AzureError(409301, "ModuleAlreadyExistsOnDevice"),
    "module.not_found": AzureError(404010, "ModuleNotFound"),
    "module.system": AzureError(401100, "SystemModuleModifyUnauthorizedAccess"),
    "module.too_many": AzureError(413003, "TooManyModulesOnDevice"),
    "properties.invalid": _INVALID,
    "query.continuation_invalid": _INVALID,
    "query.invalid": _INVALID,
    "query.too_expensive": _INVALID,
    "query.too_many": AzureError(429001, "ThrottlingException"),
    "registry.etag_mismatch": _PRECONDITION,
    "timestamp.invalid": _INVALID,
    "transfer.busy": AzureError(403003, "JobQuotaExceeded"),
    "transfer.container_invalid": AzureError(400008, "BlobContainerValidationError"),
    "transfer.not_found": AzureError(404002, "JobNotFound"),
    "twin.invalid": _INVALID,
    "twin.module_not_found": AzureError(404010, "ModuleNotFound"),
    "twin.not_found": AzureError(404001, "DeviceNotFound"),
    "twin.version_conflict": _PRECONDITION,
}
"""By HubError.code; what is not here is told by its status."""

BY_STATUS: Final[dict[int, AzureError]] = {
    400: AzureError(400000, "GenericBadRequest"),
    401: AzureError(401000, "GenericUnauthorized"),
    403: AzureError(403000, "GenericForbidden"),
    404: AzureError(404000, "GenericNotFound"),
    405: AzureError(405000, "GenericMethodNotAllowed"),
    408: AzureError(408000, "RequestTimedOut"),
    409: AzureError(409000, "GenericConflict"),
    412: AzureError(412000, "GenericPreconditionFailed"),
    413: AzureError(413000, "GenericRequestEntityTooLarge"),
    415: AzureError(415000, "GenericUnsupportedMediaType"),
    416: AzureError(400000, "GenericBadRequest"),
    429: AzureError(429001, "ThrottlingException"),
    500: _SERVER,
    502: AzureError(502000, "GenericBadGateway"),
    503: AzureError(503000, "GenericServiceUnavailable"),
    504: AzureError(504000, "GenericGatewayTimeout"),
}


def azure_error(error: HubError) -> AzureError:
    """Return the vendor's code for `error`; one for its status when there is no closer one."""
    return BY_CODE.get(error.code) or BY_STATUS.get(error.status, _SERVER)


def tracking_id(entropy: Entropy, now: float) -> str:
    """Return a new id that finds an answer in our log again; `now` in seconds since the epoch."""
    return f"{entropy.token_bytes(16).hex()}-G:0-TimeStamp:{error_instant(now)}"


def error_text(error: HubError) -> str:
    """Return what the caller reads: what is wrong, and what can be done."""
    return f"{str(error).rstrip('.')}. {error.next_step}"


def error_body(error: HubError, tracking: str, now: float) -> bytes:
    """Return the JSON body of an HTTP error: the shape for direct methods, or the plain one for everything else."""
    if error.code.startswith("method."):
        waited = {"timeout": _span(error.waited)} if isinstance(error, DeviceNotOnline) else {}
        inner = {**_document(error, tracking, now), "info": waited}
        return encode_json({"Message": encode_json(inner).decode(), "ExceptionMessage": ""})
    message = f"ErrorCode:{azure_error(error).name};{error_text(error)}"
    return encode_json({"Message": message, "ExceptionMessage": f"Tracking ID:{tracking}"})


def device_error_body(error: HubError, tracking: str, now: float) -> bytes:
    """Return the JSON body that tells a device that its twin request failed; Node looks for `errorCode` in it."""
    return encode_json(_document(error, tracking, now))


def _document(error: HubError, tracking: str, now: float) -> dict[str, object]:
    return {
        "errorCode": azure_error(error).number,
        "trackingId": tracking,
        "message": error_text(error),
        "timestampUtc": instant(now),
    }


def _span(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
