"""Tests of console/health.py."""

import httpx
import pytest

from ironhub.app.cli.inprocess import InProcessTransport
from ironhub.console.health import HealthSources, make_health_app
from ironhub.console.metrics import Readings


async def get(path: str, *reasons: str) -> httpx.Response:
    app = make_health_app(HealthSources(read=lambda: Readings(messages_stored=7), ready=lambda: reasons))
    async with httpx.AsyncClient(base_url="http://hub", transport=InProcessTransport(app)) as client:
        return await client.get(path)


async def test_the_metrics_are_text_that_prometheus_takes() -> None:
    response = await get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "ironhub_messages_stored_total 7.0" in response.text


@pytest.mark.parametrize("reasons", [(), ("the disk is full",)])
async def test_a_process_that_answers_lives_whatever_else(reasons: tuple[str, ...]) -> None:
    assert (await get("/healthz", *reasons)).status_code == 200


async def test_ready_is_said_only_when_nothing_speaks_against_it() -> None:
    response = await get("/readyz")
    assert (response.status_code, response.text) == (200, "ready\n")
    response = await get("/readyz", "the disk is full", "no listener")
    assert (response.status_code, response.text) == (503, "the disk is full\nno listener\n")
