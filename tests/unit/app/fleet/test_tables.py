import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ironhub.app.cli.problems import UsageProblem
from ironhub.app.fleet.tables import COLUMNS, TableWriter, columns_of, read_table, row_of


def rows(text: str | bytes) -> list[dict[str, Any]]:
    """The rows of a table without problems."""
    content = text.encode() if isinstance(text, str) else text
    records = list(read_table(io.BytesIO(content)))
    assert [record.problem for record in records if record.problem] == []
    return [json.loads(record.content) for record in records]


def problems(text: str | bytes) -> list[tuple[int, str]]:
    """Where something is wrong, and what."""
    content = text.encode() if isinstance(text, str) else text
    return [(record.line, record.problem) for record in read_table(io.BytesIO(content)) if record.problem]


def test_a_table_of_a_spreadsheet_is_read() -> None:
    head = "\ufeffid;Status;tags.hall;desired;desired.fan.on\r\n"
    text = head + 'press-7;enabled;b;"{""n"": 1}";TRUE\r\n\r\npress-8;;007;;\r\n'
    assert rows(text) == [
        {"device_id": "press-7", "status": "enabled", "tags": {"hall": "b"}, "desired": {"n": 1, "fan": {"on": True}}},
        {"device_id": "press-8", "tags": {"hall": "007"}},
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_separator_is_that_of_the_first_line(separator: str) -> None:
    text = separator.join(("device_id", "module_id", "managed_by")) + "\n" + separator.join(("a", "b", "c"))
    assert rows(text) == [{"device_id": "a", "module_id": "b", "managed_by": "c"}]


def test_credentials_are_what_stands_there() -> None:
    head = "device_id,auth,primary_key,secondary_key,thumbprint,secondary_thumbprint,edge_capable\n"
    assert rows(head + "a,,k1,k2,,,yes\nb,,,,aa,bb,no\nc,x509-ca,,,,,\nd,,,,,,") == [
        {"device_id": "a", "edge_capable": True, "auth": {"kind": "sas", "keys": {"primary": "k1", "secondary": "k2"}}},
        {"device_id": "b", "edge_capable": False, "auth": {"kind": "x509-thumbprint", "thumbprints": ["aa", "bb"]}},
        {"device_id": "c", "auth": {"kind": "x509-ca"}},
        {"device_id": "d"},
    ]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("5", 5),
        ("-0.5", -0.5),
        ("true", True),
        ("05", "05"),
        ("1e5", "1e5"),
        ('"5"', "5"),
        ("[1]", [1]),
        ("a b", "a b"),
    ],
)
def test_a_cell_is_the_value_it_looks_like(cell: str, value: Any) -> None:
    assert row_of(("device_id", "tags.x"), ("a", cell))["tags"] == {"x": value}


def test_what_is_wrong_is_told_with_its_line_and_stops_nobody() -> None:
    text = (
        "device_id,primary_key,edge_capable,tags,desired.a,desired.a.b\n"
        "a,only-one,,,,\n"
        '"b\nc",,maybe,,,\n'
        "d,,,[1],,\n"
        "e,,,{,,\n"
        "f,,,,1,2\n"
        "g,,,,,,,more\n"
        "good,,,,,\n"
    )
    found = problems(text)
    assert [line for line, _ in found] == [2, 3, 5, 6, 7, 8]
    assert len(list(read_table(io.BytesIO(text.encode())))) == 7


def test_text_that_is_not_utf8_is_told() -> None:
    assert [line for line, _ in problems(b"device_id,tags.x\na,\xe4\nb,ok\n")] == [2]


def test_a_cell_that_never_ends_costs_a_bounded_memory() -> None:
    found = problems('device_id,tags.x\na,"' + "x" * 700_000 + "\n")
    assert found
    assert "no row" in found[0][1]


@pytest.mark.parametrize(
    "head", ["", "status", "device_id,colour", "device_id,id", "device_id,tags.", "device_id,tag.x"]
)
def test_a_first_line_that_names_no_columns_is_refused(head: str) -> None:
    if head == "device_id,tags.":
        assert columns_of(head.split(",")) == ("device_id", "tags.")
        return
    with pytest.raises(UsageProblem):
        list(read_table(io.BytesIO(head.encode())))


def test_what_is_written_is_read_again() -> None:
    row = {
        "device_id": "=a",
        "module_id": "m",
        "status": "disabled",
        "status_reason": 'lost; "really", ü',
        "auth": {"kind": "sas", "keys": {"primary": "k1", "secondary": "k2"}},
        "edge_capable": True,
        "scope": "s",
        "managed_by": "us",
        "tags": {"a": {"b": [1, None, "x"]}},
        "desired": {"n": 1.5},
        "reported": {"r": "\u2028"},
    }
    pinned = {"device_id": "b", "auth": {"kind": "x509-thumbprint", "thumbprints": ["a" * 40]}}
    text = io.StringIO(newline="")
    writer = TableWriter(text)
    writer.write(row)
    writer.write(pinned)
    assert rows(text.getvalue()) == [row, pinned]
    assert text.getvalue().splitlines()[0] == ",".join(COLUMNS)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_refused(data: bytes) -> None:
    try:
        for record in read_table(io.BytesIO(b"device_id,tags.x,desired\n" + data)):
            assert record.problem or json.loads(record.content)
        list(read_table(io.BytesIO(data)))
    except UsageProblem:
        pass
