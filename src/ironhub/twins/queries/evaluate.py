"""What a query means, over one document at a time: the reference for every store.

Undefined goes through everything: what is compared with it, computed from it or denied is undefined. AND and OR know
more where one side decides. Two values of different kinds are not equal, and neither is less; arrays and objects cannot
be compared. Texts are ordered by code points; false comes before true. Only the boolean true lets a document pass.
"""

from collections.abc import Callable, Iterable
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final

from ironhub.twins.queries.functions import FUNCTIONS, KIND_QUESTIONS, PRIMITIVES, join
from ironhub.twins.queries.model import (
    UNDEFINED,
    And,
    Arithmetic,
    Call,
    Choice,
    Comparison,
    Condition,
    Constant,
    Expression,
    Function,
    Kind,
    Membership,
    Not,
    Operator,
    Or,
    Path,
    Row,
)

_COMPARE: Final[dict[Operator, Callable[[Any, Any], bool]]] = {
    Operator.EQUAL: eq,
    Operator.NOT_EQUAL: ne,
    Operator.LESS: lt,
    Operator.LESS_OR_EQUAL: le,
    Operator.GREATER: gt,
    Operator.GREATER_OR_EQUAL: ge,
}


def meets(condition: Condition, document: Row) -> bool:
    """Return whether `condition` is true of `document`, not merely undefined."""
    return value_of(condition, document) is True


def value_of(expression: Expression, document: Row) -> Any:
    """Return the JSON value of `expression` in `document`, or UNDEFINED."""
    match expression:
        case Constant(value):
            return value
        case Path(steps):
            return found(document, steps)
        case Choice(of, table):
            return _chosen(found(document, of.steps), table)
        case Comparison(operator, left, right):
            return compare(operator, value_of(left, document), value_of(right, document))
        case Membership(value, options):
            return _is_one_of(value_of(value, document), options)
        case Arithmetic():
            return _joined(expression, document)
        case Call(function, arguments):
            return called(function, [value_of(argument, document) for argument in arguments])
        case And(parts):
            return _decided(parts, document, by=False)
        case Or(parts):
            return _decided(parts, document, by=True)
        case Not(part):
            value = value_of(part, document)
            return not value if isinstance(value, bool) else UNDEFINED


def found(document: Any, steps: Iterable[str | int]) -> Any:
    """Return what stands at the end of `steps`, or UNDEFINED."""
    value = document
    for step in steps:
        if isinstance(step, str):
            if not isinstance(value, dict) or step not in value:
                return UNDEFINED
        elif not isinstance(value, list) or not 0 <= step < len(value):
            return UNDEFINED
        value = value[step]
    return value


def kind_of(value: Any) -> Kind | None:
    """Return what `value` is; None: undefined."""
    match value:
        case None:
            return Kind.NULL
        case bool():
            return Kind.BOOLEAN
        case int() | float():
            return Kind.NUMBER
        case str():
            return Kind.STRING
        case list():
            return Kind.ARRAY
        case dict():
            return Kind.OBJECT
    return None


def compare(operator: Operator, left: Any, right: Any) -> Any:
    """Return how two values compare: a bool, or UNDEFINED."""
    kinds = kind_of(left), kind_of(right)
    if not PRIMITIVES.issuperset(kinds):
        return UNDEFINED
    if kinds[0] is not kinds[1]:
        return operator is Operator.NOT_EQUAL
    if left is None:
        return holds_of_equals(operator)
    return _COMPARE[operator](left, right)


def holds_of_equals(operator: Operator) -> bool:
    """Return how two equal values compare."""
    return operator in {Operator.EQUAL, Operator.LESS_OR_EQUAL, Operator.GREATER_OR_EQUAL}


def called(function: Function, values: list[Any]) -> Any:
    """Return what `function` gives for `values`, or UNDEFINED."""
    if function in KIND_QUESTIONS:
        return kind_of(values[0]) in KIND_QUESTIONS[function]
    if function is Function.ARRAY_CONTAINS:
        return _contains(*values)
    signature = FUNCTIONS[function]
    if any(kind_of(value) not in signature.taken(position) for position, value in enumerate(values)):
        return UNDEFINED
    return signature.apply(*values)


def _contains(array: Any, wanted: Any) -> Any:
    if not isinstance(array, list) or kind_of(wanted) not in PRIMITIVES:
        return UNDEFINED
    return any(compare(Operator.EQUAL, item, wanted) is True for item in array)


def _chosen(value: Any, table: tuple[tuple[str | bool, str], ...]) -> Any:
    for ours, theirs in table:
        if type(ours) is type(value) and ours == value:
            return theirs
    return UNDEFINED


def _is_one_of(value: Any, options: tuple[Constant, ...]) -> Any:
    if kind_of(value) not in PRIMITIVES:
        return UNDEFINED
    return any(compare(Operator.EQUAL, value, option.value) is True for option in options)


def _joined(expression: Arithmetic, document: Row) -> Any:
    result = value_of(expression.first, document)
    for sign, part in expression.rest:
        other = value_of(part, document)
        if kind_of(result) is not Kind.NUMBER or kind_of(other) is not Kind.NUMBER:
            return UNDEFINED
        result = join(sign, result, other)
    return result


def _decided(parts: tuple[Expression, ...], document: Row, *, by: bool) -> Any:
    """One part that is `by` decides; else one that is no boolean leaves it open."""
    outcome: Any = not by
    for part in parts:
        value = value_of(part, document)
        if value is by:
            return by
        if not isinstance(value, bool):
            outcome = UNDEFINED
    return outcome
