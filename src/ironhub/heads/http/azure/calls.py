"""What every call of the vendor's REST APIs is made of: a route, the door its caller comes through, and a handler.

Protects against a second way in: a handler gets a Call, whose principal the gate made, and reaches a service only with
a grant for what its path names.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Protocol

from ironhub.access.model import Grant, Permission, Target
from ironhub.access.service import authorise
from ironhub.core.errors import HubError
from ironhub.core.ids import Identity, identity
from ironhub.core.strict_json import encode_json
from ironhub.dialects.azure.if_match import decode_if_match, encode_etag
from ironhub.heads.http.messages import Head, Headers, Request, Response
from ironhub.heads.http.router import decode_query
from ironhub.identity.model import DevicePrincipal, LinkPrincipal, ServicePrincipal

Caller = ServicePrincipal | DevicePrincipal | LinkPrincipal


class Door(Enum):
    """Whom the gate lets in for a route."""

    SERVICE = auto()
    """A back end with a policy's token."""
    DEVICE = auto()
    """The device or module that the path names, by its token or its certificate."""
    SERVICE_OR_MODULE = auto()
    """A back end; or, when the request says which module it comes from, that module as at DEVICE."""
    LINK = auto()
    """Whoever shows a signed link to the container or blob that the path names."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose caller the gate admitted, and what its path names."""

    principal: Caller
    request: Request
    values: dict[str, str]

    @property
    def target(self) -> Identity:
        """The device or module the path names. Raises InvalidId."""
        return identity(self.values["device"], self.values.get("module"))

    @property
    def if_match(self) -> str | None:
        """The etag that must match, as `decode_if_match` returns it."""
        return decode_if_match(self.request.head.headers.get("if-match"))

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the address by lower-case name, the first of each."""
        return dict(decode_query(self.request.head.query))

    def may(self, permission: Permission, target: Target | None = None) -> Grant:
        """Return the grant, for what the path names unless `target` is given. Raises PermissionDenied, InvalidId."""
        return authorise(self.principal, permission, self.target if target is None else target)


Handler = Callable[[Call], Awaitable[Response]]


class LinkDoor(Protocol):
    """Who looks at signed links, and tells of errors as those who hold them expect it."""

    def admit(self, head: Head, values: dict[str, str]) -> LinkPrincipal:
        """Return what the holder may do. Raises AuthenticationFailed, BlobNameInvalid."""

    def refuse(self, error: HubError, head: Head, request_id: str) -> Response:
        """Return the response that tells of `error`."""


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path template (see Router), and who answers it for whom."""

    method: str
    path: str
    handler: Handler
    door: Door = Door.SERVICE
    stream_limit: int | None = None
    """Bytes a body may have that the handler takes as it comes; None: it gets the whole body."""


class CallGroup(Protocol):
    """Calls that belong together, over the services they need."""

    def routes(self) -> Sequence[Route]:
        """Return what it serves."""


def json_response(value: Any, *, etag: str | None = None, status: int = 200, headers: Headers = ()) -> Response:
    """Return `value` as JSON, with its etag in a header where it has one."""
    quoted = () if etag is None else (("ETag", encode_etag(etag)),)
    return Response(status, encode_json(value), (*quoted, *headers))
