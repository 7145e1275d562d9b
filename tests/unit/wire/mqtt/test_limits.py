import dataclasses

import pytest

from ironhub.wire.mqtt.limits import SessionLimits


def test_the_defaults_are_those_of_the_service_devices_know() -> None:
    limits = SessionLimits()
    assert limits.max_packet == 262_144 + 65_536 + 16
    assert limits.max_connect_packet == 16_384
    assert limits.max_silence == 1767.0
    assert limits.max_qos == 1
    assert limits.send_window == 16


def test_limits_are_frozen_since_sessions_share_them() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        SessionLimits().max_qos = 2  # type: ignore[misc]
