"""Makes docs/reference/azure-rest.json: an OpenAPI 3.1 document of the vendor's REST calls as this hub serves them.

The paths are those of the hub's own table of routes; what each takes and gives stands in `tools/azure_calls.py`.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from tools.azure_calls import CALLS, COMMON, EXAMPLES, PARAMETERS, SCHEMAS, Described

from ironhub.dialects.azure.errors import ERROR_HEADER
from ironhub.heads.http.azure.calls import Door, Route

Document = dict[str, Any]

SECURITY: Final = {
    Door.SERVICE: ("policyToken", "A shared access signature of a policy, for the whole hub or a device."),
    Door.DEVICE: ("deviceToken", "A shared access signature of the device or module, or its certificate."),
    Door.SERVICE_OR_MODULE: ("policyToken", ""),
    Door.LINK: ("signedLink", "A signed link to a container or blob, as the hub hands it out."),
}
_FOLLOWS: Final = {"putDevice": {"device": "deviceId"}, "putModule": {"device": "deviceId", "module": "moduleId"}}


class Undescribed(Exception):
    """A route has no description, or a description has no route."""


def document(routes: Sequence[Route]) -> Document:
    """Return the description of `routes`. Raises Undescribed."""
    served = {f"{route.method} {shown_path(route)}": route for route in routes}
    if missing := sorted(served.keys() - CALLS.keys()):
        raise Undescribed(f"tools/azure_calls.py does not describe {', '.join(missing)}")
    paths: dict[str, Document] = {}
    for call, route in served.items():
        paths.setdefault(shown_path(route), {})[route.method.lower()] = _operation(route, CALLS[call])
    _link(paths)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ironhub: the REST calls of Azure IoT Hub's SDKs",
            "version": "2021-04-12",
            "summary": "What is served of the vendor's service and device REST APIs, as this hub serves it.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "https://localhost"}],
        "paths": paths,
        "components": {"schemas": SCHEMAS, "securitySchemes": _schemes()},
    }


def shown_path(route: Route) -> str:
    """Return the path as OpenAPI writes it: a rest-of-path parameter is a parameter."""
    return route.path.replace("*}", "}")


def _operation(route: Route, described: Described) -> Document:
    operation: Document = {
        "operationId": described.name,
        "tags": [route.door.name.lower().replace("_", " ")],
        "summary": described.text,
        "parameters": [*_path_parameters(route), *map(_parameter, described.headers), _API_VERSION],
        "responses": {**_answers(described), **_errors(described)},
        "security": [{SECURITY[route.door][0]: []}],
    }
    if described.takes is not None:
        content: Document = {"schema": _reference(described.takes)}
        if described.takes in EXAMPLES:
            content["example"] = EXAMPLES[described.takes]
        operation["requestBody"] = {"content": {"application/json": content}}
    return operation


_API_VERSION: Final = {
    "name": "api-version",
    "in": "query",
    "description": "Taken as it is: every version is served alike.",
    "schema": {"type": "string"},
    "example": "2021-04-12",
}


def _path_parameters(route: Route) -> list[Document]:
    names = [part[1:-1] for part in shown_path(route).split("/") if part.startswith("{")]
    schema = {"type": "string", "minLength": 1}
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]


def _parameter(name: str) -> Document:
    where, text, schema = PARAMETERS[name]
    return {"name": name, "in": where, "description": text, "schema": schema}


def _answers(described: Described) -> Document:
    return {
        str(status): {
            "description": HTTPStatus(status).phrase,
            **({} if schema is None else {"content": {_media_type(schema): {"schema": _reference(schema)}}}),
        }
        for status, schema in described.gives.items()
    }


def _media_type(schema: str) -> str:
    return "*/*" if schema == "Text" else "application/json"


def _errors(described: Described) -> Document:
    header = {ERROR_HEADER: {"description": "The error's name.", "schema": {"type": "string"}}}
    # The answer to a bulk call is one and the same body, whether all rows were good or not.
    schema: Document = {} if described.name in ("bulk", "regenerateKeys") else _reference("Error")
    return {
        str(status): {
            "description": HTTPStatus(status).phrase,
            "headers": header,
            "content": {"*/*" if "Blob" in described.name else "application/json": {"schema": schema}},
        }
        for status in sorted({*COMMON, *described.fails})
    }


def _reference(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


def _schemes() -> Document:
    return {
        name: {"type": "apiKey", "in": "query" if door is Door.LINK else "header", "name": where, "description": text}
        for door, (name, text) in SECURITY.items()
        if text
        for where in ["sig" if door is Door.LINK else "Authorization"]
    }


def _link(paths: dict[str, Document]) -> None:
    """What was made can be read, changed and deleted."""
    calls = [(path, operation) for path, methods in paths.items() for operation in methods.values()]
    for _, operation in calls:
        names = _FOLLOWS.get(operation["operationId"])
        if names is not None:
            values = {name: f"$response.body#/{field}" for name, field in names.items()}
            operation["responses"]["200"]["links"] = {
                other["operationId"]: {"operationId": other["operationId"], "parameters": values}
                for path, other in calls
                if {part[1:-1] for part in path.split("/") if part.startswith("{")} == names.keys()
                and other is not operation
            }
