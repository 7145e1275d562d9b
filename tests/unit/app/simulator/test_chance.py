"""Tests of app/simulator/chance.py"""

from hypothesis import given
from hypothesis import strategies as st

from ironhub.app.simulator.chance import Chance, mixed


def test_the_same_seed_draws_the_same() -> None:
    one, other = Chance(7), Chance(7)
    assert [one.share() for _ in range(20)] == [other.share() for _ in range(20)]
    assert Chance(one.state).share() == one.share()


def test_close_seeds_draw_differently() -> None:
    assert len({mixed(1, number) % 1000 for number in range(200)}) > 150
    assert mixed(1, 2) != mixed(2, 1)


@given(seed=st.integers(0, 2**70))
def test_a_share_is_from_0_to_1_and_a_normal_number_never_far_out(seed: int) -> None:
    chance = Chance(seed)
    for _ in range(10):
        assert 0.0 <= chance.share() < 1.0
        assert -3.5 < chance.normal() < 3.5
        assert 2.0 <= chance.between(2.0, 3.0) <= 3.0
        assert chance.after(5.0) >= 0.0


def test_draws_have_the_mean_and_the_spread_they_should() -> None:
    chance = Chance(3)
    normal = [chance.normal() for _ in range(20_000)]
    mean = sum(normal) / len(normal)
    assert abs(mean) < 0.03
    assert abs(sum(value * value for value in normal) / len(normal) - 1.0) < 0.03
    assert abs(sum(chance.after(7.0) for _ in range(20_000)) / 20_000 - 7.0) < 0.2
    assert 1100 < sum(chance.happens(0.6, 0.1) for _ in range(20_000)) < 1230  # 1 - e^-0.06
    assert not chance.happens(0.0, 1e9)
