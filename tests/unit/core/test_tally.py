"""core/tally.py"""

from ironhub.core.tally import Tally


def test_each_name_is_counted_by_itself() -> None:
    tally = Tally()
    tally.add("queued")
    tally.add("queued")
    tally.add("purged", 3)
    assert tally.counts == {"queued": 2, "purged": 3}
