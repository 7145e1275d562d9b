"""The vendor's REST calls as a hub serves them: its own table of routes, read from a hub that is opened for it."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ironhub.app.hub import open_hub
from ironhub.app.rest import call_groups
from ironhub.app.settings import load_settings
from ironhub.app.system import SystemClock, SystemEntropy
from ironhub.heads.http.azure.calls import Route


def served_routes() -> Sequence[Route]:
    """Return every route, in the order in which they are wired."""
    with tempfile.TemporaryDirectory() as place:
        return asyncio.run(_read(Path(place) / "data"))


async def _read(data: Path) -> list[Route]:
    opening = open_hub(load_settings(data), clock=SystemClock(), entropy=SystemEntropy())
    async with opening as hub:
        return [route for group in call_groups(hub) for route in group.routes()]
