"""What kind of plant is simulated: equipment, what it measures, how it wears, when people work, how the network is.

A profile is data. Those that are built in stand in `profiles`; anybody's own is a YAML file of the same fields.
"""

from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from ironhub.app.cli.problems import UsageProblem

MAX_FILE: Final = 65_536
"""Bytes of a profile."""

Positive = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
NotNegative = Annotated[float, Meta(ge=0)]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,31}$")]
Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,32}$")]
Span = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$")]


class Measurement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One quantity that a machine measures."""

    name: Name
    idle: float
    """At rest."""
    running: float
    """At full load."""
    noise: NotNegative = 0.0
    """Standard deviation of a single reading."""
    inertia: NotNegative = 0.0
    """Seconds until 63 % of a change shows."""
    outside: float = 0.0
    """How much of a degree outside shows in it."""
    digits: Annotated[int, Meta(ge=0, le=6)] = 1


class Failure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to break: wear that shows first, then warns, then stops the machine."""

    name: Name
    warning: Code
    """The code while it can still be prevented."""
    code: Code
    """The code of the machine that stands still."""
    mean_hours: Positive
    """Running hours at full load from new to broken, on average."""
    lead: Share = 0.2
    """The last share of that life in which it shows in the measurements and warns."""
    repair_hours: Positive = 2.0
    """Working hours until it is repaired, on average."""
    effects: dict[Name, float] = msgspec.field(default_factory=dict)
    """What is added to a measurement just before it breaks."""


class Climate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The weather outside, in degrees Celsius, and what the season does to demand."""

    mean: float = 10.0
    """Over the year."""
    summer: NotNegative = 9.0
    """Above the mean in the middle of July, and below it half a year later."""
    noon: NotNegative = 4.0
    """Above the day's mean in the afternoon."""
    weather: NotNegative = 3.0
    """How far warm and cold spells of some days reach."""
    demand: Share = 0.1
    """How far the load follows the season: busiest in late autumn."""


class Network(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How good the plant's network is."""

    drops_per_day: NotNegative = 0.5
    """How often a single machine loses its connection."""
    drop_seconds: Positive = 40.0
    """For how long, on average."""
    outages_per_day: Share = 0.05
    """How often a whole hall is cut off."""
    outage_minutes: Positive = 12.0
    """For how long, on average."""
    buffer: Annotated[int, Meta(ge=1, le=10_000)] = 120
    """Messages that a machine keeps meanwhile; then the oldest are lost."""


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind of plant."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    """Part of the device ids."""
    model: Annotated[str, Meta(max_length=128)]
    """What the machines report as their model."""
    interval: Annotated[float, Meta(ge=0.1, le=86_400)] = 10.0
    """Seconds between two messages of a machine."""
    measurements: Annotated[tuple[Measurement, ...], Meta(min_length=1, max_length=32)]
    failures: Annotated[tuple[Failure, ...], Meta(max_length=16)] = ()
    shifts: Annotated[tuple[Span, ...], Meta(max_length=6)] = ()
    """When people work, local time; none: the machine never rests."""
    workdays: tuple[Annotated[int, Meta(ge=1, le=7)], ...] = (1, 2, 3, 4, 5)
    """1 is Monday."""
    utc_offset: Annotated[float, Meta(ge=-12, le=14)] = 1.0
    """Hours that local time is ahead."""
    load: Share = 0.8
    """Of full load, while people work."""
    stops_per_hour: NotNegative = 0.3
    """Short stops: material is missing, a guard door is open."""
    pieces_per_hour: NotNegative = 0.0
    """What is made at full load; 0: nothing that is counted."""
    halls: Annotated[int, Meta(ge=1, le=1000)] = 4
    climate: Climate = Climate()
    network: Network = Network()


def decode_profile(value: Any) -> Profile:
    """Return the profile that `value`, decoded YAML, stands for. Raises UsageProblem, which names the field."""
    try:
        profile = msgspec.convert(value, Profile)
    except msgspec.ValidationError as error:
        raise UsageProblem(f"the profile is not one: {error}", _STEP) from error
    _check(profile)
    return profile


def read_profile(path: Path) -> Profile:
    """Return the profile in a YAML file. Raises UsageProblem, OSError."""
    import yaml  # only who brings a profile of their own needs it

    content = path.read_bytes()
    if len(content) > MAX_FILE:
        raise UsageProblem(f"{path} has more than {MAX_FILE} bytes", _STEP)
    try:
        value = yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeError, RecursionError) as error:
        raise UsageProblem(f"{path} is no YAML: {error}", _STEP) from error
    return decode_profile(value)


_STEP: Final = "See docs/operate/simulate.md for the fields of a profile."


def _check(profile: Profile) -> None:
    """What no single field tells."""
    names = [measurement.name for measurement in profile.measurements]
    if len(set(names)) != len(names):
        raise UsageProblem("the profile has two measurements of one name", _STEP)
    for failure in profile.failures:
        if unknown := failure.effects.keys() - set(names):
            raise UsageProblem(f"failure {failure.name} shows in {min(unknown)}, which is not measured", _STEP)
