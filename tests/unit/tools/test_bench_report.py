"""Rows, ratios and verdicts, and the tables made of them."""

import json

import pytest
from tools.bench.report import Row, Table, render
from tools.bench.stats import Spread

TWO, FOUR, NONE = Spread(2.0, 1.0, 3.0), Spread(4.0, 4.0, 4.0), Spread(0.0, 0.0, 0.0)


def row(found: Spread, base: Spread | None, target: float | None = None, table: Table = Table.BESIDE) -> Row:
    return Row(table, "ingest", "CPU s per million", found, base, "", target)


def test_the_ratio_is_that_of_the_medians() -> None:
    assert row(TWO, FOUR).ratio == 0.5


@pytest.mark.parametrize("base", [None, NONE])
def test_without_a_base_there_is_no_ratio_and_no_verdict(base: Spread | None) -> None:
    assert (row(TWO, base, 1.0).ratio, row(TWO, base, 1.0).verdict) == (None, "")


@pytest.mark.parametrize(("target", "verdict"), [(0.5, "met"), (0.49, "MISSED"), (None, "")])
def test_a_target_is_met_up_to_and_with_its_value(target: float | None, verdict: str) -> None:
    assert row(TWO, FOUR, target).verdict == verdict


def test_a_table_shows_each_row_with_ratio_target_and_verdict() -> None:
    lines = render([row(FOUR, TWO, 1.2)]).splitlines()
    assert lines[0] == "## Beside its peers"
    cells = [cell.strip() for cell in lines[-1].strip("|").split("|")]
    assert cells == ["ingest", "CPU s per million", "4.00 (4.00-4.00)", "2.00 (1.00-3.00)", "2.00", "<= 1.20", "MISSED"]


def test_all_lines_of_a_table_are_equally_long() -> None:
    lines = render([row(FOUR, TWO, 1.2), row(NONE, None)]).splitlines()[2:]
    assert len({len(line) for line in lines}) == 1


def test_tables_without_rows_are_left_out() -> None:
    shown = render([row(TWO, FOUR, table=Table.GROWTH)])
    assert "How it grows" in shown
    assert "Beside" not in shown


def test_what_the_base_is_stands_beside_its_figures() -> None:
    shown = render([Row(Table.ALONE, "connect", "ms", TWO, FOUR, "with a certificate")])
    assert "4.00 (4.00-4.00) with a certificate" in shown


def test_a_row_in_json_carries_ratio_and_verdict() -> None:
    read = json.loads(json.dumps(row(FOUR, TWO, 1.2).as_json()))
    assert read["ratio"] == 2.0
    assert read["verdict"] == "MISSED"
    assert read["found"] == {"median": 4.0, "low": 4.0, "high": 4.0}
