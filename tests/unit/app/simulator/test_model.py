"""Tests of app/simulator/model.py: a year of a fleet's life in a second."""

from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest

from ironhub.app.simulator.model import MAX_STEP, MAX_STEPS, Condition, Level, Machine, Reading, advance, read, status
from ironhub.app.simulator.profiles import BUILT_IN, COLD_STORE, PRESS_SHOP

MONDAY = datetime(2026, 11, 16, tzinfo=UTC).timestamp()
HOUR = 3600.0


def lived(machine: Machine, hours: int, step: float = 0.25) -> list[tuple[Condition, Reading]]:
    """The machine's life, looked at every `step` hours."""
    condition, found = machine.when_new(MONDAY), []
    for number in range(1, int(hours / step) + 1):
        condition, reading = read(machine, advance(machine, condition, MONDAY + number * step * HOUR))
        found.append((condition, reading))
    return found


def test_a_machine_works_when_people_do() -> None:
    week = lived(Machine(msgspec.structs.replace(PRESS_SHOP, failures=(), stops_per_hour=0.0), 1, 1), 7 * 24)
    by_hour = {(reading.at - MONDAY) / HOUR: reading for _, reading in week}
    noon, night, sunday = by_hour[11.0], by_hour[2.0], by_hour[6 * 24 + 11.0]
    assert noon.load > 0.6 > night.load == sunday.load == 0.0
    assert noon.values["pressure"] > 150 > night.values["pressure"]
    assert noon.values["oil_temperature"] > night.values["oil_temperature"] + 15
    assert noon.pieces > 0
    assert by_hour[2.0].pieces < noon.pieces <= sunday.pieces


def test_every_fault_was_announced_by_its_warning_and_is_repaired() -> None:
    failures = {failure.code: failure for failure in PRESS_SHOP.failures}
    faults = 0
    for number in range(6):
        codes = [reading.code for _, reading in lived(Machine(PRESS_SHOP, 5, number), 120 * 24, step=1.0)]
        for place, code in enumerate(codes):
            if place and code in failures and codes[place - 1] != code:
                faults += 1
                warned = codes[max(0, place - 24 * 60) : place]
                assert failures[code].warning in warned or any(other in failures for other in warned)
        assert codes[-1] not in failures or codes[-40:] != [codes[-1]] * 40
    assert faults > 5


def test_wear_shows_in_what_is_measured_before_it_breaks() -> None:
    machine = Machine(msgspec.structs.replace(PRESS_SHOP, stops_per_hour=0.0), 1, 1)
    new = machine.when_new(MONDAY + 10 * HOUR)
    well, worn = (advance(machine, altered(new, wear=(used, 0.0, 0.0)), MONDAY + 10.1 * HOUR) for used in (0.1, 0.995))
    vibration = [measurement.name for measurement in PRESS_SHOP.measurements].index("vibration")
    assert worn.values[vibration] > well.values[vibration] + 3
    assert status(machine, worn) == (Level.WARNING, "W204")
    assert status(machine, well) == (Level.NORMAL, None)


def altered(condition: Condition, **changed: object) -> Condition:
    """`condition` with these fields."""
    return replace(condition, **changed)  # type: ignore[arg-type]  # passed through


def test_what_is_broken_stands_still_until_it_is_repaired_in_working_hours() -> None:
    machine = Machine(PRESS_SHOP, 1, 1)
    broken = altered(machine.when_new(MONDAY - HOUR), broken=1, repair_left=2 * HOUR, wear=(0.5, 1.0, 0.5))
    night = advance(machine, broken, MONDAY + 2 * HOUR)
    assert (status(machine, night), night.load) == ((Level.FAULT, "F311"), 0.0)
    assert night.repair_left == 2 * HOUR
    noon = advance(machine, night, MONDAY + 11 * HOUR)
    assert (noon.broken, noon.repairs) == (None, 1)
    assert noon.wear[1] < 0.05 < noon.wear[0]


def test_the_same_seed_lives_the_same_life_and_another_another() -> None:
    one, again, other = (lived(Machine(COLD_STORE, seed, 3), 24) for seed in (1, 1, 2))
    assert one == again
    assert one != other


@pytest.mark.parametrize("profile", BUILT_IN.values(), ids=lambda profile: profile.name)
def test_what_is_measured_stays_believable_for_months(profile: object) -> None:
    machine = Machine(profile, 9, 4)  # type: ignore[arg-type]
    for measurement in machine.profile.measurements:
        effects = [failure.effects.get(measurement.name, 0.0) for failure in machine.profile.failures]
        low = min(measurement.idle, measurement.running) + sum(effect for effect in effects if effect < 0)
        high = max(measurement.idle, measurement.running) + sum(effect for effect in effects if effect > 0)
        spare = 4 * measurement.noise + 20 * abs(measurement.outside) + 0.01
        values = [reading.values[measurement.name] for _, reading in lived(machine, 40 * 24, step=4.0)]
        assert low - spare <= min(values) <= max(values) <= high + spare
        assert len(set(values)) > 20


def test_machines_of_a_fleet_differ_and_keep_their_place() -> None:
    fleet = [Machine(PRESS_SHOP, 1, number) for number in range(200)]
    assert len({machine.hall for machine in fleet}) == PRESS_SHOP.halls
    assert all(0.7 <= machine.quality <= 1.3 and 0 <= machine.stagger < 600 for machine in fleet)
    assert fleet[7].device_id == "sim-press-shop-00007"
    wears = [machine.when_new(MONDAY).wear for machine in fleet]
    assert len(set(wears)) == 200
    assert max(max(wear) for wear in wears) > 0.85


def test_a_machine_that_nobody_looked_at_for_long_costs_no_more_than_a_day() -> None:
    machine = Machine(PRESS_SHOP, 1, 1)
    later = advance(machine, machine.when_new(MONDAY), MONDAY + 5 * 365 * 24 * HOUR)
    assert later.at == MONDAY + 5 * 365 * 24 * HOUR
    assert later.hours <= MAX_STEP * MAX_STEPS / HOUR
    assert advance(machine, later, later.at) == later
