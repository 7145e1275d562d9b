"""The vendor's REST APIs of one hub in memory."""

import pytest
from tests.fakes.azure_api import AzureApi


@pytest.fixture
async def api() -> AzureApi:
    """A hub without devices, and policies of each kind."""
    return AzureApi()
