"""The admin API: one ASGI app over the services of one hub, described by its own OpenAPI document."""

from typing import Any, Final

from fastapi.routing import APIRoute

from ironhub.console import errors
from ironhub.console.description import DescribedApi, first_line
from ironhub.console.intake import BoundedBodies
from ironhub.console.reference import DESCRIPTION, PAGE, reference_page
from ironhub.console.routes import (
    authorities,
    configurations,
    consumer_groups,
    devices,
    events,
    files,
    hub,
    imports,
    jobs,
    messaging,
    modules,
    policies,
    queries,
    twins,
)
from ironhub.console.services import HubServices

PREFIX: Final = "/api/v1"
_ROUTES: Final = (
    devices,
    modules,
    imports,
    twins,
    queries,
    configurations,
    messaging,
    jobs,
    files,
    authorities,
    policies,
    events,
    consumer_groups,
    hub,
)


def make_admin_app(services: HubServices, admin_token: bytes) -> DescribedApi:
    """Return the admin API of a hub, for whoever shows `admin_token` as a bearer token.

    Args:
        admin_token: the token as callers send it, ASCII; empty: nobody is admitted.
    """
    app = _app()
    app.state.services = services
    app.state.admin_token = admin_token
    app.add_middleware(BoundedBodies)
    errors.install(app)
    return app


def admin_document() -> dict[str, Any]:
    """Return the description of the admin API (OpenAPI 3.1), which is the same for every hub."""
    return _app().openapi()


def _app() -> DescribedApi:
    app = DescribedApi(
        title="Ironhub admin API",
        version="1",
        summary="Everything that the command line does.",
        description="Send the content of `admin.token` in the data directory as a bearer token. Instants are ISO 8601 "
        "in UTC, durations seconds, keys base64. A field that nobody knows is refused.",
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        servers=[{"url": "https://localhost:9443", "description": "Where a hub serves it unless told otherwise."}],
        openapi_tags=_tags(),
        openapi_url=DESCRIPTION,
        generate_unique_id_function=_operation_id,
        # The framework's own pages load scripts from the internet; a hub may have none.
        docs_url=None,
        redoc_url=None,
    )
    for module in _ROUTES:
        app.include_router(module.routes, prefix=PREFIX)
    app.add_api_route(PAGE, reference_page, include_in_schema=False)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


def _tags() -> list[dict[str, Any]]:
    return [{"name": module.routes.tags[0], "description": first_line(module)} for module in _ROUTES]
