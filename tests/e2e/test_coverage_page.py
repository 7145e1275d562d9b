"""docs/reference/coverage.md says what the tests show of the SDKs that are installed, no more and no less."""

import pytest
from tools.coverage_table import PAGE, markers, node_methods, page, python_methods


@pytest.mark.usefixtures("_node_sdks")
def test_the_page_is_true() -> None:
    text = page({**python_methods(), **node_methods()}, markers())
    assert PAGE.read_text("utf-8") == text, "run python -m tools.coverage_table"
