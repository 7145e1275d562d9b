from dataclasses import replace

import pytest

from ironhub.core.errors import CorruptStore
from ironhub.core.ids import identity
from ironhub.storage.sqlite.configuration_rows import (
    configuration_of,
    configuration_values,
    progress_of,
    progress_text,
    results_text,
)
from ironhub.storage.sqlite.statements import names
from ironhub.storage.sqlite.tables import CONFIGURATIONS
from ironhub.twins.configurations.model import Configuration, Content, ContentKind, Progress, Results, Write

MADE = Configuration(
    id="vision",
    etag="e",
    created_at=1.5,
    updated_at=2.5,
    content=Content(ContentKind.EDGE, (Write((), {"a": None}, "one"), Write(("b", "c"), [1], "two"))),
    target="*",
    priority=3,
    labels={"by": "plant"},
    metrics={"m": "SELECT"},
    schema_version="2.0",
    results=Results(3.5, 4, 3, 2, 1, {"m": 7}),
)


@pytest.mark.parametrize("made", [MADE, replace(MADE, results=None)])
def test_a_configuration_survives_its_row(made: Configuration) -> None:
    values = configuration_values(made)
    assert configuration_of(tuple(values[name] for name in names(CONFIGURATIONS))) == made


@pytest.mark.parametrize(
    "change", [{"document": "["}, {"document": "{}"}, {"document": '{"kind": "x"}'}, {"results": '{"x": 1}'}]
)
def test_a_row_that_cannot_be_is_named(change: dict[str, str]) -> None:
    values = configuration_values(MADE) | change
    with pytest.raises(CorruptStore, match="vision"):
        configuration_of(tuple(values[name] for name in names(CONFIGURATIONS)))


@pytest.mark.parametrize("after", [None, identity("press-7"), identity("press-7", "arm")])
def test_progress_survives_its_row(after: object) -> None:
    progress = Progress(after, {"a": 1.5}, {"a": 2}, {"a": 1})  # type: ignore[arg-type]  # parametrised
    assert progress_of(progress_text(progress)) == progress


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"after": ["a", "b", "c"]}', '{"after": null, "x": 1}'])
def test_progress_that_cannot_be_is_named(text: str) -> None:
    with pytest.raises(CorruptStore, match="progress"):
        progress_of(text)


def test_results_are_json() -> None:
    assert results_text(Results(1.0)).startswith('{"at":1.0')
