"""The command line of the benchmark."""

from pathlib import Path

import pytest
from tools.bench.__main__ import BENCHMARKS, QUICK_ONES, parse


def test_everything_is_measured_beside_its_peers_unless_told_otherwise() -> None:
    options = parse([])
    assert options.only == list(BENCHMARKS)
    assert (options.quick, options.peers, options.json) == (False, "all", None)


def test_quick_leaves_out_what_takes_long() -> None:
    assert parse(["--quick"]).only == list(QUICK_ONES)
    assert set(QUICK_ONES) < set(BENCHMARKS)


def test_what_is_named_is_measured_in_that_order() -> None:
    options = parse(["--quick", "--only", "latency", "ingest", "--json", "out.json", "--peers", "none"])
    assert options.only == ["latency", "ingest"]
    assert (options.json, options.peers) == (Path("out.json"), "none")


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(SystemExit) as refused:
        parse(["--only", "everything"])
    assert refused.value.code == 2
