"""Tables of devices (CSV), as spreadsheets write and read them.

A table begins with the names of its columns. `tags`, `desired` and `reported` hold JSON; `tags.hall` or
`desired.fan.speed` hold one property each: a number, true, false, JSON in braces or brackets, or else text.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Final, TextIO

from ironhub.app.cli.problems import UsageProblem
from ironhub.app.fleet.lines import MAX_LINE, Record
from ironhub.core.strict_json import JsonInvalid, decode_json, encode_json

PLAIN: Final = (
    "device_id",
    "module_id",
    "mode",
    "status",
    "status_reason",
    "scope",
    "managed_by",
    "etag",
    "twin_etag",
)
CREDENTIALS: Final = ("auth", "primary_key", "secondary_key", "primary_thumbprint", "secondary_thumbprint")
SECTIONS: Final = ("tags", "desired", "reported")
COLUMNS: Final = (*PLAIN[:2], *PLAIN[3:5], *CREDENTIALS, "edge_capable", *PLAIN[5:7], *SECTIONS)
"""What an exported table has."""
MAX_COLUMNS: Final = 500
_SAME: Final = {"id": "device_id", "deviceid": "device_id", "moduleid": "module_id", "thumbprint": "primary_thumbprint"}
_KNOWN: Final = frozenset({*PLAIN, *CREDENTIALS, *SECTIONS, "edge_capable"})
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d{0,15})(?:\.\d{1,15})?\Z", re.ASCII)
_WORDS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def read_table(file: BinaryIO) -> Iterator[Record]:
    """Yield the rows of a table. Raises UsageProblem: it has no columns, or some that nobody knows."""
    text = io.TextIOWrapper(
        io.BufferedReader(_KeptOpen(file)), encoding="utf-8-sig", errors="surrogateescape", newline=""
    )
    csv.field_size_limit(MAX_LINE)
    first = text.readline(MAX_LINE)
    separator = max(",;\t", key=first.count)
    columns = columns_of(next(csv.reader([first], delimiter=separator), []))
    reader = csv.reader(text, delimiter=separator)
    while True:
        line = reader.line_num + 2
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(line, b"", f"no row of a table: {error}")
            continue
        if any(cell.strip() for cell in cells):
            yield _record(line, columns, cells)


def columns_of(names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns under the names they have here. Raises UsageProblem."""
    bare = [name.strip() for name in names]
    while bare and not bare[-1]:
        bare.pop()
    columns = tuple(_SAME.get(name.lower(), name if "." in name else name.lower()) for name in bare)
    unknown = [name for name in columns if name not in _KNOWN and name.partition(".")[0] not in SECTIONS]
    if "device_id" not in columns or unknown or len(set(columns)) != len(columns) or len(columns) > MAX_COLUMNS:
        wrong = f"unknown: {', '.join(unknown[:10])}" if unknown else "device_id is missing, or a name comes twice"
        known = ", ".join((*PLAIN, *CREDENTIALS, "edge_capable", *SECTIONS))
        raise UsageProblem(f"the first line must name the columns; {wrong}", f"There are {known}, and tags.NAME.")
    return columns


def row_of(columns: Sequence[str], cells: Sequence[str]) -> dict[str, Any]:
    """Return what the cells of a row say, as a line of JSON would. Raises ValueError saying what is wrong."""
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        raise ValueError(f"the row has {len(cells)} cells, the table {len(columns)} columns")
    given = {name: cell.strip() for name, cell in zip(columns, cells, strict=False) if cell.strip()}
    row: dict[str, Any] = {name: given[name] for name in PLAIN if name in given}
    if "edge_capable" in given:
        if given["edge_capable"].lower() not in _WORDS:
            raise ValueError("edge_capable is true or false")
        row["edge_capable"] = _WORDS[given["edge_capable"].lower()]
    if auth := _auth(given):
        row["auth"] = auth
    for section in SECTIONS:
        if (properties := _section(section, given)) is not None:
            row[section] = properties
    return row


class TableWriter:
    """Writes devices as rows of a table."""

    def __init__(self, file: TextIO) -> None:
        self._writer = csv.writer(file)
        self._writer.writerow(COLUMNS)

    def write(self, row: dict[str, Any]) -> None:
        """Write one device or module, as an export's line of JSON describes it."""
        auth = row.get("auth") or {}
        keys, thumbprints = auth.get("keys") or {}, [*(auth.get("thumbprints") or ()), None, None]
        flat = {
            **row,
            "auth": auth.get("kind"),
            "primary_key": keys.get("primary"),
            "secondary_key": keys.get("secondary"),
            "primary_thumbprint": thumbprints[0],
            "secondary_thumbprint": thumbprints[1],
            "edge_capable": "true" if row.get("edge_capable") else None,
        }
        for section in SECTIONS:
            if section in row:
                flat[section] = json.dumps(row[section], ensure_ascii=False, separators=(",", ":"))
        self._writer.writerow([flat.get(column) for column in COLUMNS])


class _KeptOpen(io.RawIOBase):
    """Lends a file to a reader that would close it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _record(line: int, columns: Sequence[str], cells: Sequence[str]) -> Record:
    try:
        content = encode_json(row_of(columns, cells))
    except UnicodeEncodeError:
        return Record(line, b"", "the row is not UTF-8; save the table as CSV UTF-8")
    except ValueError as error:
        return Record(line, b"", str(error))
    if len(content) > MAX_LINE:
        return Record(line, b"", f"the row has more than {MAX_LINE} bytes")
    return Record(line, content)


def _auth(given: dict[str, str]) -> dict[str, Any] | None:
    keys = [given.get(name) for name in ("primary_key", "secondary_key")]
    prints = [given[name] for name in ("primary_thumbprint", "secondary_thumbprint") if name in given]
    kind = given.get("auth") or ("sas" if any(keys) else "x509-thumbprint" if prints else None)
    if kind is None:
        return None
    auth: dict[str, Any] = {"kind": kind.lower()}
    if any(keys):
        if not all(keys):
            raise ValueError("give both keys or none")
        auth["keys"] = {"primary": keys[0], "secondary": keys[1]}
    return {**auth, "thumbprints": prints} if prints else auth


def _section(name: str, given: dict[str, str]) -> dict[str, Any] | None:
    properties: dict[str, Any] | None = None
    if name in given:
        properties = _json(name, given[name])
        if not isinstance(properties, dict):
            raise ValueError(f"{name} is no JSON object")
    for column, cell in given.items():
        if column.startswith(f"{name}."):
            properties = {} if properties is None else properties
            _put(properties, column.split(".")[1:], _value(column, cell))
    return properties


def _put(properties: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for step in path[:-1]:
        below = properties.setdefault(step, {})
        if not isinstance(below, dict):
            raise ValueError(f"{'.'.join(path)} stands below a value")  # noqa: TRY004  # a cell's value, not ours
        properties = below
    properties[path[-1]] = value


def _value(column: str, cell: str) -> Any:
    """007 is a text: a serial number, not seven."""
    if cell in ("true", "TRUE", "false", "FALSE"):
        return cell.lower() == "true"
    if _NUMBER.match(cell) or cell[0] in '{["':
        return _json(column, cell)
    return cell


def _json(column: str, cell: str) -> Any:
    try:
        return decode_json(cell.encode())
    except JsonInvalid as error:
        raise ValueError(f"{column}: {error}") from None
