"""The admin API: one ASGI app over the services of one hub, described by its own OpenAPI document."""

from typing import Final

from fastapi import FastAPI

from ironhub.console import errors
from ironhub.console.intake import BoundedBodies
from ironhub.console.reference import reference_page
from ironhub.console.routes import authorities, devices, events, hub, messaging, modules, twins
from ironhub.console.services import HubServices

PREFIX: Final = "/api/v1"
_ROUTES: Final = (devices, modules, twins, messaging, authorities, events, hub)


def make_admin_app(services: HubServices, admin_token: bytes) -> FastAPI:
    """Return the admin API of a hub, for whoever shows `admin_token` as a bearer token.

    Args:
        admin_token: the token as callers send it, ASCII; empty: nobody is admitted.
    """
    app = FastAPI(
        title="Ironhub admin API",
        version="1",
        openapi_url=f"{PREFIX}/openapi.json",
        # The framework's own pages load scripts from the internet; a hub may have none.
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    app.state.admin_token = admin_token
    for module in _ROUTES:
        app.include_router(module.routes, prefix=PREFIX)
    app.add_api_route(f"{PREFIX}/", reference_page, include_in_schema=False)
    app.add_middleware(BoundedBodies)
    errors.install(app)
    return app
