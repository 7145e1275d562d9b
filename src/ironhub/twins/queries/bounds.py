"""How large a query may be, told without going down into it: what walks it later relies on that."""

from collections.abc import Iterable, Iterator

from ironhub.twins.queries.model import (
    MAX_DEPTH,
    MAX_KEYS,
    MAX_TERMS,
    Aggregate,
    And,
    Arithmetic,
    Call,
    Choice,
    Comparison,
    Expression,
    Membership,
    Not,
    Or,
    Path,
    Query,
    QueryInvalid,
)


def check_bounds(query: Query) -> None:
    """Refuse a query with an expression that is too deep or too wide. Raises QueryInvalid."""
    shown = [column.shown for column in query.columns]
    whole = [part.of if isinstance(part, Aggregate) else part for part in shown]
    if len(query.group_by) > MAX_KEYS:
        raise QueryInvalid(f"a query groups by at most {MAX_KEYS} names")
    check_expressions([query.condition, *query.group_by, *(part for part in whole if part is not None)])


def check_expressions(expressions: list[Expression]) -> None:
    """As `check_bounds`, for expressions that stand beside each other."""
    _check_width(len(expressions))
    level = expressions
    for _ in range(MAX_DEPTH):
        level = [part for expression in level for part in _parts(expression)]
        if not level:
            return
    raise QueryInvalid(f"the query is nested more than {MAX_DEPTH} deep")


def fields_of(expressions: Iterable[Expression]) -> set[str]:
    """Return the fields of documents that `expressions`, which are within the bounds, look at."""
    left, fields = list(expressions), set()
    while left:
        expression = left.pop()
        if isinstance(expression, Path):
            fields.add(str(expression.steps[0]))
        left.extend(_parts(expression))
    return fields


def _parts(expression: Expression) -> Iterator[Expression]:
    match expression:
        case And(parts) | Or(parts):
            _check_width(len(parts))
            yield from parts
        case Call(_, arguments):
            _check_width(len(arguments))
            yield from arguments
        case Comparison(_, left, right):
            yield from (left, right)
        case Membership(value, options):
            _check_width(len(options))
            yield value
        case Arithmetic(first, rest):
            _check_width(len(rest))
            yield from (first, *(part for _, part in rest))
        case Not(part) | Choice(part):
            yield part


def _check_width(count: int) -> None:
    if count > MAX_TERMS:
        raise QueryInvalid(f"more than {MAX_TERMS} parts stand beside each other; ask in several queries")
