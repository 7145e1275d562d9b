"""Numbers of several rounds, and how they are shown."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tools.bench.stats import Spread, short


def test_a_spread_is_the_middle_and_the_ends_whatever_the_order() -> None:
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)


def test_one_value_is_its_own_middle_and_ends() -> None:
    assert Spread.of([7.0]) == Spread(7.0, 7.0, 7.0)


@settings(max_examples=50)
@given(values=st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=9))
def test_the_middle_lies_between_the_ends(values: list[float]) -> None:
    spread = Spread.of(values)
    assert min(values) == spread.low <= spread.median <= spread.high == max(values)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (0.01234, "0.012"),
        (1.234, "1.23"),
        (12.34, "12.3"),
        (123.4, "123"),
        (12_345.6, "12,346"),
        (-1.5, "-1.50"),
    ],
)
def test_a_number_is_shown_with_three_digits(value: float, shown: str) -> None:
    assert short(value) == shown


def test_a_spread_is_shown_with_its_ends() -> None:
    assert str(Spread(4.8, 4.71, 15.1)) == "4.80 (4.71-15.1)"
