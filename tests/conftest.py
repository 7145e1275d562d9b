"""What holds for every test: which form of the wire layer runs is said, and is the one that was asked for."""

import os

import pytest

from ironhub.wire.mqtt import COMPILED


def pytest_configure() -> None:
    """Refuse to test the one form of the wire layer when the other was asked for."""
    wanted = os.environ.get("IRONHUB_EXPECT_COMPILED")
    if wanted is not None and (wanted == "1") != COMPILED:
        raise pytest.UsageError(f"the wire layer is {_form()}, which is not what IRONHUB_EXPECT_COMPILED asks for")


def pytest_report_header() -> str:
    """Say which form runs."""
    return f"wire layer: {_form()}"


def _form() -> str:
    return "compiled" if COMPILED else "pure Python"
