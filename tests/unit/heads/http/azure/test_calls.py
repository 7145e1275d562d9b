"""What a call knows of its request, and what it may."""

import pytest
from tests.fakes.channel import FakeChannel
from tests.fakes.grants import device_principal

from ironhub.access.model import WHOLE_HUB, Permission, PermissionDenied
from ironhub.core.ids import InvalidId, identity
from ironhub.heads.http.azure.calls import Call, Door, Route, json_response
from ironhub.heads.http.messages import Head, Request, Response

PRESS = identity("press-7")


def call(query: str = "", values: dict[str, str] | None = None, *, if_match: str | None = None) -> Call:
    headers = {} if if_match is None else {"if-match": if_match}
    request = Request(Head("GET", "/", query, headers), b"", FakeChannel())
    return Call(device_principal(PRESS), request, {"device": "press-7"} if values is None else values)


def test_a_call_is_about_what_its_path_names() -> None:
    assert call().target == PRESS
    assert call(values={"device": "press-7", "module": "arm"}).target == identity("press-7", "arm")
    with pytest.raises(InvalidId):
        _ = call(values={"device": "a b"}).target


def test_a_condition_is_read_without_its_quotes() -> None:
    assert call().if_match is None
    assert call(if_match='"x"').if_match == "x"


def test_a_parameter_is_found_in_any_case_the_first_of_each() -> None:
    assert call("API-Version=1&reject&reject=2").query == {"api-version": "1", "reject": ""}


def test_a_call_may_what_its_principal_may() -> None:
    grant = call().may(Permission.TELEMETRY_SEND)
    assert (grant.permission, grant.target) == (Permission.TELEMETRY_SEND, PRESS)
    for permission, target in ((Permission.TELEMETRY_SEND, identity("other")), (Permission.REGISTRY_READ, WHOLE_HUB)):
        with pytest.raises(PermissionDenied):
            call().may(permission, target)


async def test_a_route_is_for_back_ends_unless_it_says_otherwise() -> None:
    async def answer(_: Call) -> Response:
        return Response(204)

    assert Route("GET", "/", answer).door is Door.SERVICE


def test_json_is_answered_with_its_etag_in_quotes() -> None:
    assert json_response({"a": 1}) == Response(200, b'{"a":1}')
    answer = json_response([], etag="x", status=202, headers=(("Y", "z"),))
    assert answer == Response(202, b"[]", (("ETag", '"x"'), ("Y", "z")))
