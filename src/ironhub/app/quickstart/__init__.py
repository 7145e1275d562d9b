"""`ironhub quickstart`: a hub, two devices driven by the vendor's own SDK, and their telemetry as it arrives."""

from ironhub.app.quickstart.run import run_quickstart

__all__ = ["run_quickstart"]
