"""What each function of a query does to values: one table, for every store.

A function gets values of the kinds it takes and nothing else, so none of them can fail; what has no result (the root of
a negative number, a sum too large for a double) is undefined. Nothing here gives more than it takes: no function
repeats or pads a text.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ironhub.twins.queries.model import UNDEFINED, Function, Kind, Sign, Undefined

Number = int | float
NUMBERS: Final = frozenset({Kind.NUMBER})
STRINGS: Final = frozenset({Kind.STRING})


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes and gives."""

    apply: Callable[..., Any]
    takes: tuple[frozenset[Kind], ...]
    gives: Kind
    least: int
    """How many arguments it needs; `takes` says how many it may have."""
    repeats: bool = False
    """Whether the last of `takes` may come again and again."""

    def accepts(self, count: int) -> bool:
        """Return whether `count` arguments may be given."""
        return count >= self.least and (self.repeats or count <= len(self.takes))

    def taken(self, position: int) -> frozenset[Kind]:
        """Return the kinds that the argument at `position` (from 0) may be of."""
        return self.takes[min(position, len(self.takes) - 1)]


def join(sign: Sign, left: Number, right: Number) -> float | Undefined:
    """Return two numbers joined, as doubles; dividing by nothing, or a result beyond them, is undefined."""
    one, other = float(left), float(right)
    try:
        match sign:
            case Sign.PLUS:
                return finite(one + other)
            case Sign.MINUS:
                return finite(one - other)
            case Sign.TIMES:
                return finite(one * other)
            case Sign.DIVIDED:
                return finite(one / other)
            case Sign.MODULO:
                return finite(math.fmod(one, other))
    except (ZeroDivisionError, ValueError, OverflowError):
        return UNDEFINED


def finite(number: float) -> float | Undefined:
    """Return it if JSON can say it."""
    return number if math.isfinite(number) else UNDEFINED


def plain(number: Number) -> Number:
    """Return a whole number as an int where that says the same."""
    return int(number) if isinstance(number, float) and number.is_integer() and abs(number) < 2**53 else number


def _of_double(function: Callable[[float], float]) -> Callable[[Number], float | Undefined]:
    def apply(number: Number) -> float | Undefined:
        try:
            return finite(float(function(float(number))))
        except (ValueError, OverflowError):
            return UNDEFINED

    return apply


def _power(base: Number, exponent: Number) -> float | Undefined:
    try:
        return finite(math.pow(float(base), float(exponent)))
    except (ValueError, OverflowError):
        return UNDEFINED


def _as_number(value: str | Number) -> Number | Undefined:
    if not isinstance(value, str):
        return value
    text = value.strip()
    if len(text) > 400 or not text.isascii() or "_" in text:
        return UNDEFINED
    try:
        return finite(float(text))
    except ValueError:
        return UNDEFINED


def _substring(text: str, start: Number, length: Number | None = None) -> str | Undefined:
    """Azure's documentation calls the third argument an end and a length; here it is a length."""
    if start < 0 or (length is not None and length < 0):
        return UNDEFINED
    first = int(min(start, len(text)))
    return text[first:] if length is None else text[first : first + int(min(length, len(text)))]


def _text_function(apply: Callable[..., Any], count: int, gives: Kind) -> Signature:
    return Signature(apply, (STRINGS,) * count, gives, count)


def _number_function(function: Callable[[float], float]) -> Signature:
    return Signature(_of_double(function), (NUMBERS,), Kind.NUMBER, 1)


FUNCTIONS: Final[dict[Function, Signature]] = {
    Function.STARTS_WITH: _text_function(lambda text, part: text.startswith(part), 2, Kind.BOOLEAN),
    Function.ENDS_WITH: _text_function(lambda text, part: text.endswith(part), 2, Kind.BOOLEAN),
    Function.CONTAINS: _text_function(lambda text, part: part in text, 2, Kind.BOOLEAN),
    Function.INDEX_OF: _text_function(lambda text, part: text.find(part), 2, Kind.NUMBER),
    Function.LOWER: _text_function(str.lower, 1, Kind.STRING),
    Function.UPPER: _text_function(str.upper, 1, Kind.STRING),
    Function.LENGTH: _text_function(len, 1, Kind.NUMBER),
    Function.CONCAT: Signature(lambda *texts: "".join(texts), (STRINGS,), Kind.STRING, 1, repeats=True),
    Function.SUBSTRING: Signature(_substring, (STRINGS, NUMBERS, NUMBERS), Kind.STRING, 2),
    Function.AS_NUMBER: Signature(_as_number, (STRINGS | NUMBERS,), Kind.NUMBER, 1),
    Function.ABS: _number_function(abs),
    Function.EXP: _number_function(math.exp),
    Function.POWER: Signature(_power, (NUMBERS, NUMBERS), Kind.NUMBER, 2),
    Function.SQUARE: _number_function(lambda number: number * number),
    Function.CEILING: _number_function(lambda number: math.ceil(number)),
    Function.FLOOR: _number_function(lambda number: math.floor(number)),
    Function.SIGN: _number_function(lambda number: (number > 0) - (number < 0)),
    Function.SQRT: _number_function(math.sqrt),
}
"""All but those that ask of which kind a value is, and ARRAY_CONTAINS."""

PRIMITIVES: Final = frozenset({Kind.NULL, Kind.BOOLEAN, Kind.NUMBER, Kind.STRING})
KIND_QUESTIONS: Final[dict[Function, frozenset[Kind]]] = {
    Function.IS_DEFINED: frozenset(Kind),
    Function.IS_NULL: frozenset({Kind.NULL}),
    Function.IS_BOOLEAN: frozenset({Kind.BOOLEAN}),
    Function.IS_NUMBER: NUMBERS,
    Function.IS_STRING: STRINGS,
    Function.IS_ARRAY: frozenset({Kind.ARRAY}),
    Function.IS_OBJECT: frozenset({Kind.OBJECT}),
    Function.IS_PRIMITIVE: PRIMITIVES,
}
"""Functions that take one value of any kind, or nothing at all, and are true for these kinds."""


def accepts(function: Function, count: int) -> bool:
    """Return whether `function` may have `count` arguments."""
    if function in KIND_QUESTIONS:
        return count == 1
    return count == 2 if function is Function.ARRAY_CONTAINS else FUNCTIONS[function].accepts(count)
