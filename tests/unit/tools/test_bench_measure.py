"""What is made of one command's answer."""

import pytest
from tools.bench.measure import Sample, cpu_per_million, cpu_per_piece, per_second, spread, wait
from tools.bench.stats import Spread

SAMPLE = Sample(done=2_000, seconds=4.0, server_cpu=0.5, generator_cpu=0.1, others=0.0, more={"p50_us": 1_500})


def test_cpu_is_told_for_a_million_or_for_one() -> None:
    assert cpu_per_million(SAMPLE) == pytest.approx(250.0)
    assert cpu_per_piece(SAMPLE) == pytest.approx(0.25)


def test_speed_is_what_the_generator_saw() -> None:
    assert per_second(SAMPLE) == 500.0


def test_waits_are_told_in_milliseconds() -> None:
    assert wait("p50_us")(SAMPLE) == 1.5


def test_rounds_become_a_spread() -> None:
    assert spread([SAMPLE, SAMPLE], per_second) == Spread(500.0, 500.0, 500.0)
