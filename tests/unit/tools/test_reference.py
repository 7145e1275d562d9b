"""tools/reference.py"""

from tools.reference import PAGES, pages


def test_the_reference_says_what_the_code_says() -> None:
    for name, text in pages().items():
        assert (PAGES / name).read_text("utf-8") == text, "run python -m tools.reference"


def test_every_error_setting_and_metric_is_told_with_a_sentence() -> None:
    for name, text in pages().items():
        if not name.endswith(".md"):
            continue
        rows = [line for line in text.splitlines() if line.startswith("| `")]
        assert len(rows) > 10
        assert all(cell.strip() for row in rows for cell in row.replace("\\|", "").strip("|").split("|"))
