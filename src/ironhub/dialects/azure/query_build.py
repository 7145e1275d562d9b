"""From the tree of a query's text to the query as a value.

The tree's depth was bounded before (`query.py`): everything here goes down it once.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from lark import Token, Transformer, v_args

from ironhub.dialects.azure.query_grammar import invalid, shown
from ironhub.dialects.azure.query_names import Named, Steps, place_of
from ironhub.dialects.azure.query_values import NotComparable, called, compared, member, plain
from ironhub.twins.queries.functions import accepts
from ironhub.twins.queries.model import (
    ALWAYS,
    UNDEFINED,
    Aggregate,
    And,
    Arithmetic,
    Column,
    Constant,
    Expression,
    Function,
    Measure,
    Not,
    Operator,
    Or,
    Path,
    Sign,
    Source,
)

MAX_EXACT: Final = 2**53
"""Whole numbers up to it are kept exactly; greater ones are doubles, as in the vendor's service."""

_STEP: Final = re.compile(r"\[\[(.*?)\]\]|\[([0-9]+)\]|([\w$@#]+)", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "'": "'", '"': '"', "\\": "\\", "/": "/"}
_MEASURES: Final = {
    "COUNT": Measure.COUNT,
    "SUM": Measure.SUM,
    "AVG": Measure.AVERAGE,
    "MIN": Measure.LEAST,
    "MAX": Measure.GREATEST,
}
_ALIASES: Final = {
    "IS_BOOL": Function.IS_BOOLEAN,
    "STARTSWITH": Function.STARTS_WITH,
    "ENDSWITH": Function.ENDS_WITH,
}
FUNCTIONS: Final = {function.value.upper(): function for function in Function} | _ALIASES
"""By the vendor's name, in upper case."""


def steps_of(path: str) -> Steps:
    """Return the names in a path, e.g. "tags.a[0].[[b c]]"."""
    return tuple(int(index) if index else name or bracketed for bracketed, index, name in _STEP.findall(path))


@v_args(inline=True)
class Builder(Transformer[Token, Any]):
    """Makes expressions and columns of one source. Raises QueryInvalid inside lark's VisitError."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source

    def path(self, token: Token) -> Named:
        """A place, and what a column that shows it is called."""
        return place_of(steps_of(token), self._source)

    def shown(self, value: "Named | Column", alias: Token | None = None) -> Column:
        """One column."""
        name = value.name if alias is None else self._alias(alias)
        return Column(name, value.path if isinstance(value, Named) else value.shown)

    def everything(self, _: Token) -> None:
        """Whole documents."""

    def columns(self, *columns: Column) -> tuple[Column, ...]:
        """All columns."""
        return columns

    def count_all(self, function: Token, _: Token | None = None) -> Column:
        """COUNT(), also written COUNT(*)."""
        if self._measure(function) is not Measure.COUNT:
            raise invalid(function, f"{shown(function)} needs a name to look at")
        return Column("count", Aggregate(Measure.COUNT))

    def measured(self, function: Token, place: Named) -> Column:
        """An aggregate of one place."""
        return Column(function.lower(), Aggregate(self._measure(function), place.path))

    def text(self, token: Token) -> Constant:
        """A text without its quotes and escapes."""
        return Constant(_unescaped(token))

    def number(self, token: Token) -> Constant:
        """A number."""
        return Constant(_number(token))

    def negative(self, _: Token, token: Token) -> Constant:
        """A number below zero."""
        return Constant(-_number(token))

    def true(self) -> Constant:
        """True."""
        return Constant(True)

    def false(self) -> Constant:
        """False."""
        return Constant(False)

    def null(self) -> Constant:
        """Null."""
        return Constant(None)

    def undefined(self) -> Constant:
        """What is not there."""
        return Constant(UNDEFINED)

    def always(self, _: Token) -> Expression:
        """The condition of those that mean everybody."""
        return ALWAYS

    def only(self, expression: "Named | Expression") -> Expression:
        """The condition after WHERE."""
        return _as_condition(expression)

    where = only

    def inner(self, expression: "Named | Expression") -> "Named | Expression":
        """What stands in parentheses."""
        return expression

    def disjunction(self, *parts: "Named | Expression") -> "Named | Expression":
        """One or more, joined by OR."""
        return parts[0] if len(parts) == 1 else Or(tuple(_as_condition(part) for part in parts))

    def conjunction(self, *parts: "Named | Expression") -> "Named | Expression":
        """One or more, joined by AND."""
        return parts[0] if len(parts) == 1 else And(tuple(_as_condition(part) for part in parts))

    def negation(self, part: "Named | Expression") -> Expression:
        """NOT."""
        return Not(_as_condition(part))

    def comparison(self, left: "Named | Expression", sign: Token, right: "Named | Expression") -> Expression:
        """Two values compared."""
        operator = Operator.NOT_EQUAL if sign == "<>" else Operator(str(sign))
        return _explained(sign, compared, operator, _expression(left), _expression(right))

    def membership(self, value: "Named | Expression", *options: Constant) -> Expression:
        """IN."""
        try:
            return member(_expression(value), options)
        except NotComparable as error:
            name = shown(value.name) if isinstance(value, Named) else "the value before IN"
            raise invalid((1, 1), f"{name} {error}") from None

    def absence(self, value: "Named | Expression", *options: Constant) -> Expression:
        """NOT IN, also written NIN."""
        return Not(self.membership(value, *options))

    def chain(self, first: Any, *rest: Any) -> Any:
        """Numbers joined by signs of one rank."""
        if not rest:
            return first
        signs, parts = rest[::2], rest[1::2]
        joined = tuple(
            (Sign(str(sign)), _explained(sign, plain, _expression(part)))
            for sign, part in zip(signs, parts, strict=True)
        )
        return Arithmetic(_explained(signs[0], plain, _expression(first)), joined)

    def call(self, token: Token, *arguments: "Named | Expression") -> Expression:
        """A function of values."""
        function = FUNCTIONS.get(token.upper())
        if function is None:
            raise invalid(token, f"there is no function {shown(token)}")
        if not accepts(function, len(arguments)):
            raise invalid(token, f"{shown(token)} does not take {len(arguments)} arguments")
        return _explained(token, called, function, tuple(_expression(argument) for argument in arguments))

    def _alias(self, token: Token) -> str:
        steps = steps_of(token)
        if len(steps) != 1:
            raise invalid(token, f"{shown(token)} cannot be the name of a column")
        return str(steps[0])

    def _measure(self, token: Token) -> Measure:
        measure = _MEASURES.get(token.upper())
        if measure is None:
            raise invalid(token, f"only COUNT, SUM, AVG, MIN and MAX can be shown, not {shown(token)}")
        return measure


def _expression(value: "Named | Expression") -> Expression:
    return value.path if isinstance(value, Named) else value


def _as_condition(value: "Named | Expression") -> Expression:
    """A place alone asks whether true stands there; where the vendor has words, there is no boolean."""
    if isinstance(value, Named):
        return Constant(UNDEFINED) if _is_word(value.path) else value.path
    return value


def _is_word(path: Path) -> bool:
    try:
        return plain(path) is not path
    except NotComparable:
        return True


def _explained(token: Token, make: Callable[..., Expression], *given: Any) -> Expression:
    try:
        return make(*given)
    except NotComparable as error:
        raise invalid(token, f"what stands beside {shown(token)} {error}") from None


def _unescaped(token: Token) -> str:
    def character(match: re.Match[str]) -> str:
        code, other = match.groups()
        return chr(int(code, 16)) if code else _ESCAPED.get(other, other)

    text = _ESCAPE.sub(character, token[1:-1])
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")  # two \u escapes may be one character
    except UnicodeDecodeError:
        raise invalid(token, "the text holds half of a surrogate pair") from None


def _number(token: Token) -> int | float:
    text = token.lower()
    if text.startswith("0x"):
        number: int | float = int(text, 16) if len(text) <= 18 else float("inf")
    else:
        number = int(text) if text.isdigit() and len(text) <= 16 else float(text)
    if number == float("inf"):
        raise invalid(token, "the number is too large")
    return float(number) if isinstance(number, int) and number > MAX_EXACT else number
