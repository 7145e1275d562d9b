"""Which address is served by whom."""

import pytest

from ironhub.heads.http.errors import MethodNotAllowed, RequestMalformed, RouteUnknown
from ironhub.heads.http.router import Match, Router, decode_query

ROUTER: Router[str] = Router(
    [
        ("GET", "/devices", "list"),
        ("GET", "/devices/{device}", "get"),
        ("PUT", "/devices/{device}", "put"),
        ("POST", "/devices/query", "query"),
        ("GET", "/devices/{device}/modules/{module}", "module"),
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "match"),
    [
        ("GET", "/devices", Match("list", {})),
        ("GET", "/devices/", Match("list", {})),
        ("GET", "/DEVICES/Press-7", Match("get", {"device": "Press-7"})),
        ("PUT", "/devices/a%20%2f%25b", Match("put", {"device": "a /%b"})),
        ("POST", "/devices/query", Match("query", {})),
        ("PUT", "/devices/query", Match("put", {"device": "query"})),
        ("GET", "/devices/d/Modules/%24edgeAgent/", Match("module", {"device": "d", "module": "$edgeAgent"})),
        ("GET", "/dev%69ces", Match("list", {})),
        ("GET", "/devices/%2e%2e", Match("get", {"device": ".."})),
    ],
)
def test_an_address_leads_to_its_handler(method: str, path: str, match: Match[str]) -> None:
    assert ROUTER.find(method, path) == match


@pytest.mark.parametrize(
    "path", ["/", "//", "/devices//", "//devices", "/devices//d", "/other", "/devices/d/x", "/a/b/c/d/e"]
)
def test_other_addresses_are_not_served(path: str) -> None:
    with pytest.raises(RouteUnknown):
        ROUTER.find("GET", path)


@pytest.mark.parametrize("path", ["/devices/%", "/devices/%zz", "/devices/a%2", "/devices/%ff"])
def test_a_broken_escape_is_refused(path: str) -> None:
    with pytest.raises(RequestMalformed):
        ROUTER.find("GET", path)


def test_another_method_is_told_which_are_allowed() -> None:
    with pytest.raises(MethodNotAllowed) as refusal:
        ROUTER.find("DELETE", "/devices/query")
    assert refusal.value.allow == ("GET", "POST", "PUT")
    with pytest.raises(MethodNotAllowed) as refusal:
        ROUTER.find("HEAD", "/devices")
    assert refusal.value.allow == ("GET",)


def test_parameters_are_decoded_once_and_the_first_counts() -> None:
    assert decode_query("Top=10&api-version=2021-04-12&top=11&x=%2541+%ff%") == {
        "top": "10",
        "api-version": "2021-04-12",
        "x": "%41+\ufffd%",
    }
    assert decode_query("") == {"": ""}


def test_the_rest_of_a_path_is_one_name() -> None:
    router: Router[str] = Router(
        [("GET", "/{box}", "box"), ("PUT", "/{box}/{blob*}", "put"), ("GET", "/devices/{device}", "device")]
    )
    assert router.find("GET", "/box") == ("box", {"box": "box"})
    assert router.find("PUT", "/Box/a/b%2Fc/%20") == ("put", {"box": "Box", "blob": "a/b/c/ "})
    with pytest.raises(MethodNotAllowed) as caught:
        router.find("GET", "/box/a")
    assert caught.value.allow == ("PUT",)
    with pytest.raises(RouteUnknown):
        router.find("PUT", "/box//a")


@pytest.mark.parametrize("path", ["/devices", "/DEVICES", "/devices/a/b", "/%64evices/a/b"])
def test_what_begins_like_another_address_is_no_name(path: str) -> None:
    router: Router[str] = Router(
        [("GET", "/{box}", "box"), ("GET", "/{box}/{blob*}", "blob"), ("GET", "/devices/{device}", "device")]
    )
    with pytest.raises(RouteUnknown):
        router.find("GET", path)
