"""What each of the vendor's REST calls takes and answers here; tools/azure_rest.py makes an OpenAPI document of it.

A route without an entry here is an error: nothing is served that is not described.
"""

from typing import Any, Final, NamedTuple

Schema = dict[str, Any]

COMMON: Final = (400, 401, 404, 408, 413, 429, 503)
"""Errors that every call may answer with."""


class Described(NamedTuple):
    """One call."""

    name: str
    text: str
    gives: dict[int, str | None]
    """Status of success: the name of the answer's schema, None: no body."""
    takes: str | None = None
    """The name of the body's schema."""
    fails: tuple[int, ...] = ()
    """Besides COMMON."""
    headers: tuple[str, ...] = ()
    """Names of PARAMETERS."""


_ETAG: Final = ("If-Match",)
_PAGED: Final = ("x-ms-max-item-count", "x-ms-continuation")

CALLS: Final[dict[str, Described]] = {
    "GET /devices": Described("listDevices", "List devices, at most `top` (1000).", {200: "Devices"}, headers=("top",)),
    "GET /devices/{device}": Described("getDevice", "Return a device.", {200: "Device"}),
    "PUT /devices/{device}": Described(
        "putDevice",
        "Create a device, or with If-Match change one.",
        {200: "Device"},
        "Device",
        (403, 409, 412),
        _ETAG,
    ),
    "DELETE /devices/{device}": Described("deleteDevice", "Delete a device.", {204: None}, None, (412,), _ETAG),
    "GET /devices/{device}/modules": Described("listModules", "List the modules of a device.", {200: "Modules"}),
    "GET /devices/{device}/modules/{module}": Described("getModule", "Return a module.", {200: "Module"}),
    "PUT /devices/{device}/modules/{module}": Described(
        "putModule",
        "Create a module, or with If-Match change one.",
        {200: "Module"},
        "Module",
        (403, 409, 412),
        _ETAG,
    ),
    "DELETE /devices/{device}/modules/{module}": Described(
        "deleteModule", "Delete a module.", {204: None}, None, (412,), _ETAG
    ),
    "GET /statistics/devices": Described("countDevices", "Count the devices.", {200: "Counts"}),
    "GET /statistics/service": Described("countConnected", "Count the connected devices.", {200: "Counts"}),
    "POST /devices": Described(
        "bulk", "Create, change or delete up to 100 devices and modules.", {200: "BulkResult"}, "Bulk"
    ),
    "POST /devices/keys/regenerate": Described(
        "regenerateKeys", "Make one key of up to 100 devices anew.", {200: "Any", 207: "Any"}, "KeyRequest"
    ),
    "POST /devices/query": Described("query", "Ask about many devices.", {200: "Rows"}, "Query", headers=_PAGED),
    "GET /jobs/v2/query": Described(
        "listJobs", "List scheduled jobs.", {200: "Rows"}, headers=("jobType", "jobStatus", *_PAGED)
    ),
    "GET /jobs/v2/{job}": Described("getJob", "Return a scheduled job.", {200: "Any"}),
    "PUT /jobs/v2/{job}": Described("createJob", "Schedule a job.", {200: "Any"}, "Job", (403, 409)),
    "POST /jobs/v2/{job}/cancel": Described("cancelJob", "Cancel a scheduled job.", {200: "Any"}, None, (412,)),
    "POST /jobs/create": Described("createTransfer", "Start an import or export.", {200: "Any"}, "Any", (403, 409)),
    "GET /jobs": Described("listTransfers", "List imports and exports.", {200: "Rows"}),
    "GET /jobs/{job}": Described("getTransfer", "Return an import or export.", {200: "Any"}),
    "DELETE /jobs/{job}": Described("cancelTransfer", "Cancel an import or export.", {200: "Any", 204: None}),
    "GET /configurations": Described("listConfigurations", "List configurations.", {200: "Rows"}, headers=("top",)),
    "GET /configurations/{configuration}": Described("getConfiguration", "Return a configuration.", {200: "Any"}),
    "PUT /configurations/{configuration}": Described(
        "putConfiguration",
        "Create a configuration, or with If-Match change one.",
        {200: "Any"},
        "Configuration",
        (403, 409, 412),
        _ETAG,
    ),
    "DELETE /configurations/{configuration}": Described(
        "deleteConfiguration", "Delete a configuration.", {204: None}, None, (412,), _ETAG
    ),
    "POST /configurations/testqueries": Described(
        "testConfiguration", "Try the queries of a configuration.", {200: "Any"}, "Any"
    ),
    "POST /devices/{device}/applyconfigurationcontent": Described(
        "applyConfiguration", "Give one device the content of a configuration.", {204: None}, "Any", (409, 412)
    ),
    "GET /digitaltwins/{device}": Described("getDigitalTwin", "Return a digital twin.", {200: "Any"}),
    "PATCH /digitaltwins/{device}": Described(
        "updateDigitalTwin", "Change a digital twin by JSON Patch.", {202: None}, "Patch", (409, 412), _ETAG
    ),
    "POST /digitaltwins/{device}/commands/{command}": Described(
        "invokeCommand", "Call a command of a device.", {200: "Any"}, "Any", (403, 502, 504)
    ),
    "POST /digitaltwins/{device}/components/{component}/commands/{command}": Described(
        "invokeComponentCommand", "Call a command of a component.", {200: "Any"}, "Any", (403, 502, 504)
    ),
    "GET /messages/servicebound/feedback": Described(
        "receiveFeedback", "Take what became of commands, under a lock.", {200: "Feedback", 204: None}
    ),
    "DELETE /messages/servicebound/feedback/{lock}": Described(
        "completeFeedback", "Forget what was taken.", {204: None}, None, (412,)
    ),
    "POST /messages/servicebound/feedback/{lock}/abandon": Described(
        "abandonFeedback", "Give back what was taken.", {204: None}, None, (412,)
    ),
    "DELETE /devices/{device}/commands": Described("purgeCommands", "Empty a command queue.", {200: "Purged"}),
    "DELETE /devices/{device}/modules/{module}/commands": Described(
        "purgeModuleCommands", "Empty a module's command queue.", {200: "Purged"}
    ),
    "POST /devices/{device}/messages/events": Described(
        "sendTelemetry", "Store telemetry of a device.", {204: None}, "Any"
    ),
    "POST /devices/{device}/modules/{module}/messages/events": Described(
        "sendModuleTelemetry", "Store telemetry of a module.", {204: None}, "Any"
    ),
    "POST /devices/{device}/files": Described(
        "beginUpload", "Ask where to upload a file.", {200: "Any"}, "Upload", (403, 409)
    ),
    "POST /devices/{device}/files/notifications": Described(
        "endUpload", "Tell how an upload ended.", {204: None}, "Any", (403, 409, 412)
    ),
    "POST /devices/{device}/files/notifications/{correlation}": Described(
        "endNamedUpload", "Tell how an upload ended.", {204: None}, "Any", (403, 409, 412)
    ),
    "GET /{container}": Described("listBlobs", "List the blobs of a container (XML).", {200: "Text"}, None, (403, 416)),
    "HEAD /{container}": Described("lookAtContainer", "Whether a container is there.", {200: None}, None, (403,)),
    "PUT /{container}/{blob}": Described(
        "writeBlob", "Write a blob, a block, or the list of its blocks.", {201: None}, None, (403, 409, 411, 412)
    ),
    "GET /{container}/{blob}": Described(
        "readBlob", "Return a blob, or a range of it.", {200: "Text", 206: "Text"}, None, (403, 412, 416)
    ),
    "HEAD /{container}/{blob}": Described("lookAtBlob", "Size and kind of a blob.", {200: None}, None, (403, 412)),
    "DELETE /{container}/{blob}": Described("deleteBlob", "Delete a blob.", {202: None}, None, (403, 412)),
}


def _per_owner(path: str, name: str, text: str, gives: dict[int, str | None], fails: tuple[int, ...] = ()) -> None:
    """Add a call that devices and modules have alike."""
    method, _, rest = path.partition(" ")
    for owner, what in (("/devices/{device}", ""), ("/devices/{device}/modules/{module}", "Module")):
        CALLS[f"{method} {owner}{rest}"] = Described(f"{name}{what}", text, gives, None, fails)


_per_owner("GET /messages/devicebound", "receive", "Take the next command.", {200: "Text", 204: None})
_per_owner("DELETE /messages/devicebound/{lock}", "settle", "Complete or reject a command.", {204: None}, (412,))
_per_owner("POST /messages/devicebound/{lock}/abandon", "abandon", "Give a command back.", {204: None}, (412,))

for _suffix, _what in (("", ""), ("/modules/{module}", "Module")):
    _path = f"/twins/{{device}}{_suffix}"
    CALLS[f"GET {_path}"] = Described(f"get{_what}Twin", "Return a twin.", {200: "Twin"})
    for _method, _verb in (("PATCH", "Merge into"), ("PUT", "Replace")):
        CALLS[f"{_method} {_path}"] = Described(
            f"{_method.lower()}{_what}Twin", f"{_verb} a twin.", {200: "Twin"}, "TwinChange", (412,), _ETAG
        )
    CALLS[f"POST {_path}/methods"] = Described(
        f"invoke{_what}Method", "Call a direct method.", {200: "MethodAnswer"}, "MethodCall", (403, 502, 504)
    )

_TEXT: Final[Schema] = {"type": "string"}
_MAYBE_TEXT: Final[Schema] = {"type": ["string", "null"]}
_OBJECT: Final[Schema] = {"type": "object"}


def _named(*required: str, **fields: Schema) -> Schema:
    return {"type": "object", "properties": fields, "required": list(required)}


SCHEMAS: Final[dict[str, Schema]] = {
    "Any": {},
    "Text": _TEXT,
    "Rows": {"type": "array", "items": _OBJECT},
    "Counts": {"type": "object", "additionalProperties": {"type": "integer"}},
    "Device": _named(
        "deviceId",
        deviceId=_TEXT,
        etag=_TEXT,
        generationId=_TEXT,
        status={"enum": ["enabled", "disabled"]},
        statusReason=_MAYBE_TEXT,
        authentication={"type": ["object", "null"]},
        capabilities={"type": ["object", "null"]},
    ),
    "Devices": {"type": "array", "items": {"$ref": "#/components/schemas/Device"}},
    "Module": _named(
        "deviceId",
        "moduleId",
        deviceId=_TEXT,
        moduleId=_TEXT,
        etag=_TEXT,
        managedBy=_MAYBE_TEXT,
        authentication={"type": ["object", "null"]},
    ),
    "Modules": {"type": "array", "items": {"$ref": "#/components/schemas/Module"}},
    "Twin": _named(
        "deviceId", "etag", "version", deviceId=_TEXT, etag=_TEXT, version={"type": "integer"}, properties=_OBJECT
    ),
    "TwinChange": _named(tags=_OBJECT, properties=_named(desired=_OBJECT)),
    "MethodCall": _named(
        "methodName",
        methodName=_TEXT,
        payload={},
        responseTimeoutInSeconds={"type": "integer", "minimum": 5, "maximum": 300},
        connectTimeoutInSeconds={"type": "integer", "minimum": 0, "maximum": 300},
    ),
    "MethodAnswer": _named("status", status={"type": "integer"}, payload={}),
    "Feedback": {"type": "array", "items": _named("originalMessageId", originalMessageId=_TEXT, statusCode=_TEXT)},
    "Purged": _named("totalMessagesPurged", totalMessagesPurged={"type": "integer"}, deviceId=_TEXT),
    "Bulk": {
        "type": "array",
        "maxItems": 100,
        "items": _named("id", id=_TEXT, importMode=_TEXT, eTag=_TEXT, status=_TEXT, authentication=_OBJECT),
    },
    "BulkResult": _named("isSuccessful", isSuccessful={"type": "boolean"}, errors={"type": "array"}),
    "KeyRequest": _named("policyKey", policyKey={"enum": ["primaryKey", "secondaryKey"]}, devices={"type": "array"}),
    "Query": _named("query", query=_TEXT),
    "Job": _named(
        "type",
        "queryCondition",
        jobId=_TEXT,
        type={"enum": ["scheduleUpdateTwin", "scheduleDeviceMethod"]},
        queryCondition=_TEXT,
        updateTwin=_OBJECT,
        cloudToDeviceMethod={"$ref": "#/components/schemas/MethodCall"},
    ),
    "Configuration": _named(
        id=_TEXT,
        content=_OBJECT,
        targetCondition=_TEXT,
        priority={"type": "integer"},
        labels={"type": ["object", "null"], "additionalProperties": _TEXT},
        metrics=_OBJECT,
    ),
    "Patch": {"type": "array", "items": _named("op", "path", op=_TEXT, path=_TEXT, value={})},
    "Upload": _named("blobName", blobName=_TEXT),
    "Error": _named("Message", Message=_TEXT, ExceptionMessage=_TEXT),
}
"""Bodies: what a caller must say and may rely on; more may stand there."""

EXAMPLES: Final[dict[str, Any]] = {
    "Device": {"deviceId": "press-7", "status": "enabled"},
    "Module": {"deviceId": "press-7", "moduleId": "arm"},
    "TwinChange": {"tags": {"hall": "B2"}, "properties": {"desired": {"interval": 5}}},
    "MethodCall": {"methodName": "reboot", "payload": {"delay": 3}, "responseTimeoutInSeconds": 10},
    "Bulk": [{"id": "press-7", "importMode": "create"}],
    "KeyRequest": {"policyKey": "secondaryKey", "devices": [{"id": "press-7"}]},
    "Query": {"query": "SELECT * FROM devices WHERE tags.hall = 'B2'"},
    "Job": {
        "jobId": "night",
        "type": "scheduleDeviceMethod",
        "queryCondition": "tags.hall = 'B2'",
        "cloudToDeviceMethod": {"methodName": "reboot"},
    },
    "Patch": [{"op": "add", "path": "/interval", "value": 5}],
    "Upload": {"blobName": "log.txt"},
}

PARAMETERS: Final[dict[str, tuple[str, str, Schema]]] = {
    "If-Match": ("header", "The etag that must be stored, in quotes, or *.", _TEXT),
    "top": ("query", "How many at most.", {"type": "integer"}),
    "jobType": ("query", "Only of this kind.", _TEXT),
    "jobStatus": ("query", "Only in this state.", _TEXT),
    "x-ms-max-item-count": ("header", "How many rows a page may have.", {"type": "integer", "minimum": 1}),
    "x-ms-continuation": ("header", "Where the page before ended, as its answer said.", _TEXT),
}
