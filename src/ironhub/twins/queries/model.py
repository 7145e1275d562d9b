"""A query as a value. A dialect makes it from a vendor's text; every store gives it the same meaning.

What it protects: a query is data, never text of a database, so it reaches what a document (below) holds and nothing
else. Whoever makes one bounds its size and depth; the parts that walk it rely on `MAX_DEPTH` and `MAX_TERMS`.

A document is what is asked about one device, module or job result: a JSON object with neutral names at its top,
`DOCUMENT_FIELDS` and `JOB_FIELDS`. Conditions have three outcomes: true, false and undefined (see `evaluate.py`).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Final, NamedTuple, TypeAlias

from ironhub.core.errors import HubError

MAX_DEPTH: Final = 16
"""How many parts of an expression may stand inside each other."""
MAX_TERMS: Final = 400
"""How many constants a list, and operands an AND, an OR or a sum, may have."""
MAX_KEYS: Final = 8
"""How many places a query may group by."""
MAX_GROUPS: Final = 10_000
"""How many groups a query may make."""

DOCUMENT_FIELDS: Final = frozenset(
    {
        "device_id",
        "module_id",
        "identity_etag",
        "etag_counter",
        "version",
        "status",
        "status_reason",
        "status_changed_at",
        "connected",
        "last_activity_at",
        "pending_commands",
        "credential_kind",
        "thumbprints",
        "model_id",
        "edge",
        "scope",
        "parent_scopes",
        "tags",
        "sections",
        "configurations",
    }
)
"""What a document of a device or module has at its top. `module_id` only of a module; `status_reason`, `edge`, `scope`
and `parent_scopes` only of a device; what is not set is absent. `sections` has "desired" and "reported", each with
"version", "properties" and "metadata"; `thumbprints` has "primary" and "secondary"; `edge` has "capable". Instants are
seconds since the epoch, `NEVER` where there was none."""

JOB_FIELDS: Final = frozenset(
    {
        "device_id",
        "job_id",
        "job_kind",
        "target_status",
        "started_at",
        "ended_at",
        "created_at",
        "updated_at",
        "outcome",
        "error",
    }
)
"""What a document of one job's result on one device has at its top; what is not known yet is absent."""

NEVER: Final = -62_135_596_800.0
"""The first instant of the year 1, as seconds since the epoch."""


class QueryInvalid(HubError):
    """The text of a query cannot be understood, or asks for something that is not there."""

    code: ClassVar[str] = "query.invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Correct the query at the line and column that the message names."


class QueryTooExpensive(HubError):
    """A query ran longer, or would give more, than one caller may cost the hub."""

    code: ClassVar[str] = "query.too_expensive"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = (
        "Ask for less: compare device ids, statuses or connection states first, or group by less."
    )


class TooManyQueries(HubError):
    """The caller has more queries under way than are served at a time."""

    code: ClassVar[str] = "query.too_many"
    status: ClassVar[int] = 429
    next_step: ClassVar[str] = "Wait for the answers to the queries you sent, then ask again."


class ContinuationInvalid(HubError):
    """A continuation token was not made by this hub for this query and caller, or is too old."""

    code: ClassVar[str] = "query.continuation_invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Send the query again without a token, and then each page's token unchanged."


class Source(StrEnum):
    """What a query is about."""

    DEVICES = "devices"
    MODULES = "modules"
    JOBS = "jobs"
    """One document for each device that a job was for."""


class Kind(StrEnum):
    """What a value is. That nothing is there is no kind: undefined."""

    NULL = "null"
    BOOLEAN = "boolean"
    NUMBER = "number"
    STRING = "string"
    ARRAY = "array"
    OBJECT = "object"


class Operator(StrEnum):
    """How two values are compared."""

    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="


class Sign(StrEnum):
    """How two numbers make a third."""

    PLUS = "+"
    MINUS = "-"
    TIMES = "*"
    DIVIDED = "/"
    MODULO = "%"


class Function(StrEnum):
    """What can be asked of values; arguments of another kind than is taken make the result undefined."""

    IS_DEFINED = "is_defined"
    IS_NULL = "is_null"
    IS_BOOLEAN = "is_boolean"
    IS_NUMBER = "is_number"
    IS_STRING = "is_string"
    IS_ARRAY = "is_array"
    IS_OBJECT = "is_object"
    IS_PRIMITIVE = "is_primitive"
    ARRAY_CONTAINS = "array_contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    CONTAINS = "contains"
    INDEX_OF = "index_of"
    LOWER = "lower"
    UPPER = "upper"
    LENGTH = "length"
    CONCAT = "concat"
    SUBSTRING = "substring"
    AS_NUMBER = "as_number"
    ABS = "abs"
    EXP = "exp"
    POWER = "power"
    SQUARE = "square"
    CEILING = "ceiling"
    FLOOR = "floor"
    SIGN = "sign"
    SQRT = "sqrt"


class Measure(StrEnum):
    """What an aggregate tells of many documents; all but COUNT look at numbers only."""

    COUNT = "count"
    SUM = "sum"
    AVERAGE = "average"
    LEAST = "least"
    GREATEST = "greatest"


class Undefined:
    """That nothing is there; there is one of it, `UNDEFINED`."""

    def __repr__(self) -> str:
        return "UNDEFINED"


UNDEFINED: Final = Undefined()


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that stands in the query: None, bool, int, float, str, or UNDEFINED."""

    value: Any


@dataclass(frozen=True, slots=True)
class Path:
    """A place in a document, e.g. ("tags", "hall"); the first step is one of its fields, an int counts in an array."""

    steps: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """What stands beside the value of `of` in a table: how a dialect's words stand for ours. Not there: undefined."""

    of: Path
    table: tuple[tuple[str | bool, str], ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two values compared."""

    operator: Operator
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether a value equals one of `options`."""

    value: "Expression"
    options: tuple[Constant, ...]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Numbers joined from left to right, each by its sign."""

    first: "Expression"
    rest: tuple[tuple[Sign, "Expression"], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function of values."""

    function: Function
    arguments: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class And:
    """True when all are, false when one is."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True when one is, false when all are."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True for false, false for true, undefined for anything else."""

    part: "Expression"


Expression: TypeAlias = Constant | Path | Choice | Comparison | Membership | Arithmetic | Call | And | Or | Not
Condition: TypeAlias = Expression
"""What decides about a document: it counts when the outcome is the boolean true, and only then."""

ALWAYS: Final = Constant(True)
"""The condition that every document meets."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One number about many documents; `of` None counts the documents themselves."""

    measure: Measure
    of: Expression | None = None


class Column(NamedTuple):
    """What is shown in each row, and under which name."""

    name: str
    shown: Expression | Aggregate


@dataclass(frozen=True, slots=True)
class Query:
    """What is shown of which documents."""

    source: Source
    columns: tuple[Column, ...] = ()
    """Empty: whole documents."""
    condition: Condition = ALWAYS
    group_by: tuple[Expression, ...] = ()
    top: int | None = None
    """How many rows at most, over all pages."""

    @property
    def grouped(self) -> bool:
        """Whether a row tells of many documents."""
        return bool(self.group_by) or any(isinstance(column.shown, Aggregate) for column in self.columns)


Row: TypeAlias = dict[str, Any]
"""A document, or the columns of a query by their names; what is undefined is absent."""
