"""Tests of app/simulator/profile.py"""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ironhub.app.cli.problems import UsageProblem
from ironhub.app.simulator.profile import MAX_FILE, Profile, decode_profile, read_profile

SMALL: dict[str, Any] = {"name": "mine", "model": "M1", "measurements": [{"name": "heat", "idle": 10, "running": 60}]}
YAML = """
name: bakery
model: Oven 3
interval: 5
shifts: ["02:00-10:00"]
workdays: [1, 2, 3, 4, 5, 6]
measurements:
  - {name: heat, idle: 20, running: 240, inertia: 900}
failures:
  - {name: burner, warning: W1, code: F1, mean_hours: 800, effects: {heat: -40}}
climate: {mean: 8}
network: {drops_per_day: 2}
"""


def test_what_is_left_out_has_a_sensible_value(tmp_path: Path) -> None:
    file = tmp_path / "bakery.yaml"
    file.write_text(YAML)
    profile = read_profile(file)
    assert (profile.name, profile.interval, profile.workdays) == ("bakery", 5.0, (1, 2, 3, 4, 5, 6))
    assert profile.failures[0].effects == {"heat": -40.0}
    assert (profile.climate.mean, profile.climate.summer, profile.network.drops_per_day) == (8.0, 9.0, 2.0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "Press Shop"}, "name"),
        ({"measurements": []}, "measurements"),
        ({"measurments": []}, "measurments"),
        ({"shifts": ["6-14"]}, "shifts"),
        ({"interval": 0}, "interval"),
        ({"network": {"outages_per_day": 2}}, "outages_per_day"),
        ({"measurements": SMALL["measurements"] * 2}, "two measurements"),
        (
            {"failures": [{"name": "f", "warning": "W", "code": "F", "mean_hours": 1, "effects": {"cold": 1}}]},
            "cold",
        ),
    ],
)
def test_a_mistake_is_named(change: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageProblem, match=said):
        decode_profile({**SMALL, **change})


@pytest.mark.parametrize(
    "content", [b"a: [", b"\xff\xfe\x00", b"!!python/object:os.system {}", b"x" * (MAX_FILE + 1), b"", b"[1]"]
)
def test_what_is_no_profile_is_a_usage_problem(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "p.yaml"
    file.write_bytes(content)
    with pytest.raises(UsageProblem):
        read_profile(file)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*SMALL, "failures", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(value=JSON)
def test_anything_is_a_profile_or_a_usage_problem(value: Any) -> None:
    with suppress(UsageProblem):
        assert isinstance(decode_profile(value), Profile)
