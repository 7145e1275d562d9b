"""Tests of twins/queries/bounds.py."""

import pytest

from ironhub.twins.queries.bounds import check_bounds, fields_of
from ironhub.twins.queries.model import (
    ALWAYS,
    MAX_DEPTH,
    MAX_KEYS,
    MAX_TERMS,
    Aggregate,
    And,
    Arithmetic,
    Call,
    Choice,
    Column,
    Comparison,
    Constant,
    Expression,
    Function,
    Measure,
    Membership,
    Not,
    Operator,
    Or,
    Path,
    Query,
    QueryInvalid,
    Sign,
    Source,
)

A, B = Path(("tags", "a")), Path(("status",))
ONE = Constant(1)


def nested(depth: int) -> Expression:
    expression: Expression = ALWAYS
    for _ in range(depth):
        expression = Not(expression)
    return expression


def asking(condition: Expression) -> Query:
    return Query(Source.DEVICES, condition=condition)


def test_what_is_within_the_bounds_passes() -> None:
    check_bounds(asking(nested(MAX_DEPTH - 1)))
    check_bounds(asking(Or((A,) * MAX_TERMS)))


@pytest.mark.parametrize(
    "condition",
    [
        nested(MAX_DEPTH),
        nested(100_000),
        Or((A,) * (MAX_TERMS + 1)),
        And((A,) * (MAX_TERMS + 1)),
        Call(Function.CONCAT, (A,) * (MAX_TERMS + 1)),
        Membership(A, (ONE,) * (MAX_TERMS + 1)),
        Arithmetic(A, ((Sign.PLUS, ONE),) * (MAX_TERMS + 1)),
        Comparison(Operator.EQUAL, ONE, nested(MAX_DEPTH)),
    ],
    ids=["deep", "abyss", "or", "and", "call", "list", "sum", "deep inside"],
)
def test_what_is_too_deep_or_too_wide_is_refused(condition: Expression) -> None:
    with pytest.raises(QueryInvalid):
        check_bounds(asking(condition))


def test_columns_and_groups_are_bounded_too() -> None:
    keys = tuple(Path(("tags", str(number))) for number in range(MAX_KEYS + 1))
    with pytest.raises(QueryInvalid):
        check_bounds(Query(Source.DEVICES, (Column("n", Aggregate(Measure.COUNT)),), group_by=keys))
    with pytest.raises(QueryInvalid):
        check_bounds(Query(Source.DEVICES, (Column("n", Aggregate(Measure.SUM, nested(MAX_DEPTH))),)))
    with pytest.raises(QueryInvalid):
        check_bounds(Query(Source.DEVICES, (Column("n", ONE),) * (MAX_TERMS + 1)))


def test_the_fields_that_are_looked_at_are_known() -> None:
    asked: list[Expression] = [Comparison(Operator.LESS, A, Choice(B, ())), Membership(Path(("scope",)), (ONE,))]
    assert fields_of(asked) == {"tags", "status", "scope"}
