"""Tests of console/metric_names.py."""

from pathlib import Path

from ironhub.console import metric_names

NAMES = {name: value for name, value in vars(metric_names).items() if name.isupper()}


def test_names_are_ours_and_differ() -> None:
    metrics = [value for name, value in NAMES.items() if not name.startswith("LABEL_")]
    assert all(value.startswith("ironhub_") for value in metrics)
    assert len(set(metrics)) == len(metrics)


def test_every_metric_says_what_it_counts() -> None:
    source = Path(str(metric_names.__file__)).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(source):
        if ': Final = "ironhub_' in line:
            assert source[number + 1].startswith('"""'), line
