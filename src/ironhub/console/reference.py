"""A page that explains the admin API, made from its OpenAPI document; no script, nothing from outside."""

import json
from collections.abc import Iterator
from html import escape
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse

from ironhub.console.description import Document, operations

DESCRIPTION: Final = "/api/openapi.json"
PAGE: Final = "/api/docs"

_STYLE: Final = (
    "body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "summary{cursor:pointer;padding:.2rem 0}td{padding:.1rem .8rem .1rem 0;vertical-align:top}"
    "pre{background:#8882;padding:.5rem;overflow:auto}details details,details>*:not(summary){margin-left:1.2rem}"
)
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


async def reference_page(request: Request) -> HTMLResponse:
    """Return the explanation of every call. It needs no token: it says nothing about this hub."""
    return HTMLResponse(page_of(request.app.openapi()), headers=_HEADERS)


def page_of(document: Document) -> str:
    """Return the page (HTML) that explains what `document` describes."""
    info = document["info"]
    title = escape(info["title"])
    parts = [
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{title}</title><style>{_STYLE}</style>",
        f"<h1>{title}</h1><p>{escape(info['summary'])} {escape(info['description'])}</p>",
        "<p>For programs: <a href='openapi.json'>openapi.json</a> (OpenAPI 3.1).</p>",
    ]
    for tag in document["tags"]:
        parts.append(f"<h2>{escape(tag['name'])}</h2><p>{escape(tag['description'])}</p>")
        for method, path, operation in operations(document):
            if tag["name"] in operation["tags"]:
                parts += _call(document, f"{method} {path}", operation)
    return "".join([*parts, "</html>"])


def _call(document: Document, call: str, operation: Document) -> Iterator[str]:
    text = escape(operation["description"])
    yield f"<details id='{operation['operationId']}'><summary><code>{escape(call)}</code> {text}</summary>"
    parameters = [parameter for parameter in operation.get("parameters", ()) if parameter["in"] != "cookie"]
    yield from _table(
        (f"{parameter['name']} ({parameter['in']})", parameter.get("description", "")) for parameter in parameters
    )
    for schema in _schemas(operation.get("requestBody", {})):
        yield from _body(document, schema)
    yield from _table((status, response["description"]) for status, response in operation["responses"].items())
    yield "</details>"


def _body(document: Document, schema: Document) -> Iterator[str]:
    resolved = _resolved(document, schema)
    yield f"<p>Body: {escape(resolved.get('description', ''))}</p>"
    required = resolved.get("required", ())
    yield from _table(
        (f"{name}{' *' if name in required else ''}", f"{_kind(field)} {field.get('description', '')}")
        for name, field in resolved.get("properties", {}).items()
    )
    for example in resolved.get("examples", ()):
        yield f"<pre>{escape(json.dumps(example, indent=2))}</pre>"


def _table(rows: Iterator[tuple[str, str]]) -> Iterator[str]:
    yield "<table>"
    for name, text in rows:
        yield f"<tr><td><code>{escape(name)}</code></td><td>{escape(text)}</td></tr>"
    yield "</table>"


def _schemas(body: Document) -> list[Document]:
    return [content["schema"] for content in body.get("content", {}).values()]


def _resolved(document: Document, schema: Document) -> Document:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Document = document["components"]["schemas"][reference.rpartition("/")[2]]
    return found


def _kind(field: Document) -> str:
    """What may stand there, in a word or two."""
    if "anyOf" in field:
        return " or ".join(_kind(each) for each in field["anyOf"])
    named: Any = field.get("type") or field.get("$ref", "any").rpartition("/")[2]
    return str(named)
