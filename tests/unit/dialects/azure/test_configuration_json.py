import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ironhub.core.errors import InvalidArgument
from ironhub.core.strict_json import JsonInvalid
from ironhub.dialects.azure.configuration_json import (
    Asked,
    decode_configuration,
    decode_contents,
    decode_test,
    encode_configuration,
    encode_content,
    encode_verdicts,
)
from ironhub.dialects.azure.identity_json import IdMismatch
from ironhub.twins.configurations.errors import ConfigurationContentInvalid, ConfigurationSchemaUnknown
from ironhub.twins.configurations.model import (
    Configuration,
    ConfigurationDraft,
    Content,
    ContentKind,
    Results,
    Write,
)
from ironhub.twins.configurations.service import Verdicts

NOON = 1_769_860_800.0
DEVICE = Content(ContentKind.DEVICE, (Write(("fan", "speed"), {"n": 1}), Write((), {"a": 2})))
MODULE = Content(ContentKind.MODULE, (Write(("m",), None),))
EDGE = Content(ContentKind.EDGE, (Write((), {"modules": {}}, "$edgeAgent"), Write(("routes",), {}, "$edgeHub")))
ON_THE_WIRE: list[tuple[Content, dict[str, Any]]] = [
    (DEVICE, {"deviceContent": {"properties.desired.fan.speed": {"n": 1}, "properties.desired": {"a": 2}}}),
    (MODULE, {"moduleContent": {"properties.desired.m": None}}),
    (
        EDGE,
        {
            "modulesContent": {
                "$edgeAgent": {"properties.desired": {"modules": {}}},
                "$edgeHub": {"properties.desired.routes": {}},
            }
        },
    ),
]
SPEED = Configuration(
    id="speed",
    etag="e=",
    created_at=NOON,
    updated_at=NOON + 1,
    content=DEVICE,
    target="tags.hall = 'b'",
    priority=3,
    labels={"by": "plant"},
    metrics={"slow": "SELECT deviceId FROM devices"},
    results=Results(NOON, 5, 4, 0, 0, {"slow": 2}),
)


def decoded(body: Any) -> ConfigurationDraft:
    return decode_configuration(json.dumps(body).encode(), "speed")


@pytest.mark.parametrize(("content", "wire"), ON_THE_WIRE)
def test_each_kind_of_content_comes_back_as_it_was_sent(content: Content, wire: dict[str, Any]) -> None:
    assert decoded({"content": wire}).content == content
    assert encode_content(content) == wire
    all_named = {"deviceContent": {}, "modulesContent": None, "moduleContent": {}} | wire
    assert decoded({"content": all_named}).content == content


def test_a_configuration_is_shown_with_its_results() -> None:
    assert encode_configuration(SPEED) == {
        "id": "speed",
        "schemaVersion": "1.0",
        "labels": {"by": "plant"},
        "content": ON_THE_WIRE[0][1],
        "targetCondition": "tags.hall = 'b'",
        "createdTimeUtc": "2026-01-31T12:00:00.0000000Z",
        "lastUpdatedTimeUtc": "2026-01-31T12:00:01.0000000Z",
        "priority": 3,
        "systemMetrics": {
            "results": {"targetedCount": 5, "appliedCount": 4},
            "queries": {
                "targetedCount": "SELECT deviceId FROM devices WHERE tags.hall = 'b'",
                "appliedCount": "SELECT deviceId FROM devices WHERE configurations.[[speed]].status = 'Applied'",
            },
        },
        "metrics": {"results": {"slow": 2}, "queries": {"slow": "SELECT deviceId FROM devices"}},
        "etag": "e=",
    }


def test_a_deployment_shows_what_devices_say_of_it() -> None:
    edge = replace(SPEED, content=EDGE, results=Results(NOON, 5, 4, 3, 1))
    assert encode_configuration(edge)["systemMetrics"]["results"] == {
        "targetedCount": 5,
        "appliedCount": 4,
        "reportedSuccessfulCount": 3,
        "reportedFailedCount": 1,
    }
    assert encode_configuration(replace(edge, results=None))["systemMetrics"]["results"]["appliedCount"] == 0


def test_what_is_shown_can_be_sent_back() -> None:
    draft = decoded(encode_configuration(SPEED))
    assert draft == ConfigurationDraft(
        content=DEVICE,
        target=SPEED.target,
        priority=3,
        labels=SPEED.labels,
        metrics=SPEED.metrics,
        schema_version="1.0",
    )
    assert decoded({}) == decoded({"id": "speed", "etag": "*", "labels": None, "metrics": {}}) == ConfigurationDraft()


@pytest.mark.parametrize(
    ("error", "body"),
    [
        (IdMismatch, {"id": "other"}),
        (ConfigurationSchemaUnknown, {"schemaVersion": "3.0"}),
        (InvalidArgument, {"schemaVersion": 1}),
        (InvalidArgument, {"priority": "1"}),
        (InvalidArgument, {"priority": 1.5}),
        (InvalidArgument, {"priority": True}),
        (InvalidArgument, {"labels": []}),
        (InvalidArgument, {"labels": {"a": 1}}),
        (InvalidArgument, {"targetCondition": {}}),
        (InvalidArgument, {"metrics": []}),
        (InvalidArgument, {"metrics": {"queries": {"a": 1}}}),
        (InvalidArgument, {"content": []}),
        (ConfigurationContentInvalid, {"content": {}}),
        (ConfigurationContentInvalid, {"content": {"deviceContent": {}, "moduleContent": None}}),
        (ConfigurationContentInvalid, {"content": ON_THE_WIRE[0][1] | ON_THE_WIRE[1][1]}),
        (ConfigurationContentInvalid, {"content": {"deviceContent": []}}),
        (ConfigurationContentInvalid, {"content": {"deviceContent": {"tags.x": 1}}}),
        (ConfigurationContentInvalid, {"content": {"deviceContent": {"properties.desiredx": 1}}}),
        (ConfigurationContentInvalid, {"content": {"deviceContent": {"properties.reported.x": 1}}}),
        (ConfigurationContentInvalid, {"content": {"modulesContent": {"$edgeAgent": {}}}}),
        (ConfigurationContentInvalid, {"content": {"modulesContent": {"$edgeAgent": 1}}}),
    ],
)
def test_what_cannot_be_is_refused(error: type[Exception], body: Any) -> None:
    with pytest.raises(error):
        decoded(body)


def test_contents_for_one_device_may_be_of_several_kinds() -> None:
    both = ON_THE_WIRE[0][1] | ON_THE_WIRE[2][1]
    assert decode_contents(json.dumps(both).encode()) == [DEVICE, EDGE]
    assert decode_contents(b"{}") == []


def test_what_is_tried_and_what_is_wrong_with_it() -> None:
    body = {"targetCondition": "*", "customMetricQueries": {"a": "SELECT"}}
    assert decode_test(json.dumps(body).encode()) == Asked("*", {"a": "SELECT"})
    assert decode_test(b"{}") == Asked(None, {})
    shown = {"targetConditionError": "bad", "customMetricQueryErrors": {"a": "worse"}}
    assert encode_verdicts(Verdicts("bad", {"a": "worse"})) == shown


@given(
    st.binary(max_size=40) | st.dictionaries(st.text(max_size=20), st.integers()).map(lambda v: json.dumps(v).encode())
)
def test_any_body_is_decoded_or_refused(data: bytes) -> None:
    try:
        decode_configuration(data, "speed")
    except (JsonInvalid, InvalidArgument, IdMismatch, ConfigurationSchemaUnknown, ConfigurationContentInvalid):
        return
