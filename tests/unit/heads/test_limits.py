"""How many connections there may be, and who gives way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ironhub.heads.limits import ConnectionLimits, address_group, connections_within


class Visitor:
    """A connection that only remembers that it was cut."""

    def __init__(self, peer_address: str = "192.0.2.1") -> None:
        self.peer_address = peer_address
        self.dropped = False

    def drop(self) -> None:
        self.dropped = True


def test_a_flood_of_strangers_drops_the_oldest_stranger_and_admits_the_newest() -> None:
    limits = ConnectionLimits(max_unidentified=2)
    first, second, third = Visitor(), Visitor(), Visitor()
    assert all(limits.admit(visitor) for visitor in (first, second, third))
    assert (first.dropped, second.dropped, third.dropped) == (True, False, False)
    assert limits.unidentified == limits.connections == 2


def test_who_is_identified_never_gives_way() -> None:
    limits = ConnectionLimits(max_unidentified=1)
    device, stranger, other = Visitor(), Visitor(), Visitor()
    limits.admit(device)
    limits.identified(device)
    assert limits.admit(stranger)
    assert limits.admit(other)
    assert (device.dropped, stranger.dropped) == (False, True)


def test_a_full_hub_makes_room_by_dropping_a_stranger() -> None:
    limits = ConnectionLimits(max_connections=2)
    device, stranger, newcomer = Visitor(), Visitor(), Visitor()
    limits.admit(stranger)
    limits.admit(device)
    limits.identified(device)
    assert limits.admit(newcomer)
    assert stranger.dropped
    assert limits.connections == 2


def test_a_hub_full_of_devices_refuses_newcomers_until_one_goes() -> None:
    limits = ConnectionLimits(max_connections=1)
    device, newcomer = Visitor(), Visitor()
    limits.admit(device)
    limits.identified(device)
    assert not limits.admit(newcomer)
    limits.release(device)
    assert limits.admit(newcomer)


def test_one_address_cannot_take_more_than_its_share() -> None:
    limits = ConnectionLimits(max_per_address=2)
    first = Visitor()
    assert limits.admit(first)
    assert limits.admit(Visitor())
    limits.identified(first)
    assert not limits.admit(Visitor())
    assert limits.admit(Visitor("192.0.2.2"))
    limits.release(first)
    assert limits.admit(Visitor())


def test_an_ipv6_site_is_one_address() -> None:
    limits = ConnectionLimits(max_per_address=1)
    assert limits.admit(Visitor("2001:db8::1"))
    assert not limits.admit(Visitor("2001:db8::ffff:2"))
    assert limits.admit(Visitor("2001:db8:0:1::1"))
    assert address_group("fe80::1%eth0") == address_group("fe80::2%eth0")


def test_releasing_twice_or_a_stranger_to_the_limits_changes_nothing() -> None:
    limits = ConnectionLimits()
    visitor = Visitor()
    limits.release(visitor)
    limits.identified(visitor)
    limits.admit(visitor)
    limits.release(visitor)
    limits.release(visitor)
    assert limits.connections == limits.unidentified == 0


@given(st.lists(st.tuples(st.sampled_from(["admit", "identified", "release"]), st.integers(0, 5))))
def test_no_order_of_events_breaks_the_bounds_or_the_books(events: list[tuple[str, int]]) -> None:
    limits = ConnectionLimits(max_connections=4, max_unidentified=2, max_per_address=3)
    visitors = {number: Visitor(f"192.0.2.{number % 2}") for number in range(6)}
    inside: set[int] = set()
    for what, number in events:
        if what == "admit" and number not in inside:
            if limits.admit(visitors[number]):
                inside.add(number)
        elif what != "admit":
            getattr(limits, what)(visitors[number])
            if what == "release":
                inside.discard(number)
        inside -= {each for each in inside if visitors[each].dropped}
        for visitor in visitors.values():
            visitor.dropped = False
        assert limits.connections == len(inside) <= 4
        assert limits.unidentified <= 2
        for source in range(2):
            assert sum(each % 2 == source for each in inside) <= 3
    for number in inside:
        limits.release(visitors[number])
    assert all(limits.admit(Visitor("192.0.2.0")) for _ in range(2))


@pytest.mark.parametrize(
    ("descriptors", "wanted", "allowed"),
    [
        (-1, 50_000, 50_000),  # unlimited
        (1_048_576, 10_000, 10_000),
        (1024, 10_000, 896),  # an eighth is kept back
        (256, 10_000, 192),  # never less than 64
        (20_000, 50_000, 18_976),  # never more than 1024
        (64, 10_000, 1),
        (10, 10_000, 1),
    ],
)
def test_descriptors_are_kept_back_for_the_operator(descriptors: int, wanted: int, allowed: int) -> None:
    assert connections_within(descriptors, wanted) == allowed
