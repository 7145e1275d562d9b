"""Tests of twins/queries/functions.py."""

from typing import Any

import pytest

from ironhub.twins.queries.functions import FUNCTIONS, KIND_QUESTIONS, accepts, finite, join, plain
from ironhub.twins.queries.model import UNDEFINED, Function, Kind, Sign

HUGE = 1e308


@pytest.mark.parametrize(
    ("sign", "left", "right", "result"),
    [
        (Sign.PLUS, 1, 2, 3.0),
        (Sign.MINUS, 1, 2.5, -1.5),
        (Sign.TIMES, 3, 4, 12.0),
        (Sign.DIVIDED, 7, 2, 3.5),
        (Sign.MODULO, 7, 4, 3.0),
        (Sign.MODULO, -7, 4, -3.0),
        (Sign.DIVIDED, 1, 0, UNDEFINED),
        (Sign.MODULO, 1, 0, UNDEFINED),
        (Sign.TIMES, HUGE, 10, UNDEFINED),
        (Sign.PLUS, HUGE, HUGE, UNDEFINED),
    ],
)
def test_numbers_are_joined(sign: Sign, left: float, right: float, result: Any) -> None:
    assert join(sign, left, right) == result


@pytest.mark.parametrize(
    ("function", "values", "result"),
    [
        (Function.INDEX_OF, ("abc", "c"), 2),
        (Function.INDEX_OF, ("abc", "x"), -1),
        (Function.SUBSTRING, ("abcd", 1, 2), "bc"),
        (Function.SUBSTRING, ("abcd", 2), "cd"),
        (Function.SUBSTRING, ("abcd", 9, 1e300), ""),
        (Function.SUBSTRING, ("abcd", -1), UNDEFINED),
        (Function.SUBSTRING, ("abcd", 0, -1), UNDEFINED),
        (Function.CONCAT, ("a", "b", "c"), "abc"),
        (Function.AS_NUMBER, (" 2.5 ",), 2.5),
        (Function.AS_NUMBER, (7,), 7),
        (Function.AS_NUMBER, ("seven",), UNDEFINED),
        (Function.AS_NUMBER, ("inf",), UNDEFINED),
        (Function.AS_NUMBER, ("1_000",), UNDEFINED),
        (Function.AS_NUMBER, ("٣",), UNDEFINED),
        (Function.AS_NUMBER, ("9" * 401,), UNDEFINED),
        (Function.SQRT, (-1,), UNDEFINED),
        (Function.EXP, (1e6,), UNDEFINED),
        (Function.POWER, (2, 10), 1024.0),
        (Function.POWER, (HUGE, 2), UNDEFINED),
        (Function.POWER, (-1, 0.5), UNDEFINED),
        (Function.SQUARE, (HUGE,), UNDEFINED),
        (Function.SIGN, (-3,), -1.0),
        (Function.CEILING, (1.2,), 2.0),
        (Function.UPPER, ("straße",), "STRASSE"),
        (Function.LENGTH, ("\U0001f600",), 1),
    ],
)
def test_functions_give_what_they_say(function: Function, values: tuple[Any, ...], result: Any) -> None:
    assert FUNCTIONS[function].apply(*values) == result


def test_each_function_is_known_once() -> None:
    assert {*FUNCTIONS, *KIND_QUESTIONS, Function.ARRAY_CONTAINS} == set(Function)
    assert not FUNCTIONS.keys() & KIND_QUESTIONS.keys()


def test_the_number_of_arguments_is_checked() -> None:
    assert accepts(Function.IS_DEFINED, 1)
    assert not accepts(Function.IS_DEFINED, 2)
    assert accepts(Function.ARRAY_CONTAINS, 2)
    assert not accepts(Function.ARRAY_CONTAINS, 1)
    assert [accepts(Function.SUBSTRING, count) for count in range(5)] == [False, False, True, True, False]
    assert accepts(Function.CONCAT, 40)
    assert FUNCTIONS[Function.CONCAT].taken(39) == {Kind.STRING}
    assert not accepts(Function.CONCAT, 0)


def test_whole_numbers_are_plain_and_what_json_cannot_say_is_undefined() -> None:
    assert repr(plain(2.0)) == "2"
    assert plain(2.5) == 2.5
    assert repr(plain(1e300)) == "1e+300"
    assert finite(float("nan")) is UNDEFINED
