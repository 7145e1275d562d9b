import dataclasses

import pytest

from ironhub.wire.amqp.limits import Limits


def test_a_stranger_is_held_to_less_than_a_guest() -> None:
    limits = Limits()
    assert limits.max_stranger_frame < limits.max_frame
    assert limits.max_stranger_channels < limits.max_channels
    assert limits.max_stranger_links < limits.max_links


def test_what_clients_read_of_us_is_within_what_they_bear() -> None:
    limits = Limits()
    assert limits.max_frame == 65_536
    assert limits.max_message == 1_048_576
    assert limits.idle_timeout == 240.0


def test_limits_are_frozen_since_connections_share_them() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Limits().max_frame = 2  # type: ignore[misc]
