"""What holds for every test: which form of the wire layer runs is said, and is the one that was asked for."""

import os

import pytest
from hypothesis import HealthCheck, settings

from ironhub.wire.mqtt import COMPILED

# No test asserts a time: a busy machine is not a bug.
settings.register_profile("new", deadline=None, suppress_health_check=(HealthCheck.too_slow,))
settings.register_profile("same", settings.get_profile("new"), derandomize=True)


def pytest_configure() -> None:
    """Refuse to test the one form of the wire layer when the other was asked for.

    Property tests try the same examples in every run, so that no change is blamed for what an older one did; the full
    run tries new ones.
    """
    settings.load_profile("new" if os.environ.get("IRONHUB_FULL") else "same")
    wanted = os.environ.get("IRONHUB_EXPECT_COMPILED")
    if wanted is not None and (wanted == "1") != COMPILED:
        raise pytest.UsageError(f"the wire layer is {_form()}, which is not what IRONHUB_EXPECT_COMPILED asks for")


def pytest_report_header() -> str:
    """Say which form runs."""
    return f"wire layer: {_form()}"


def _form() -> str:
    return "compiled" if COMPILED else "pure Python"
