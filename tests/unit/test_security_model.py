"""docs/security-model.md: what it promises is tested, and by tests that exist."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security-model.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


def functions_of(path: Path) -> set[str]:
    """The test functions of a file."""
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_test_the_page_names_exists() -> None:
    files = {path: functions_of(ROOT / path) for path in {path for path, _ in NAMED} if (ROOT / path).exists()}
    missing = [f"{path}::{name}" for path, name in NAMED if name not in files.get(path, set())]
    assert missing == []
    assert len(NAMED) > 50


def test_every_row_that_protects_names_its_test() -> None:
    promises = PAGE.partition("## Who gets in")[2].partition("## What is not protected")[0]
    rows = [line for line in promises.splitlines() if line.startswith("| ") and "shown by" not in line]
    assert [row for row in rows if "tests/" not in row] == []
    assert len(rows) > 40
