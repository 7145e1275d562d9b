from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ironhub.dialects.azure.configuration_queries import AzureConditions, system_queries
from ironhub.dialects.azure.query import parse_condition, parse_query
from ironhub.twins.configurations.errors import ConfigurationMetricInvalid, ConfigurationTargetInvalid
from ironhub.twins.configurations.model import Configuration, Content, ContentKind, Target, Write
from ironhub.twins.queries.model import ALWAYS, Source

READER = AzureConditions()
SPEED = Configuration(
    id="speed", etag="e", created_at=1.0, updated_at=1.0, content=Content(ContentKind.DEVICE, (Write(("a",), 1),))
)


@pytest.mark.parametrize(
    ("text", "source", "condition"),
    [
        ("*", Source.DEVICES, None),
        ("FROM devices", Source.DEVICES, None),
        ("from devices.modules", Source.MODULES, None),
        (" FROM devices.modules WHERE *", Source.MODULES, None),
        ("tags.hall = 'b'", Source.DEVICES, "tags.hall = 'b'"),
        ("FROM devices WHERE tags.hall = 'b'", Source.DEVICES, "tags.hall = 'b'"),
        ("From Devices.Modules\nWhere(moduleId = 'arm')", Source.MODULES, "moduleId = 'arm'"),
    ],
)
def test_a_condition_says_who_is_targeted(text: str, source: Source, condition: str | None) -> None:
    wanted = ALWAYS if condition is None else parse_condition(condition, source)
    assert READER.target(text) == Target(source, wanted)


@pytest.mark.parametrize("text", ["", "tags.", "SELECT * FROM devices", "FROM devices.jobs", "FROM devices WHERE", "'"])
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationTargetInvalid):
        READER.target(text)


def test_an_error_names_the_column_of_the_text_as_it_was_written() -> None:
    with pytest.raises(ConfigurationTargetInvalid, match="column 36"):
        READER.target("FROM devices.modules WHERE tags.a =")


def test_a_metric_counts_who_is_selected() -> None:
    text = "SELECT deviceId, moduleId FROM devices.modules WHERE tags.a = 1"
    assert READER.metric(text) == Target(Source.MODULES, parse_query(text).condition)
    assert READER.metric("select DeviceId from devices") == Target(Source.DEVICES, ALWAYS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELECT * FROM devices",
        "SELECT tags.a FROM devices",
        "SELECT COUNT() AS n FROM devices",
        "SELECT deviceId, COUNT() AS n FROM devices GROUP BY deviceId",
        "SELECT TOP 5 deviceId FROM devices",
        "SELECT * FROM devices.jobs",
    ],
)
def test_what_is_no_metric_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationMetricInvalid):
        READER.metric(text)


@pytest.mark.parametrize("kind", ContentKind)
@pytest.mark.parametrize("target", ["", "*", "tags.a = 1 OR tags.b = 2", "FROM devices.modules WHERE tags.a = 1"])
@pytest.mark.parametrize("name", ["speed", "a-:+%_#*?!(),=@;$'"])
def test_the_queries_of_system_metrics_can_be_asked(kind: ContentKind, target: str, name: str) -> None:
    configuration = replace(SPEED, id=name, target=target, content=replace(SPEED.content, kind=kind))
    queries = system_queries(configuration)
    assert set(queries) >= {"targetedCount", "appliedCount"}
    for text in queries.values():
        READER.metric(text)


def test_a_deployment_is_for_edge_devices_that_meet_the_condition() -> None:
    edge = replace(SPEED, target="tags.a = 1 OR tags.b = 2", content=replace(SPEED.content, kind=ContentKind.EDGE))
    targeted = "SELECT deviceId FROM devices WHERE capabilities.iotEdge = true AND (tags.a = 1 OR tags.b = 2)"
    assert system_queries(edge)["targetedCount"] == targeted


def test_reports_of_a_deployment_are_told_apart() -> None:
    good, bad = READER.reports("speed")
    assert good.source is bad.source is Source.MODULES
    assert good.condition != bad.condition


WORDS = ["FROM", "devices", ".modules", "WHERE", "tags.a", "=", "1", "'b'", "(", ")", "*", "SELECT", "deviceId"]


@given(st.text(max_size=40) | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_any_text_is_understood_or_refused(text: str) -> None:
    for read, refusal in ((READER.target, ConfigurationTargetInvalid), (READER.metric, ConfigurationMetricInvalid)):
        with suppress(refusal):
            assert read(text).source in (Source.DEVICES, Source.MODULES)
