"""The admin API's own description (OpenAPI 3.1): what the framework writes, made complete and true.

It says which codes each call may be refused with, what the parameters mean, and what can be done next with an answer.
"""

from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI

from ironhub.console.errors import ErrorAnswer
from ironhub.core.errors import HubError
from ironhub.core.ids import MAX_ID_LENGTH

Document = dict[str, Any]

CODES: Final = "x-codes"
"""Under this name a response lists the codes of its errors."""

_ID: Final = {"minLength": 1, "maxLength": MAX_ID_LENGTH, "pattern": r"^[A-Za-z0-9\-.+%_#*?!(),:=@$']+$"}
_PARAMETERS: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    "device_id": ("The device's id, case-sensitive.", "press-7", _ID),
    "module_id": ("The module's id, case-sensitive.", "arm", _ID),
    "device": ("A device's id.", "press-7", {}),
    "module": ("A module of the device; left out: the device itself.", "arm", {}),
    "name": ("Its name.", "plant-2", {}),
    "configuration_id": ("The configuration's id, in lower case.", "speed", {}),
    "after": ("Where the page before ended, as its answer says; left out: the first page.", "press-7", {}),
    "limit": ("How many at most.", "100", {}),
    "host": ("Which of the hub's names to put in; left out: the first.", "hub.example", {}),
    "policy": ("A shared access policy's name.", "service", {}),
    "events": ("For readers of telemetry.", "true", {}),
    "key": ("Which of the two keys.", "secondary", {}),
    "up_to": ("The last record to forget.", "12", {}),
    "container": ("A container's name.", "uploads", {}),
    "prefix": ("Only blobs whose names begin so.", "press-7/", {}),
    "lock_token": ("The lock that receiving gave.", "3f2b1c9e-0000-4000-8000-000000000000", {}),
    "job_id": ("The job's id.", "night", {}),
    "kind": ("Only of this kind.", "method", {}),
    "status": ("Only in this state.", "running", {}),
    "format": ("How the lines are written.", "jsonl", {}),
    "mode": ("What is done with each line.", "create", {}),
    "position": ("Which line the first one is.", "0", {}),
    "dry_run": ("Only say what would be wrong.", "true", {}),
    "keys": ("Show the keys too.", "false", {}),
    "twins": ("Twins too.", "true", {}),
}
"""By name: what it means, an example, and what its schema says besides."""

_GIVES: Final[dict[str, tuple[str, ...]]] = {
    "create_device": ("device_id",),
    "create_module": ("device_id", "module_id"),
    "register_authority": ("name",),
}
"""Which fields of an answer name what was made: every call below that name can follow."""


class DescribedApi(FastAPI):
    """An app whose description is complete."""

    def openapi(self) -> Document:
        """Return the description; it is made once."""
        if self.openapi_schema is None:
            complete(super().openapi())
        return super().openapi()


def refusals(*errors: type[HubError]) -> dict[int | str, dict[str, Any]]:
    """Return what a route says of the errors it may answer with, by status."""
    by_status: dict[int, dict[str, str]] = {}
    for error in errors:
        by_status.setdefault(error.status, {})[error.code] = first_line(error)
    return {
        status: {
            "model": ErrorAnswer,
            "description": " ".join(f"`{code}`: {text}" for code, text in sorted(codes.items())),
            CODES: sorted(codes),
        }
        for status, codes in sorted(by_status.items())
    }


def first_line(described: object) -> str:
    """Return the first sentence of what something says of itself."""
    return (described.__doc__ or "").strip().split("\n", 1)[0]


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Yield the method, the path and the description of every call."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def complete(document: Document) -> None:
    """Add to what the framework wrote, and take out what is not so: nothing is answered with 422."""
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for _, _, operation in operations(document):
        operation["responses"].pop("422", None)
        for response in operation["responses"].values():
            _name_codes(response)
        for parameter in operation.get("parameters", ()):
            _explain(parameter)
    _link(document)


def _name_codes(response: Document) -> None:
    codes = response.pop(CODES, None)
    if codes is None:
        return
    code = {"properties": {"code": {"enum": codes}}}
    schema = {"allOf": [{"$ref": "#/components/schemas/ErrorAnswer"}, {"properties": {"error": code}}]}
    example = {"error": {"code": codes[0], "message": "What is wrong.", "next_step": "What can be done now."}}
    response["content"] = {"application/json": {"schema": schema, "example": example}}


def _explain(parameter: Document) -> None:
    known = _PARAMETERS.get(parameter["name"])
    if known is None:
        return
    meaning, example, bounds = known
    parameter.setdefault("description", meaning)
    parameter.setdefault("example", example)
    if parameter["in"] == "path":
        parameter["schema"].update(bounds)


def _link(document: Document) -> None:
    for _, path, operation in list(operations(document)):
        fields = _GIVES.get(operation["operationId"])
        if fields is None:
            continue
        values = {name: f"$response.body#/{name}" for name in fields}
        links = {
            other["operationId"]: {"operationId": other["operationId"], "parameters": values}
            for _, below, other in operations(document)
            if _names(below) == fields and other is not operation and _can_follow(path, below, fields)
        }
        operation["responses"]["201"]["links"] = links


def _names(path: str) -> tuple[str, ...]:
    return tuple(part[1:-1] for part in path.split("/") if part.startswith("{"))


def _can_follow(path: str, below: str, fields: tuple[str, ...]) -> bool:
    """A name means the same only in one collection, but a device's id means the device everywhere."""
    return "device_id" in fields or below.startswith(path)
