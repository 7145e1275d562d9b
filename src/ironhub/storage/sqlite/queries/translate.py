"""Conditions as SQL that means what `twins/queries/evaluate.py` says, with true, false and undefined as 1, 0 and NULL.

Protects against text that becomes SQL, and against SQL that explodes: each value of a query is a bound parameter, and
an expression that has parts is written once, so the SQL grows with the query. A comparison that would need a part twice
is a function call instead.
"""

import operator as python
from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import and_, case, func, literal, not_, or_

from ironhub.registry.model import DeviceStatus
from ironhub.storage.sqlite.queries.functions import JSON_TYPES, PREFIX
from ironhub.storage.sqlite.queries.terms import NULL, UNDEFINED_TERM, Sql, Term, number, place, types_of, word
from ironhub.storage.sqlite.tables import IDENTITIES
from ironhub.twins.queries.evaluate import holds_of_equals, kind_of
from ironhub.twins.queries.functions import FUNCTIONS, KIND_QUESTIONS, PRIMITIVES
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
    Source,
)

TRUE: Final = number(1)
FALSE: Final = number(0)

_SQL: Final[dict[Operator, Callable[[Any, Any], Any]]] = {
    Operator.EQUAL: python.eq,
    Operator.NOT_EQUAL: python.ne,
    Operator.LESS: python.lt,
    Operator.LESS_OR_EQUAL: python.le,
    Operator.GREATER: python.gt,
    Operator.GREATER_OR_EQUAL: python.ge,
}
_MIRRORED: Final = {
    Operator.LESS: Operator.GREATER,
    Operator.LESS_OR_EQUAL: Operator.GREATER_OR_EQUAL,
    Operator.GREATER: Operator.LESS,
    Operator.GREATER_OR_EQUAL: Operator.LESS_OR_EQUAL,
}
_COMPOUND: Final = (Kind.ARRAY, Kind.OBJECT)
_STATUSES: Final = {status.value: word(status.value) for status in DeviceStatus}
_LAST: Final = chr(0x10FFFF)


def predicate(condition: Condition, source: Source) -> Sql:
    """Return what stands behind WHERE."""
    return _boolean(term_of(condition, source))


def term_of(expression: Expression, source: Source) -> Term:
    """Return any expression as SQL."""
    match expression:
        case Constant(value):
            return _constant(value)
        case Path():
            return place(expression, source)
        case Choice(of, table):
            return _choice(place(of, source), table)
        case Comparison(operator, left, right):
            return _comparison(operator, left, right, source)
        case Membership(value, options):
            return _membership(term_of(value, source), [option.value for option in options])
        case Arithmetic(first, rest):
            joined = taken(term_of(first, source), {Kind.NUMBER})
            for sign, part in rest:
                joined = func.hub_join(word(sign.value), joined, taken(term_of(part, source), {Kind.NUMBER}))
            return Term(joined, Kind.NUMBER, leaf=False)
        case Call(function, arguments):
            return _call(function, arguments, source)
        case And(parts):
            return _truth(and_(*(_boolean(term_of(part, source)) for part in parts)))
        case Or(parts):
            return _truth(or_(*(_boolean(term_of(part, source)) for part in parts)))
        case Not(part):
            return _truth(not_(_boolean(term_of(part, source))))


def taken(term: Term, kinds: "frozenset[Kind] | set[Kind]") -> Sql:
    """Return the value where it is of one of `kinds`, else NULL."""
    if term.type is not None:
        return case((term.type.in_(types_of(*sorted(kinds))), term.value), else_=NULL)
    return term.value if term.kind in kinds else NULL


def defined(term: Term) -> Sql:
    """Return whether it is there: 1 or 0."""
    return _asked(term, frozenset(Kind))


def _truth(value: Sql) -> Term:
    return Term(value, Kind.BOOLEAN, leaf=False)


def _constant(value: Any) -> Term:
    if value is UNDEFINED:
        return UNDEFINED_TERM
    if isinstance(value, bool):  # written out: an index that holds some rows only is used for what stands in the text
        return Term(TRUE if value else FALSE, Kind.BOOLEAN, always=True)
    kind = kind_of(value)
    return Term(NULL if value is None else literal(value), kind, always=True)


def _choice(term: Term, table: Sequence[tuple[str | bool, str]]) -> Term:
    whens = [(term.value == _constant(ours).value, literal(theirs)) for ours, theirs in table]
    return Term(case(*whens, else_=NULL), Kind.STRING)


def _boolean(term: Term) -> Sql:
    """A value as a condition: undefined where it is no boolean."""
    if term.type is not None:
        return case((term.type == word("true"), TRUE), (term.type == word("false"), FALSE), else_=NULL)
    return term.value if term.kind is Kind.BOOLEAN else NULL


def _comparison(operator: Operator, left: Expression, right: Expression, source: Source) -> Term:
    if isinstance(left, Path) and isinstance(right, Constant) and left.steps == ("status",) and source != Source.JOBS:
        known = _STATUSES.get(right.value) if isinstance(right.value, str) else None
        if known is not None:
            return _truth(_SQL[operator](place(left, source).value, known))
    return _compared(operator, term_of(left, source), term_of(right, source))


def _compared(operator: Operator, left: Term, right: Term) -> Term:
    if UNDEFINED_TERM in (left, right):
        return UNDEFINED_TERM
    if left.type is None and right.type is None:
        return _of_known_kinds(operator, left, right)
    if left.type is not None:
        left, right, operator = right, left, _MIRRORED.get(operator, operator)
    if left.type is not None or not left.leaf or right.type is None:
        parts = (_type_of(left), left.value, _type_of(right), right.value)
        return _truth(func.hub_compare(word(operator.value), *parts))
    return _truth(_with_any_kind(operator, left, right))


def _of_known_kinds(operator: Operator, left: Term, right: Term) -> Term:
    if left.kind in _COMPOUND or right.kind in _COMPOUND:
        return UNDEFINED_TERM
    if left.kind is not right.kind:
        return _unless_undefined(FALSE if operator is not Operator.NOT_EQUAL else TRUE, left, right)
    if left.kind is Kind.NULL:
        return _truth(TRUE if holds_of_equals(operator) else FALSE)
    return _truth(_SQL[operator](left.value, right.value))


def _unless_undefined(outcome: Sql, *terms: Term) -> Term:
    missing = [term.value.is_(NULL) for term in terms if not term.always]
    return _truth(case((or_(*missing), NULL), else_=outcome) if missing else outcome)


def _with_any_kind(operator: Operator, known: Term, other: Term) -> Sql:
    kind, type_ = known.kind, other.type
    if kind is None or type_ is None or kind in _COMPOUND:
        return NULL
    if kind is Kind.NULL:
        equal = TRUE if holds_of_equals(operator) else FALSE
    else:
        equal = _SQL[operator](known.value, other.value)
    missing = [] if known.always else [(known.value.is_(NULL), NULL)]
    return case(
        *missing,
        (type_.in_(types_of(kind)), equal),
        (type_.in_(types_of(*PRIMITIVES)), TRUE if operator is Operator.NOT_EQUAL else FALSE),
        else_=NULL,
    )


def _type_of(term: Term) -> Sql:
    if term.type is not None:
        return term.type
    return NULL if term.kind is None else word(JSON_TYPES[term.kind][0])


def _membership(term: Term, options: Sequence[Any]) -> Term:
    if term is UNDEFINED_TERM or term.kind in _COMPOUND:
        return UNDEFINED_TERM
    by_kind: dict[Kind, list[Sql]] = {}
    for option in options:
        kind = kind_of(option)
        if kind is not None:
            by_kind.setdefault(kind, []).append(_constant(option).value)
    if term.type is None and term.kind is not None:
        return _among_known(term, term.kind, by_kind.get(term.kind, []))
    if term.type is None:
        return UNDEFINED_TERM
    whens = [
        (term.type.in_(types_of(kind)), TRUE if kind is Kind.NULL else term.value.in_(values))
        for kind, values in by_kind.items()
    ]
    return _truth(case(*whens, (term.type.in_(types_of(*PRIMITIVES)), FALSE), else_=NULL))


def _among_known(term: Term, kind: Kind, values: list[Sql]) -> Term:
    if kind is Kind.NULL:
        return _truth(TRUE if values else FALSE)
    return _truth(term.value.in_(values)) if values else _unless_undefined(FALSE, term)


def _call(function: Function, arguments: Sequence[Expression], source: Source) -> Term:
    terms = [term_of(argument, source) for argument in arguments]
    if function in KIND_QUESTIONS:
        return Term(_asked(terms[0], KIND_QUESTIONS[function]), Kind.BOOLEAN, always=True, leaf=False)
    if function is Function.ARRAY_CONTAINS:
        array, wanted = terms
        contains: Sql = func.hub_array_contains(taken(array, {Kind.ARRAY}), _type_of(wanted), wanted.value)
        if arguments[0] == Path(("parent_scopes",)) and wanted.always and wanted.kind is Kind.STRING:
            # Few devices have any, and this is told without reading JSON.
            contains = and_(IDENTITIES.c.parent_scopes != word("[]"), contains)
        return _truth(contains)
    signature = FUNCTIONS[function]
    values = [taken(term, signature.taken(position)) for position, term in enumerate(terms)]
    result = getattr(func, PREFIX + function.value)(*values)
    if function is Function.STARTS_WITH and arguments[0] == Path(("device_id",)) and terms[1].always:
        result = and_(result == TRUE, *_beginning(terms[0].value, arguments[1]))
    return Term(result, signature.gives, leaf=False)


def _beginning(column: Sql, prefix: Expression) -> list[Sql]:
    """The range of ids that begin so, for the index; the function itself has the last word."""
    if not isinstance(prefix, Constant) or not isinstance(prefix.value, str):
        return []
    return [column >= literal(prefix.value), column <= literal(prefix.value + _LAST)]


def _asked(term: Term, kinds: frozenset[Kind]) -> Sql:
    if term is UNDEFINED_TERM:
        return FALSE
    if term.type is not None:
        return case((term.type.in_(types_of(*sorted(kinds))), TRUE), else_=FALSE)
    if term.kind not in kinds:
        return FALSE
    return TRUE if term.always else case((term.value.is_(NULL), FALSE), else_=TRUE)
