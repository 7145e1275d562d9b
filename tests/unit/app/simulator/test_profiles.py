"""Tests of app/simulator/profiles.py"""

import msgspec

from ironhub.app.simulator.profile import decode_profile
from ironhub.app.simulator.profiles import BUILT_IN, PRESS_SHOP


def test_what_is_built_in_could_stand_in_a_file_as_well() -> None:
    for name, profile in BUILT_IN.items():
        assert decode_profile(msgspec.to_builtins(profile)) == profile
        assert profile.name == name


def test_a_fault_can_be_told_from_its_warning_and_shows_before() -> None:
    for profile in BUILT_IN.values():
        codes = [code for failure in profile.failures for code in (failure.warning, failure.code)]
        assert len(set(codes)) == len(codes)
        assert all(failure.effects and failure.lead for failure in profile.failures)
    assert next(iter(BUILT_IN.values())) is PRESS_SHOP
