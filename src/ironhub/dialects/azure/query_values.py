"""What the vendor compares its attributes with, in our terms: times, etags, thumbprints, and words for states.

A time is compared with the text of one, as an instant: two ways to write it are the same time. Half a microsecond of
leeway takes in what a double cannot hold.
"""

from base64 import b64decode
from math import ulp
from typing import Any, Final

from ironhub.dialects.azure.query_names import Shape, shape_of, table_of
from ironhub.dialects.azure.timestamps import TimestampInvalid, decode_instant
from ironhub.twins.queries.functions import KIND_QUESTIONS
from ironhub.twins.queries.model import (
    UNDEFINED,
    And,
    Call,
    Choice,
    Comparison,
    Constant,
    Expression,
    Function,
    Membership,
    Not,
    Operator,
    Or,
    Path,
)

LEEWAY: Final = 5e-7
"""Seconds; the vendor writes times in microseconds. More where doubles are coarser: in the year 1."""
_NO_ETAG: Final = Constant(-1)
_MIRRORED: Final = {
    Operator.LESS: Operator.GREATER,
    Operator.LESS_OR_EQUAL: Operator.GREATER_OR_EQUAL,
    Operator.GREATER: Operator.LESS,
    Operator.GREATER_OR_EQUAL: Operator.LESS_OR_EQUAL,
}
_EARLIEST: Final = {Operator.GREATER_OR_EQUAL, Operator.LESS}
_TIME: Final = "is a time: compare it with one, such as '2030-12-31T23:59:59Z'"
_ETAG: Final = "is an etag: ask whether it is equal to one"


class NotComparable(Exception):
    """What was to be compared with an attribute says nothing about it; the message says what would."""


def compared(operator: Operator, left: Expression, right: Expression) -> Expression:
    """Return the comparison of what the vendor calls two values. Raises NotComparable."""
    if isinstance(left, Constant) and not isinstance(right, Constant):
        left, right, operator = right, left, _MIRRORED.get(operator, operator)
    if not isinstance(left, Path):
        return Comparison(operator, plain(left), plain(right))
    match shape_of(left):
        case Shape.INSTANT:
            return _instants(operator, left, right)
        case Shape.ETAG:
            if operator not in {Operator.EQUAL, Operator.NOT_EQUAL}:
                raise NotComparable(_ETAG)
            return Comparison(operator, left, _etag(right))
        case Shape.THUMBPRINT:
            return _thumbprint(operator, left, right)
        case Shape.CHOICE:
            return _chosen(operator, left, right)
    return Comparison(operator, left, plain(right))


def member(value: Expression, options: tuple[Constant, ...]) -> Expression:
    """Return whether a value is one of `options`. Raises NotComparable."""
    if not isinstance(value, Path) or shape_of(value) in {Shape.PLAIN, Shape.CHOICE}:
        return Membership(plain(value), options)
    if shape_of(value) is Shape.INSTANT:
        parts = tuple(_instants(Operator.EQUAL, value, option) for option in options)
        return parts[0] if len(parts) == 1 else Or(parts)
    given = [_etag(option) if shape_of(value) is Shape.ETAG else _lowered(option) for option in options]
    return Membership(value, tuple(given))


def called(function: Function, arguments: tuple[Expression, ...]) -> Expression:
    """Return a function of values, as the vendor writes them. Raises NotComparable."""
    if function in KIND_QUESTIONS:
        return _asked(function, arguments[0])
    return Call(function, tuple(plain(argument) for argument in arguments))


def plain(expression: Expression) -> Expression:
    """Return a value as the vendor writes it. Raises NotComparable: we could not, in every store alike."""
    if not isinstance(expression, Path):
        return expression
    match shape_of(expression):
        case Shape.INSTANT:
            raise NotComparable(_TIME)
        case Shape.ETAG:
            raise NotComparable(_ETAG)
        case Shape.THUMBPRINT:
            return Call(Function.UPPER, (expression,))
        case Shape.CHOICE:
            return Choice(expression, table_of(expression))
    return expression


def _asked(function: Function, value: Expression) -> Expression:
    """A time and an etag are numbers to us, and texts to the vendor."""
    if isinstance(value, Path) and shape_of(value) in {Shape.INSTANT, Shape.ETAG}:
        swapped = {Function.IS_STRING: Function.IS_NUMBER, Function.IS_NUMBER: Function.IS_STRING}
        return Call(swapped.get(function, function), (value,))
    if isinstance(value, Path) and shape_of(value) is Shape.THUMBPRINT:
        return Call(function, (value,))
    return Call(function, (plain(value),))


def _instants(operator: Operator, left: Path, right: Expression) -> Expression:
    if isinstance(right, Path) and shape_of(right) is Shape.INSTANT:
        return Comparison(operator, left, right)
    at = _seconds(right)
    if at is UNDEFINED:
        return Comparison(operator, left, Constant(UNDEFINED))
    leeway = max(LEEWAY, ulp(at))
    if operator in {Operator.EQUAL, Operator.NOT_EQUAL}:
        after = Comparison(Operator.GREATER, left, Constant(at - leeway))
        same = And((after, Comparison(Operator.LESS, left, Constant(at + leeway))))
        return same if operator is Operator.EQUAL else Not(same)
    return Comparison(operator, left, Constant(at - leeway if operator in _EARLIEST else at + leeway))


def _seconds(right: Expression) -> Any:
    if not isinstance(right, Constant):
        raise NotComparable(_TIME)
    text = right.value
    if text is UNDEFINED:
        return text
    if not isinstance(text, str):
        raise NotComparable(_TIME)
    try:
        return decode_instant(f"{text}T00:00:00Z" if len(text) == len("2030-12-31") else text)
    except TimestampInvalid:
        raise NotComparable(_TIME) from None


def _etag(right: Expression) -> Constant:
    """The counter that an etag stands for; what cannot be an etag of ours is equal to none."""
    if not isinstance(right, Constant):
        raise NotComparable(_ETAG)
    if right.value is UNDEFINED:
        return right
    try:
        counter = b64decode(right.value, validate=True) if isinstance(right.value, str) else b""
    except ValueError:
        return _NO_ETAG
    number = int.from_bytes(counter, "big")
    return Constant(number) if len(counter) == 8 and number < 2**53 else _NO_ETAG


def _thumbprint(operator: Operator, left: Path, right: Expression) -> Expression:
    """Stored in lower case, shown in upper case: people copy either."""
    if isinstance(right, Constant):
        return Comparison(operator, left, _lowered(right))
    return Comparison(operator, plain(left), plain(right))


def _lowered(constant: Constant) -> Constant:
    return Constant(constant.value.lower()) if isinstance(constant.value, str) else constant


def _chosen(operator: Operator, left: Path, right: Expression) -> Expression:
    if isinstance(right, Constant) and operator in {Operator.EQUAL, Operator.NOT_EQUAL}:
        for ours, theirs in table_of(left):
            if theirs == right.value:
                return Comparison(operator, left, Constant(ours))
    return Comparison(operator, plain(left), plain(right))
