"""The hash that spreads devices."""

from ironhub.core.ids import DeviceId
from ironhub.streams.settings import partition_of


def test_devices_are_spread_over_all_partitions() -> None:
    counts = [0] * 8
    for number in range(4000):
        counts[partition_of(DeviceId(f"press-{number}"), 8)] += 1
    assert min(counts) > 400


def test_one_partition_takes_all() -> None:
    assert partition_of(DeviceId("press-7"), 1) == 0
