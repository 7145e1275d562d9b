"""The handlers of the admin API, one file per resource; each asks for a grant and calls one service."""

from typing import Annotated, Final

from fastapi import APIRouter, Header, Query

from ironhub.console.description import refusals
from ironhub.console.errors import RequestTooLarge
from ironhub.console.intake import StrictRoute
from ironhub.core.errors import HubError, InvalidArgument, Unavailable
from ironhub.core.ids import InvalidId
from ironhub.core.strict_json import JsonInvalid
from ironhub.identity.model import AuthenticationFailed

IfMatch = Annotated[str | None, Header(alias="If-Match", description="The etag that must be stored, or * for any.")]
"""The etag a caller read before."""
WithKeys = Annotated[bool, Query(description="Show the keys too. Whoever reads the answer can act as the device.")]
"""Whether an answer shows keys."""

ANYWHERE: Final = (InvalidArgument, InvalidId, JsonInvalid, AuthenticationFailed, RequestTooLarge, Unavailable)
"""What every call may be refused with."""


def router(prefix: str, tag: str, *errors: type[HubError]) -> APIRouter:
    """Return a router whose bodies are read strictly and which says what it may refuse with: ANYWHERE and `errors`."""
    described = refusals(*ANYWHERE, *errors)
    return APIRouter(prefix=prefix, tags=[tag], route_class=StrictRoute, responses=described)
