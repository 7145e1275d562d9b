"""Tests of app/simulator/surroundings.py"""

from datetime import UTC, datetime

import msgspec

from ironhub.app.simulator.profile import Climate, Network
from ironhub.app.simulator.profiles import COLD_STORE, PRESS_SHOP
from ironhub.app.simulator.surroundings import DAY, demand, outage_ends, outside_temperature, staffing


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> float:
    return datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp()


def test_summers_are_warm_and_nights_are_cool() -> None:
    climate = Climate(weather=0.0)
    july, january = (outside_temperature(climate, 1, at(2026, month, 14, 15)) for month in (7, 1))
    assert july - january > 17
    assert outside_temperature(climate, 1, at(2026, 7, 14, 3)) < july - 7


def test_weather_comes_in_spells_and_follows_the_seed() -> None:
    noons = [at(2026, 4, 1, 12) + day * DAY for day in range(30)]
    calm = [outside_temperature(Climate(weather=0.0), 1, noon) for noon in noons]
    here, there = ([outside_temperature(Climate(), seed, noon) for noon in noons] for seed in (1, 2))
    assert max(abs(a - b) for a, b in zip(here, calm, strict=True)) > 1.5
    assert all(abs(a - b) <= 3.0 for a, b in zip(here, calm, strict=True))
    assert here != there


def test_demand_follows_the_season() -> None:
    assert demand(Climate(demand=0.2), at(2026, 11, 17)) > 1.19
    assert demand(Climate(demand=0.2), at(2026, 5, 18)) < 0.81


def test_people_work_in_shifts_on_workdays() -> None:
    assert staffing(PRESS_SHOP, at(2026, 11, 20, 9)) == 1.0  # a Friday
    assert staffing(PRESS_SHOP, at(2026, 11, 20, 23)) == 0.0
    assert 0.0 < staffing(PRESS_SHOP, at(2026, 11, 20, 6, 10)) < 1.0
    assert staffing(PRESS_SHOP, at(2026, 11, 21, 9)) == 0.0  # a Saturday
    assert staffing(COLD_STORE, at(2026, 11, 21, 3)) == 1.0


def test_a_night_shift_belongs_to_the_evening_it_began_in() -> None:
    nights = msgspec.structs.replace(PRESS_SHOP, shifts=("22:00-06:00",))
    assert staffing(nights, at(2026, 11, 21, 2)) == 1.0  # since Friday evening
    assert staffing(nights, at(2026, 11, 23, 2)) == 0.0  # Sunday evening nobody came
    always = msgspec.structs.replace(PRESS_SHOP, shifts=("00:00-00:00",))
    assert staffing(always, at(2026, 11, 20, 12)) == 1.0


def test_a_whole_hall_is_cut_off_at_once_and_comes_back_when_it_was_said() -> None:
    shaky = msgspec.structs.replace(PRESS_SHOP, network=Network(outages_per_day=1.0, outage_minutes=60))
    instants = [at(2026, 11, 1) + minute * 60.0 for minute in range(0, 30 * 1440, 3)]
    ends = [outage_ends(shaky, 1, 0, now) for now in instants]
    down = [now for now, end in zip(instants, ends, strict=True) if end is not None]
    assert 0.01 < len(down) / len(instants) < 0.09  # an hour a day
    for now, end in zip(instants, ends, strict=True):
        if end is not None:
            assert now < end <= now + DAY
            assert outage_ends(shaky, 1, 0, end) != end
    assert [outage_ends(shaky, 1, 1, now) for now in instants] != ends
    calm = msgspec.structs.replace(PRESS_SHOP, network=Network(outages_per_day=0.0))
    assert outage_ends(calm, 1, 0, down[0]) is None
