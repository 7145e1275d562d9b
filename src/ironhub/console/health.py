"""Is it alive, is it ready, and what does it count: for supervisors, load balancers and Prometheus."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ironhub.console.metrics import HubMetrics, Readings

METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class HealthSources:
    """Where the answers come from; both are called from the event loop's thread and must not block."""

    read: Callable[[], Readings]
    """What the hub counted so far; called once per scrape."""
    ready: Callable[[], Sequence[str]]
    """Why the hub cannot serve right now, one short sentence each; empty: it can."""


def make_health_app(sources: HealthSources) -> Starlette:
    """Return the app for the metrics port: /metrics, /healthz and /readyz. It needs no token and holds no secret."""
    metrics = HubMetrics(sources.read, sources.ready)

    async def metrics_page(_: Request) -> Response:
        return Response(metrics.text(), headers={"content-type": METRICS_TYPE})

    async def alive(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readiness(_: Request) -> Response:
        reasons = sources.ready()
        return PlainTextResponse("\n".join((*reasons, "")) or "ready\n", status_code=503 if reasons else 200)

    return Starlette(
        routes=[Route("/metrics", metrics_page), Route("/healthz", alive), Route("/readyz", readiness)],
    )
