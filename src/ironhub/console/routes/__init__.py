"""The handlers of the admin API, one file per resource; each asks for a grant and calls one service."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query

from ironhub.console.errors import ErrorAnswer
from ironhub.console.intake import StrictRoute

IfMatch = Annotated[str | None, Header(alias="If-Match", description="The etag that must be stored, or * for any.")]
"""The etag a caller read before."""
WithKeys = Annotated[bool, Query(description="Show the keys too. Whoever reads the answer can act as the device.")]
"""Whether an answer shows keys."""

_ERRORS: Final = {
    401: "No token, or not the admin token",
    404: "Not there",
    409: "Already there",
    412: "Changed by somebody else",
}


def router(prefix: str, tag: str) -> APIRouter:
    """Return a router whose bodies are read strictly and whose errors are described."""
    described: dict[int | str, dict[str, Any]] = {
        status: {"model": ErrorAnswer, "description": text} for status, text in _ERRORS.items()
    }
    return APIRouter(prefix=prefix, tags=[tag], route_class=StrictRoute, responses=described)
