"""tools/azure_rest.py and tools/azure_calls.py: the description is of what is served, no more and no less."""

import json
from typing import Any

import pytest
from tools.azure_calls import CALLS, SCHEMAS
from tools.azure_rest import Undescribed, document, shown_path
from tools.azure_routes import served_routes

from ironhub.heads.http.azure.calls import Call, Route
from ironhub.heads.http.messages import Response

ROUTES = served_routes()


async def nothing(call: Call) -> Response:
    raise AssertionError(call)


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return document(ROUTES)


def test_the_paths_are_the_routes(described: dict[str, Any]) -> None:
    shown = {(method.upper(), path) for path, methods in described["paths"].items() for method in methods}
    assert shown == {(route.method, shown_path(route)) for route in ROUTES}
    assert len(shown) > 40


def test_nothing_is_described_that_is_not_served() -> None:
    assert sorted(CALLS.keys() - {f"{route.method} {shown_path(route)}" for route in ROUTES}) == []


def test_a_route_that_nobody_described_is_an_error() -> None:
    with pytest.raises(Undescribed, match="GET /secrets"):
        document([*ROUTES, Route("GET", "/secrets", nothing)])


def test_every_call_has_a_name_of_its_own_and_says_whose_it_is(described: dict[str, Any]) -> None:
    calls = [operation for methods in described["paths"].values() for operation in methods.values()]
    assert len({call["operationId"] for call in calls}) == len(calls)
    schemes = described["components"]["securitySchemes"]
    for call in calls:
        assert [set(each) <= schemes.keys() for each in call["security"]] == [True]
        assert call["summary"]
        assert {"400", "401", "404"} <= call["responses"].keys()


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    text = json.dumps(described)
    for part in text.split('"#/components/schemas/')[1:]:
        assert part.partition('"')[0] in SCHEMAS


def test_what_was_made_can_be_followed(described: dict[str, Any]) -> None:
    links = described["paths"]["/devices/{device}"]["put"]["responses"]["200"]["links"]
    assert {"getDevice", "deleteDevice", "getTwin", "invokeMethod"} <= links.keys()
    assert links["getDevice"]["parameters"] == {"device": "$response.body#/deviceId"}
