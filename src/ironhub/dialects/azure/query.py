"""The vendor's query language: text becomes a Query of ours.

Protects against texts that cost more than they weigh: their length, nesting and number of parts are bounded before
anything goes down into them. What comes out holds values and places in documents; no text of a query goes further.
Source: Azure IoT Hub, "IoT Hub query language for device and module twins, jobs, and message routing".
"""

from collections import Counter
from typing import Any, Final

from lark import Token, Tree, UnexpectedInput
from lark.exceptions import VisitError

from ironhub.dialects.azure.query_build import Builder, steps_of
from ironhub.dialects.azure.query_grammar import invalid, parser, refusal, shown
from ironhub.dialects.azure.query_names import Named, source_of
from ironhub.twins.queries.bounds import check_bounds
from ironhub.twins.queries.model import ALWAYS, Aggregate, Column, Condition, Expression, Query, QueryInvalid, Source

MAX_QUERY: Final = 8192
"""Characters."""
MAX_TREE: Final = 150
"""How deep the tree of a text may be; a pair of parentheses takes about six levels."""
MAX_TOP: Final = 2**31 - 1
_START: Final = (1, 1)


def parse_query(text: str) -> Query:
    """Return what `text`, a whole SELECT, asks for. Raises QueryInvalid naming line and column."""
    tree = _tree(text, "query")
    given = {part.data: part for part in tree.children if isinstance(part, Tree)}
    source = _source(next(part for part in tree.children if isinstance(part, Token)))
    builder = Builder(source)
    query = Query(
        source,
        columns=_columns(builder, given),
        condition=_built(builder, given["where"]) if "where" in given else ALWAYS,
        group_by=_group_by(builder, given),
        top=_top(given),
    )
    _check(query)
    return query


def parse_condition(text: str, source: Source = Source.DEVICES) -> Condition:
    """Return what the part after WHERE asks of `source`; "*": nothing, all are meant. Raises QueryInvalid."""
    condition: Condition = _built(Builder(source), _tree(text, "condition"))
    _bounded(Query(source, condition=condition))
    return condition


def _tree(text: str, start: str) -> Tree[Token]:
    if len(text) > MAX_QUERY:
        raise invalid(_START, f"the query has more than {MAX_QUERY} characters")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise invalid(_START, "the query holds half of a surrogate pair") from None
    try:
        tree = parser(start).parse(text)
    except UnexpectedInput as error:
        raise refusal(error, text) from None
    _check_depth(tree)
    return tree


def _check_depth(tree: Tree[Token]) -> None:
    level: list[Any] = [tree]
    for _ in range(MAX_TREE):
        level = [child for part in level for child in part.children if isinstance(child, Tree)]
        if not level:
            return
    raise invalid(_START, "the query is nested too deeply")


def _built(builder: Builder, tree: Tree[Token]) -> Any:
    try:
        return builder.transform(tree)
    except VisitError as error:
        if isinstance(error.orig_exc, QueryInvalid):
            raise error.orig_exc from None
        raise


def _source(token: Token) -> Source:
    source = source_of(steps_of(token))
    if source is None:
        raise invalid(token, f"expected devices, devices.modules or devices.jobs; found {shown(token)}")
    return source


def _columns(builder: Builder, given: dict[str, Tree[Token]]) -> tuple[Column, ...]:
    if "everything" in given:
        return ()
    columns: tuple[Column, ...] = _built(builder, given["columns"])
    return columns


def _group_by(builder: Builder, given: dict[str, Tree[Token]]) -> tuple[Expression, ...]:
    if "grouping" not in given:
        return ()
    places: list[Named] = [_built(builder, tree) for tree in given["grouping"].children if isinstance(tree, Tree)]
    return tuple(dict.fromkeys(place.path for place in places))


def _top(given: dict[str, Tree[Token]]) -> int | None:
    if "top" not in given:
        return None
    token = given["top"].children[0]
    number = int(token) if isinstance(token, Token) and token.isdigit() and len(token) <= 10 else 0
    if not 1 <= number <= MAX_TOP:
        raise invalid(token, f"TOP takes a whole number from 1 to {MAX_TOP}")
    return number


def _bounded(query: Query) -> None:
    try:
        check_bounds(query)
    except QueryInvalid as error:
        raise invalid(_START, str(error)) from None


def _check(query: Query) -> None:
    """What the grammar cannot say of columns and groups."""
    _bounded(query)
    twice = [name for name, times in Counter(column.name for column in query.columns).items() if times > 1]
    if twice:
        raise invalid(_START, f"two columns are called {shown(twice[0])}: name one of them with AS")
    if query.source is Source.JOBS and (query.columns or query.group_by):
        raise invalid(_START, "jobs are shown whole: SELECT * FROM devices.jobs")
    if query.group_by and not query.columns:
        raise invalid(_START, "with GROUP BY, name the columns to show instead of *")
    for column in query.columns if query.grouped else ():
        if not isinstance(column.shown, Aggregate) and column.shown not in query.group_by:
            raise invalid(_START, f"{shown(column.name)} is neither an aggregate nor in GROUP BY")
