"""Section 1.6 of AMQP 1.0, part 1: each encoding is read as the value it is of, and nothing else is read."""

import pytest
from tests.conformance.amqp_vectors import BAD, GOOD, UNIQUE, Vector, nested

from ironhub.wire.amqp.decode import decode, skip
from ironhub.wire.amqp.errors import MalformedValue


def kinds(value: object) -> object:
    """The types in a value: Python takes True for 1 and 1.0."""
    if isinstance(value, list | tuple):
        return type(value), [kinds(item) for item in value]
    return type(value)


@pytest.mark.parametrize("vector", GOOD, ids=lambda vector: vector.id)
def test_an_encoding_is_read_as_its_value(vector: Vector) -> None:
    value, end = decode(vector.data)
    assert (repr(value), kinds(value), end) == (repr(vector.value), kinds(vector.value), len(vector.data))


@pytest.mark.parametrize("vector", GOOD, ids=lambda vector: vector.id)
def test_it_ends_where_it_ends_whatever_stands_around_it(vector: Vector) -> None:
    data = b"\xff\xff" + vector.data + b"\xff"
    assert decode(data, 2) == (vector.value, len(data) - 1)
    assert skip(data, 2, -1) == skip(data, 2, len(data) - 1) == len(data) - 1


@pytest.mark.parametrize("vector", [*BAD, *UNIQUE], ids=lambda vector: vector.id)
def test_what_is_no_encoding_is_refused(vector: Vector) -> None:
    with pytest.raises(MalformedValue):
        decode(vector.data)


@pytest.mark.parametrize("vector", BAD, ids=lambda vector: vector.id)
def test_it_is_refused_as_well_by_who_only_skips_it(vector: Vector) -> None:
    with pytest.raises(MalformedValue):
        skip(vector.data, 0, len(vector.data))


@pytest.mark.parametrize("vector", [vector for vector in GOOD if len(vector.data) > 1], ids=lambda vector: vector.id)
def test_the_end_that_is_given_bounds_it(vector: Vector) -> None:
    with pytest.raises(MalformedValue):
        decode(vector.data, 0, len(vector.data) - 1)
    with pytest.raises(MalformedValue):
        skip(vector.data, 0, len(vector.data) - 1)


def test_thirty_two_values_may_stand_within_each_other() -> None:
    data = bytes.fromhex(nested(33))
    assert skip(data, 0, len(data)) == decode(data)[1] == len(data)


def test_the_bad_vectors_outnumber_the_good_and_no_two_ids_are_the_same() -> None:
    assert len(BAD) > 2 * len(GOOD)
    assert len({vector.id for vector in [*GOOD, *BAD, *UNIQUE]}) == len(GOOD) + len(BAD) + len(UNIQUE)
