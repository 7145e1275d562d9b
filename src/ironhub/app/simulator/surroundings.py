"""What all machines of a plant share: the season, the weather, the working day, and a network that fails by halls.

Pure functions of the seed and the instant (seconds since the epoch): nothing is kept, so any instant can be asked for.
"""

import math
from typing import Final

from ironhub.app.simulator.chance import Chance, mixed
from ironhub.app.simulator.profile import Climate, Profile

HOUR: Final = 3600.0
DAY: Final = 86_400.0
_YEAR: Final = 365.2425 * DAY
_MIDSUMMER: Final = 195 * DAY
"""From the beginning of the year."""
_BUSIEST: Final = 320 * DAY
_WARMEST_HOUR: Final = 15 * HOUR
_SPELLS: Final = (3.1 * DAY, 8.7 * DAY)
_RAMP: Final = 20 * 60.0
"""Seconds in which a shift gets going, and comes to its end."""
_OUTAGE: Final = 1
_WEATHER: Final = 2


def outside_temperature(climate: Climate, seed: int, local: float) -> float:
    """Return the temperature outside; `local` is local time."""
    season = climate.summer * math.cos(math.tau * (local - _MIDSUMMER) / _YEAR)
    hour = climate.noon * math.cos(math.tau * (local % DAY - _WARMEST_HOUR) / DAY)
    phase = mixed(seed, _WEATHER) % 1000 / 1000 * math.tau
    spells = sum(math.sin(math.tau * local / spell + phase) for spell in _SPELLS) / len(_SPELLS)
    return climate.mean + season + hour + climate.weather * spells


def demand(climate: Climate, local: float) -> float:
    """Return what the season makes of the load: 1 on average."""
    return 1.0 + climate.demand * math.cos(math.tau * (local - _BUSIEST) / _YEAR)


def staffing(profile: Profile, local: float) -> float:
    """Return how much of the plant is at work, 0 to 1: it gets going and comes to an end within minutes."""
    if not profile.shifts:
        return 1.0
    return max(_presence(profile, span, local) for span in profile.shifts)


def outage_ends(profile: Profile, seed: int, hall: int, now: float) -> float | None:
    """Return when the outage ends that cuts `hall` off just now, or None; one begins at most once a day."""
    today = int(now // DAY)
    for day in (today - 1, today):
        chance = Chance(mixed(seed, _OUTAGE, hall, day))
        if chance.share() >= profile.network.outages_per_day:
            continue
        begins = day * DAY + chance.between(0, DAY)
        ends = begins + min(chance.after(profile.network.outage_minutes * 60), DAY)
        if begins <= now < ends:
            return ends
    return None


def _presence(profile: Profile, span: str, local: float) -> float:
    begin, end = (_seconds(text) for text in span.split("-"))
    length = (end - begin) % DAY or DAY
    into = (local - begin) % DAY
    if into >= length or _weekday(local - into) not in profile.workdays:  # a night shift belongs to its evening
        return 0.0
    # Where one shift hands over to the next, output dips for some minutes, as it does.
    return min(1.0, into / _RAMP, (length - into) / _RAMP)


def _seconds(text: str) -> float:
    hours, minutes = text.split(":")
    return int(hours) * HOUR + int(minutes) * 60.0


def _weekday(local: float) -> int:
    """1 is Monday; the epoch was a Thursday."""
    return (int(local // DAY) + 3) % 7 + 1
