"""Tests of console/description.py: what the admin API says of itself is complete."""

from typing import Any

import pytest

from ironhub.console.api import admin_document
from ironhub.console.description import operations, refusals
from ironhub.core.errors import InvalidArgument, Unavailable
from ironhub.core.ids import InvalidId


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return admin_document()


def test_errors_are_told_by_status_with_their_codes() -> None:
    told = refusals(InvalidArgument, Unavailable, InvalidId)
    assert {status: response["x-codes"] for status, response in told.items()} == {
        400: ["argument.invalid", "id.invalid"],
        503: ["hub.unavailable"],
    }
    assert "`id.invalid`: An id has a length" in told[400]["description"]


def test_it_is_openapi_three_one_with_a_version_and_a_licence(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["version"] == "1"
    assert document["info"]["license"]["identifier"] == "Apache-2.0"
    assert all(path.startswith("/api/v1/") for path in document["paths"])


def test_every_call_has_a_name_of_its_own_words_a_tag_and_wants_the_token(document: dict[str, Any]) -> None:
    calls = list(operations(document))
    assert len({operation["operationId"] for _, _, operation in calls}) == len(calls) > 30
    tags = {tag["name"] for tag in document["tags"]}
    for method, path, operation in calls:
        assert operation["description"], (method, path)
        assert set(operation["tags"]) <= tags, (method, path)
        assert operation["security"] == [{"HTTPBearer": []}], (method, path)


def test_every_refusal_names_its_codes_and_none_is_422(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        assert {"400", "401", "413", "503"} <= set(operation["responses"]), (method, path)
        assert "422" not in operation["responses"], (method, path)
        for status, response in operation["responses"].items():
            if status >= "400":
                schema = response["content"]["application/json"]["schema"]
                assert schema["allOf"][0] == {"$ref": "#/components/schemas/ErrorAnswer"}
                assert schema["allOf"][1]["properties"]["error"]["properties"]["code"]["enum"], (method, path)
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_parameter_is_explained(document: dict[str, Any]) -> None:
    silent = {
        f"{method} {path} {parameter['name']}"
        for method, path, operation in operations(document)
        for parameter in operation.get("parameters", ())
        if not parameter.get("description")
    }
    assert silent == set()


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for method, path, operation in operations(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
            assert not name or schemas[name].get("examples"), (method, path)


def test_what_was_made_can_be_read_changed_and_deleted(document: dict[str, Any]) -> None:
    links = document["paths"]["/api/v1/devices"]["post"]["responses"]["201"]["links"]
    assert {"read_device", "change_device", "delete_device", "read_twin", "send_command"} <= set(links)
    assert links["read_device"]["parameters"] == {"device_id": "$response.body#/device_id"}
    links = document["paths"]["/api/v1/authorities"]["post"]["responses"]["201"]["links"]
    assert "roll_policy" not in links
    assert "delete_authority" in links


def test_an_id_in_a_path_says_what_it_may_be(document: dict[str, Any]) -> None:
    (parameter, *_) = document["paths"]["/api/v1/devices/{device_id}"]["get"]["parameters"]
    assert parameter["schema"]["maxLength"] == 128
    assert parameter["example"] == "press-7"
