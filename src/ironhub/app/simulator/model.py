"""One machine as a value: what it is, the condition it is in, and what becomes of it as time passes.

A machine works when people do. Work wears it; wear shows in what it measures, then raises a warning code, and at last
stops the machine with a fault code until somebody has repaired it. Who watches can see a fault coming.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from ironhub.app.simulator.chance import Chance, mixed
from ironhub.app.simulator.profile import Failure, Measurement, Profile
from ironhub.app.simulator.surroundings import DAY, HOUR, demand, outside_temperature, staffing

MAX_STEP: Final = 900.0
"""Seconds that are taken at once: shorter than anything in a working day."""
MAX_STEPS: Final = 96
"""A machine that was not looked at for longer than a day stood still before."""
_STOP_MEAN: Final = 150.0
"""Seconds of a short stop."""
_MAX_HALF_LIFE: Final = 0.9
"""A fleet is of all ages: the oldest machine of it has used so much of each life."""


class Level(StrEnum):
    """How the machine is."""

    NORMAL = "normal"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Machine:
    """What stays the same as long as the machine stands."""

    profile: Profile
    seed: int
    """Of the fleet."""
    number: int

    @property
    def device_id(self) -> str:
        """Its name at the hub."""
        return f"sim-{self.profile.name}-{self.number:05}"

    @property
    def hall(self) -> int:
        """Where it stands."""
        return mixed(self.seed, self.number) % self.profile.halls

    @property
    def stagger(self) -> float:
        """Seconds that its people begin after the others: nobody starts on the dot."""
        return float(mixed(self.seed, self.number, 1) % 600)

    @property
    def quality(self) -> float:
        """How long it lasts compared with the mean, 0.7 to 1.3."""
        return 0.7 + mixed(self.seed, self.number, 2) % 601 / 1000

    def when_new(self, now: float) -> "Condition":
        """Return the condition the simulation finds it in: machines of a fleet are of different ages."""
        chance = Chance(mixed(self.seed, self.number, 3))
        wear = tuple(chance.between(0, _MAX_HALF_LIFE) for _ in self.profile.failures)
        lives = tuple(_life(chance) for _ in self.profile.failures)
        values = tuple(measurement.idle for measurement in self.profile.measurements)
        return Condition(at=now, wear=wear, lives=lives, values=values, draws=chance.state)


@dataclass(frozen=True, slots=True)
class Condition:
    """How a machine is at one instant."""

    at: float
    """Seconds since the epoch."""
    wear: tuple[float, ...]
    """For each way to break: the share of its life that is used up."""
    lives: tuple[float, ...]
    """For each: how long this life is compared with the mean."""
    values: tuple[float, ...]
    """Each measurement without its noise."""
    draws: int
    """The state of its chance."""
    load: float = 0.0
    broken: int | None = None
    """Which failure stopped it."""
    repair_left: float = 0.0
    """Working seconds until it is repaired."""
    stopped_until: float = 0.0
    """A short stop."""
    pieces: float = 0.0
    hours: float = 0.0
    """It ran so long at all."""
    repairs: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """What a machine tells."""

    at: float
    level: Level
    code: str | None
    load: float
    values: dict[str, float]
    pieces: int


def advance(machine: Machine, condition: Condition, now: float) -> Condition:
    """Return the condition `machine` is in at `now`."""
    for at in _instants(condition.at, now):
        condition = _step(machine, condition, at)
    return condition


def read(machine: Machine, condition: Condition) -> tuple[Condition, Reading]:
    """Return what the machine's sensors show, each with its noise, and the condition with the draws that took."""
    chance = Chance(condition.draws)
    values = {
        measurement.name: round(value + measurement.noise * chance.normal(), measurement.digits)
        for measurement, value in zip(machine.profile.measurements, condition.values, strict=True)
    }
    level, code = status(machine, condition)
    reading = Reading(condition.at, level, code, round(condition.load, 3), values, int(condition.pieces))
    return replace(condition, draws=chance.state), reading


def status(machine: Machine, condition: Condition) -> tuple[Level, str | None]:
    """Return how the machine is, and the code it shows: of the fault, or of what is most worn."""
    failures = machine.profile.failures
    if condition.broken is not None:
        return Level.FAULT, failures[condition.broken].code
    shown = [
        (wear, failure.warning) for wear, failure in zip(condition.wear, failures, strict=True) if _shows(failure, wear)
    ]
    return (Level.WARNING, max(shown)[1]) if shown else (Level.NORMAL, None)


def _instants(last: float, now: float) -> Iterator[float]:
    """Where to stop on the way from `last` to `now`."""
    at = max(last, now - MAX_STEP * MAX_STEPS)
    while at < now:
        at = min(at + MAX_STEP, now)
        yield at


def _step(machine: Machine, condition: Condition, now: float) -> Condition:
    profile, chance = machine.profile, Chance(condition.draws)
    passed = now - condition.at
    local = now + profile.utc_offset * HOUR - machine.stagger
    at_work = staffing(profile, local)
    condition = replace(condition, at=now)
    if condition.broken is not None:
        condition = _repaired(condition, chance, passed * at_work)
    load = _load(machine, condition, local, at_work)
    if load and now >= condition.stopped_until and chance.happens(profile.stops_per_hour / HOUR, passed):
        condition = replace(condition, stopped_until=now + chance.after(_STOP_MEAN))
        load = 0.0
    if load:
        condition = _worn(machine, condition, chance, load, passed / HOUR)
        load = load if condition.broken is None else 0.0
    outside = outside_temperature(profile.climate, machine.seed, local) - profile.climate.mean
    values = tuple(
        _drifted(measurement, value, _target(profile, measurement, condition, load, outside), passed)
        for measurement, value in zip(profile.measurements, condition.values, strict=True)
    )
    return replace(condition, load=load, values=values, draws=chance.state)


def _load(machine: Machine, condition: Condition, local: float, at_work: float) -> float:
    if condition.broken is not None or condition.at < condition.stopped_until:
        return 0.0
    return min(1.0, machine.profile.load * at_work * demand(machine.profile.climate, local))


def _worn(machine: Machine, condition: Condition, chance: Chance, load: float, hours: float) -> Condition:
    """Return the condition after `hours` of work, in which something may have broken."""
    failures = machine.profile.failures
    wear = tuple(
        used + hours * load / (failure.mean_hours * machine.quality * life)
        for used, failure, life in zip(condition.wear, failures, condition.lives, strict=True)
    )
    pieces = condition.pieces + machine.profile.pieces_per_hour * load * hours
    condition = replace(condition, wear=wear, pieces=pieces, hours=condition.hours + hours)
    broken = next((place for place, used in enumerate(wear) if used >= 1.0), None)
    if broken is None:
        return condition
    takes = min(chance.after(failures[broken].repair_hours * HOUR), 5 * DAY)
    return replace(condition, broken=broken, repair_left=takes)


def _repaired(condition: Condition, chance: Chance, worked: float) -> Condition:
    """Return the condition after somebody worked on it; what is repaired is as new."""
    left = condition.repair_left - worked
    if left > 0 or condition.broken is None:
        return replace(condition, repair_left=left)
    place = condition.broken
    return replace(
        condition,
        broken=None,
        repair_left=0.0,
        repairs=condition.repairs + 1,
        wear=_with(condition.wear, place, 0.0),
        lives=_with(condition.lives, place, _life(chance)),
    )


def _target(profile: Profile, measurement: Measurement, condition: Condition, load: float, outside: float) -> float:
    """Where a measurement goes if nothing changes."""
    value = measurement.idle + (measurement.running - measurement.idle) * load + measurement.outside * outside
    for failure, wear in zip(profile.failures, condition.wear, strict=True):
        effect = failure.effects.get(measurement.name)
        if effect is not None and load and _shows(failure, wear):
            value += effect * ((wear - 1.0 + failure.lead) / failure.lead) ** 2  # late damage grows fast
    return value


def _drifted(measurement: Measurement, value: float, target: float, passed: float) -> float:
    if not measurement.inertia:
        return target
    return target + (value - target) * math.exp(-passed / measurement.inertia)


def _shows(failure: Failure, wear: float) -> bool:
    return wear > 1.0 - failure.lead


def _life(chance: Chance) -> float:
    return max(0.4, 1.0 + 0.25 * chance.normal())


def _with(values: tuple[float, ...], place: int, value: float) -> tuple[float, ...]:
    return (*values[:place], value, *values[place + 1 :])
