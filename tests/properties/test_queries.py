"""Queries, whatever they ask of whatever twins: SQLite says what the plain evaluator says."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contracts.stores import ARM, CREATED_AT, PRESS, device, module, open_stores

from ironhub.core.ids import Identity, device_id
from ironhub.identity.model import CredentialKind, Credentials, Thumbprints
from ironhub.registry.model import Device, DeviceStatus
from ironhub.storage.stores import Stores
from ironhub.twins.model import FIRST_VERSION, Section, Twin
from ironhub.twins.queries.functions import FUNCTIONS, KIND_QUESTIONS
from ironhub.twins.queries.model import (
    UNDEFINED,
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
    Sign,
    Source,
)

TEXTS = st.sampled_from(["", "a", "A", "b2", "1", "2.5", "ß", "\U0001f600", "x'y", 'x"y', "a\\b", "%", "enabled"])
# Quarters: what is added up comes out the same in any order.
NUMBERS = st.integers(-8, 8) | st.integers(-8, 8).map(lambda number: number / 4)
LEAVES = st.booleans() | NUMBERS | TEXTS
KEYS = st.sampled_from(["a", "b", "o", "list", 'q"k', "b\\s", "ä"])
JSON = st.recursive(
    LEAVES, lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=3), max_leaves=6
)
OBJECTS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("a", "b", "o", 'q"k', "b\\s", "ä"), LEAVES | JSON) | {"list": st.lists(JSON, max_size=3)},
)

PATHS = st.sampled_from(
    [
        *((("tags", key)) for key in ("a", "b", "o", "list", 'q"k', "b\\s", "ä", "none")),
        ("tags",),
        ("tags", "o", "a"),
        ("tags", "list", 0),
        ("tags", "list", 1, "a"),
        ("sections", "desired", "properties", "a"),
        ("sections", "reported", "properties", "b", "a"),
        ("sections", "desired", "version"),
        ("sections", "desired", "metadata", "$lastUpdated"),
        ("sections", "reported"),
        ("device_id",),
        ("module_id",),
        ("status",),
        ("status_reason",),
        ("connected",),
        ("version",),
        ("scope",),
        ("edge", "capable"),
        ("parent_scopes",),
        ("parent_scopes", 0),
        ("thumbprints", "primary"),
        ("configurations", "c", "status"),
        ("nowhere",),
        ("status", "below"),
    ]
).map(Path)
TAGS = st.sampled_from(["a", "b", 'q"k']).map(lambda key: Path(("tags", key)))
CONSTANTS = st.builds(Constant, LEAVES | st.none() | st.just(UNDEFINED))
CHOICES = st.just(Choice(Path(("connected",)), ((True, "a"), (False, "b2"))))


def _larger(below: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    many = st.lists(below, min_size=2, max_size=3).map(tuple)
    calls = [
        st.builds(Call, st.just(function), st.tuples(*([below] * len(signature.takes))))
        for function, signature in FUNCTIONS.items()
    ]
    return st.one_of(
        st.builds(Comparison, st.sampled_from(Operator), below, below),
        st.builds(Membership, below, st.lists(CONSTANTS, min_size=1, max_size=4).map(tuple)),
        st.builds(
            Arithmetic, below, st.lists(st.tuples(st.sampled_from(Sign), below), min_size=1, max_size=2).map(tuple)
        ),
        st.builds(Call, st.sampled_from(list(KIND_QUESTIONS)), st.tuples(below)),
        st.builds(Call, st.just(Function.ARRAY_CONTAINS), st.tuples(below, below)),
        *calls,
        st.builds(And, many),
        st.builds(Or, many),
        st.builds(Not, below),
    )


ATOMS: st.SearchStrategy[Expression] = PATHS | PATHS | CONSTANTS | CHOICES
LIKELY = st.builds(Comparison, st.sampled_from(Operator), TAGS | PATHS, CONSTANTS) | st.builds(
    Membership, TAGS | PATHS, st.lists(CONSTANTS, min_size=1, max_size=4).map(tuple)
)
"""What is neither always true nor always undefined."""
_FEW = (LIKELY, _larger(ATOMS), _larger(LIKELY), _larger(_larger(ATOMS) | LIKELY | ATOMS))
EXPRESSIONS: st.SearchStrategy[Expression] = st.sampled_from(_FEW).flatmap(lambda one: one)
"""Chosen in two steps: joined by "or", the many kinds of the larger ones would leave no room for the likely."""
SOURCES = st.sampled_from([Source.DEVICES, Source.MODULES])
TWINS = st.tuples(OBJECTS, OBJECTS, OBJECTS, st.sampled_from([{}, {"c": {"status": "a"}}]))

OTHER, EDGE = Identity(device_id("a")), Identity(device_id("gateway"))
FLEET = (
    device(PRESS),
    Device(OTHER.device_id, "g", "e", Credentials(CredentialKind.NONE), CREATED_AT, DeviceStatus.DISABLED, "a"),
    Device(
        EDGE.device_id,
        "g",
        "e",
        Credentials(CredentialKind.SELF_SIGNED, None, Thumbprints("a" * 40, None)),
        CREATED_AT,
        edge_capable=True,
        scope="a",
        parent_scopes=("a", "b2"),
    ),
)
VALUES: tuple[Any, ...] = (None, True, False, 0, 1, 1.0, 2.5, -3, "", "a", "b2", "1", "ß", [], [1, "a"], {}, {"a": 1})
"""What stands in the tags of a fleet, each beside each other kind; None: nothing."""


def fleet_tags() -> list[Any]:
    """The tags of many devices."""
    made = []
    for number, value in enumerate(VALUES * 2):
        other, third = VALUES[(number * 5 + 3) % len(VALUES)], VALUES[(number * 7 + 1) % len(VALUES)]
        tags = {"a": value, "b": other, "o": {"a": third}, "list": [other, {"a": value}], 'q"k': third, "b\\s": value}
        made.append({key: each for key, each in tags.items() if each is not None})
    return made


class Pair:
    """Both stores, with the same fleet."""

    def __init__(self, runner: asyncio.Runner, stores: list[Stores]) -> None:
        self._runner = runner
        self._stores = stores
        self._versions = dict.fromkeys((PRESS, ARM, OTHER), FIRST_VERSION)
        self._each(lambda one: self._fill(one))

    def put(self, identity: Identity, content: tuple[Any, ...]) -> None:
        """Store a twin; EDGE keeps the one nobody wrote to."""
        tags, desired, reported, configurations = content
        stored = self._versions[identity]
        self._versions[identity] = stored + 1
        metadata = {"$lastUpdated": 2.5}
        twin = Twin(
            identity, stored + 1, 7, tags, Section(2, desired, metadata), Section(3, reported, metadata), configurations
        )
        self._each(lambda one: one.twins.put_twin(twin, replacing=stored))

    def agree(self, query: Query) -> list[Any]:
        """Return what both found."""
        plain, sql = self._each(lambda one: one.queries.run(query, after=None, limit=100))
        assert sql == plain
        return list(plain.items)

    def _each(self, work: Any) -> list[Any]:
        async def both() -> list[Any]:
            return [await work(stores) for stores in self._stores]

        return self._runner.run(both())

    @staticmethod
    async def _fill(stores: Stores) -> None:
        for one in FLEET:
            await stores.devices.put_device(one, replacing=None)
        await stores.devices.put_module(module(ARM), replacing=None)
        for number, tags in enumerate(fleet_tags()):
            owner = Identity(device_id(f"d{number}"))
            section = Section(2, tags, {"$lastUpdated": 2.5})
            await stores.devices.put_device(device(owner), replacing=None)
            await stores.twins.put_twin(Twin(owner, 3, 1, tags, section, section), replacing=FIRST_VERSION)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with asyncio.Runner() as runner:
        opened = [open_stores(name, tmp_path_factory.mktemp(name)) for name in ("memory", "sqlite")]
        stores = [runner.run(one.__aenter__()) for one in opened]
        yield Pair(runner, stores)
        for one in opened:
            runner.run(one.__aexit__(None, None, None))


FULL = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("operator", Operator)
def test_each_comparison_of_each_kind_with_each_other(pair: Pair, operator: Operator) -> None:
    place = Path(("tags", "a"))
    others: list[Expression] = [Constant(value) for value in VALUES if not isinstance(value, list | dict)]
    for other in [*others, Constant(UNDEFINED), Path(("tags", "b")), Path(("status",)), Path(("scope",))]:
        for left, right in ((place, other), (other, place)):
            for asked in (Comparison(operator, left, right), Not(Comparison(operator, left, right))):
                pair.agree(Query(Source.DEVICES, (Column("id", Path(("device_id",))),), asked))


@FULL
@given(EXPRESSIONS)
def test_both_find_the_same_in_a_fleet(pair: Pair, condition: Expression) -> None:
    for asked in (condition, Not(condition)):
        pair.agree(Query(Source.DEVICES, (Column("id", Path(("device_id",))),), asked))


@FULL
@given(TWINS, TWINS, SOURCES, EXPRESSIONS)
def test_both_find_the_same_in_any_twin(
    pair: Pair, one: Any, other: Any, source: Source, condition: Expression
) -> None:
    for identity, content in ((PRESS, one), (ARM, other)):
        pair.put(identity, content)
    for asked in (condition, Not(condition), Call(Function.IS_DEFINED, (condition,))):
        pair.agree(Query(source, (), asked))


@FULL
@given(TWINS, TWINS, st.lists(PATHS, max_size=2, unique=True), PATHS)
def test_both_make_the_same_groups(pair: Pair, one: Any, other: Any, keys: list[Path], measured: Path) -> None:
    for identity, content in ((PRESS, one), (OTHER, other)):
        pair.put(identity, content)
    measures = [Column(measure.value, Aggregate(measure, measured)) for measure in Measure]
    columns = [Column("n", Aggregate(Measure.COUNT)), *measures, *(Column(f"k{n}", key) for n, key in enumerate(keys))]
    rows = pair.agree(Query(Source.DEVICES, tuple(columns), group_by=tuple(keys)))
    assert sum(row["n"] for row in rows) == len(FLEET) + len(fleet_tags())


@FULL
@given(TWINS, st.lists(PATHS, min_size=1, max_size=3, unique=True), SOURCES)
def test_both_show_the_same_columns(pair: Pair, content: Any, places: list[Path], source: Source) -> None:
    pair.put(PRESS if source is Source.DEVICES else ARM, content)
    pair.agree(Query(source, tuple(Column(f"c{number}", place) for number, place in enumerate(places))))
