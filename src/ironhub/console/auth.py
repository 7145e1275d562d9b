"""The one way into the admin API: the data directory's admin token becomes an operator, here and nowhere else.

Protects against everybody on the machine who cannot read the data directory, and against web pages that make a browser
call this port: a bearer token is nothing a browser adds by itself.
"""

from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from ironhub.access.model import WHOLE_HUB, Grant, Permission, Target
from ironhub.access.service import authorise
from ironhub.console.services import HubServices
from ironhub.identity.gate import admit_operator
from ironhub.identity.model import OperatorPrincipal

_bearer: Final = HTTPBearer(auto_error=False, description="Content of `admin.token` in the data directory.")


def hub_services(request: Request) -> HubServices:
    """Return the services of the hub that this app was made for."""
    services: HubServices = request.app.state.services
    return services


def operator(
    request: Request, shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> OperatorPrincipal:
    """Return who calls. Raises AuthenticationFailed, with the same answer for no token and for a wrong one."""
    return admit_operator(shown.credentials if shown else "", request.app.state.admin_token)


class Caller:
    """An authenticated operator and the services they may call, after one more word: the permission."""

    def __init__(
        self,
        services: Annotated[HubServices, Depends(hub_services)],
        principal: Annotated[OperatorPrincipal, Depends(operator)],
    ) -> None:
        self.services = services
        self.principal = principal

    def may(self, permission: Permission, target: Target = WHOLE_HUB) -> Grant:
        """Return the proof that this caller may do `permission` to `target`. Raises PermissionDenied."""
        return authorise(self.principal, permission, target)


Authenticated = Annotated[Caller, Depends(Caller)]
"""What every handler takes first."""
