"""Texts of queries, whatever they are: read within the bounds, or refused with the place where they go wrong."""

import re

from hypothesis import given
from hypothesis import strategies as st

from ironhub.dialects.azure.query import parse_condition, parse_query
from ironhub.dialects.azure.query_names import Shape, place_of, shape_of
from ironhub.twins.queries.bounds import check_bounds
from ironhub.twins.queries.model import (
    DOCUMENT_FIELDS,
    JOB_FIELDS,
    Comparison,
    Constant,
    Path,
    Query,
    QueryInvalid,
    Source,
)

PIECES = (
    "SELECT TOP FROM WHERE GROUP BY AS AND OR NOT IN NIN null true undefined devices devices.modules devices.jobs * = "
    "!= < > <= + - / % ( ) [ ] , 1 2.5 0x1F 'a' \"b\" '\\u0041' '\\ud800' tags.a tags.[[b c]] deviceId status etag "
    "COUNT() SUM( LOWER( IS_DEFINED( lastActivityTime '2030-01-01' x509Thumbprint.primaryThumbprint connectionState"
)
WORDS = st.sampled_from(PIECES.split(" "))
LIKELY = st.lists(WORDS, max_size=14).map(" ".join)
CONDITIONS = LIKELY.map(lambda text: f"SELECT * FROM devices WHERE {text}")
PLACE = re.compile(r"\ASQL query parse failed: line \d+, column \d+: ")


@given(st.text(max_size=60) | LIKELY | CONDITIONS)
def test_a_text_is_read_or_refused_with_a_place(text: str) -> None:
    refusal, query = None, None
    try:
        query = parse_query(text)
    except QueryInvalid as error:
        refusal = str(error)
    if query is not None:
        check_bounds(query)
    else:
        assert refusal is not None
        assert PLACE.match(refusal)
        assert len(refusal) < 400


@given(st.text(max_size=40) | LIKELY)
def test_a_condition_says_the_same_alone_and_in_a_query(text: str) -> None:
    try:
        alone = parse_condition(text)
    except QueryInvalid:
        alone = None
    try:
        whole = parse_query(f"SELECT * FROM devices WHERE {text}")
    except QueryInvalid:
        whole = None
    if whole is not None and not whole.group_by:
        assert alone == whole.condition
    elif alone is not None:
        assert text.strip(" \t\r\n\f") == "*"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\\'"), max_size=60))
def test_a_text_in_quotes_stays_what_it_is(text: str) -> None:
    asked = parse_condition(f"deviceId = '{text}'")
    assert asked == Comparison(asked.operator, Path(("device_id",)), Constant(text))  # type: ignore[union-attr]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="]"), max_size=40))
def test_a_key_in_brackets_stays_what_it_is(key: str) -> None:
    query = parse_query(f"SELECT tags.[[{key}]] AS x FROM devices")
    assert query.columns[0].shown == Path(("tags", key))


@given(st.lists(st.text(max_size=12) | st.integers(0, 9), min_size=1, max_size=4), st.sampled_from(Source))
def test_no_name_leads_out_of_the_documents(steps: list[str | int], source: Source) -> None:
    place, _ = place_of(tuple(steps), source)
    fields = JOB_FIELDS if source is Source.JOBS else DOCUMENT_FIELDS
    assert place.steps[0] in {*fields, "", "module_id"}
    assert isinstance(shape_of(place), Shape)
    check_bounds(Query(source, condition=place))
