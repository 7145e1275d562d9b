"""Any text is a row or refused with an error of ours; what is written is read again."""

import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st
from tests.contracts.stores import device

from ironhub.core.errors import HubError
from ironhub.core.ids import identity
from ironhub.dialects.azure.bulk_json import decode_bulk, decode_line, encode_line
from ironhub.twins.model import Section, Twin, with_properties

KEYS = st.sampled_from(["a", "b", "hall", "fan"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=8),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        "id",
        "moduleId",
        "eTag",
        "twinETag",
        "importMode",
        "status",
        "tags",
        "properties",
        "authentication",
        "capabilities",
    ]
)
WORDS = st.sampled_from(["a", "create", "UpdateIfMatchETag", "deviceX", "enabled", "sas", "", "$version"])
ODD = (
    VALUES | WORDS | st.dictionaries(st.sampled_from(["desired", "reported", "$metadata", "$version"]), VALUES | WORDS)
)


@given(st.dictionaries(FIELDS, ODD, max_size=6) | VALUES | st.lists(st.dictionaries(FIELDS, ODD), max_size=3))
def test_any_json_is_a_row_or_refused(body: object) -> None:
    data = json.dumps(body).encode()
    for decode in (decode_line, decode_bulk):
        with suppress(HubError):
            decode(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_line_or_refused(data: bytes) -> None:
    with suppress(HubError):
        decode_line(data)


@given(tags=st.dictionaries(KEYS, VALUES), desired=st.dictionaries(KEYS, VALUES), at=st.integers(0, 2_000_000_000))
def test_a_twin_comes_back_with_its_history(tags: dict[str, object], desired: dict[str, object], at: int) -> None:
    who = identity("press-7")
    section = with_properties(Section(3), desired, at=float(at), count_versions=True)
    twin = Twin(who, 7, 4, tags, section)
    row = decode_line(encode_line(device(who), twin, with_keys=True))
    assert row.twin.tags == tags
    assert row.twin.desired is not None
    assert (row.twin.desired.properties, row.twin.desired.version) == (section.properties, 4)
    assert row.twin.desired.metadata == section.metadata
