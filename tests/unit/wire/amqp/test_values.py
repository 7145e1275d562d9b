from ironhub.wire.amqp.values import Described, Timestamp, Uuid


def test_values_are_equal_by_what_they_hold_and_can_be_keys() -> None:
    assert Uuid(b"x" * 16) == Uuid(b"x" * 16)
    assert {Timestamp(1), Timestamp(1), Described("a", 1), Described("a", 1)} == {Timestamp(1), Described("a", 1)}


def test_an_instant_is_no_number() -> None:
    assert not isinstance(Timestamp(1), int)
    assert Timestamp(-5).milliseconds == -5
