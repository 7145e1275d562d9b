"""A page that lists what the admin API can do, made from its OpenAPI document; no script, nothing from outside."""

from html import escape
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse

_STYLE: Final = (
    "body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "td{padding:.2rem .8rem .2rem 0;vertical-align:top}code{white-space:nowrap}"
)
_HEADERS: Final = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


async def reference_page(request: Request) -> HTMLResponse:
    """Return the list of operations. It needs no token: it says nothing about this hub."""
    document: dict[str, Any] = request.app.openapi()
    rows = "".join(
        _row(method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )
    return HTMLResponse(_page(escape(document["info"]["title"]), rows), headers=_HEADERS)


def _page(title: str, rows: str) -> str:
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{title}</title><style>{_STYLE}</style>"
        f"<h1>{title}</h1><p>Send the content of <code>admin.token</code> as <code>Authorization: Bearer</code>. "
        f"The whole description: <a href='openapi.json'>openapi.json</a>.</p><table>{rows}</table></html>"
    )


def _row(method: str, path: str, operation: dict[str, Any]) -> str:
    call = f"{method.upper()} {path}"
    return f"<tr><td><code>{escape(call)}</code></td><td>{escape(operation.get('description', ''))}</td></tr>"
