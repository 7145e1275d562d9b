"""Every error of the hub has a number and a name that the vendor's clients know."""

import importlib
import json
import pkgutil
from collections.abc import Iterator
from typing import ClassVar

import pytest
from tests.fakes.clock import START, FakeEntropy

import ironhub
from ironhub.access.model import PermissionDenied
from ironhub.core.errors import HubError
from ironhub.dialects.azure.errors import (
    BY_CODE,
    BY_STATUS,
    AzureError,
    azure_error,
    device_error_body,
    error_body,
    tracking_id,
)
from ironhub.messaging.methods.model import DeviceNotOnline, MethodTimeout
from ironhub.registry.model import DeviceNotFound
from ironhub.twins.model import TwinInvalid


def every_error(kind: type[HubError] = HubError) -> Iterator[type[HubError]]:
    for below in kind.__subclasses__():
        if below.__module__.startswith("ironhub."):
            yield below
        yield from every_error(below)


BELOW = ("core", "identity", "access", "registry", "twins", "pki", "messaging", "dialects")
"""The packages whose errors a request can meet on its way."""


@pytest.fixture(scope="module", autouse=True)
def _every_error_is_defined() -> None:
    for package in BELOW:
        path = [f"{root}/{package}" for root in ironhub.__path__]
        for module in pkgutil.walk_packages(path, f"ironhub.{package}."):
            importlib.import_module(module.name)


def test_every_error_of_the_hub_is_told_by_a_code_of_its_kind() -> None:
    for kind in every_error():
        assert kind.code in BY_CODE or kind.status in BY_STATUS, kind
        told = BY_CODE.get(kind.code) or BY_STATUS[kind.status]
        assert told.status // 100 == kind.status // 100, kind


def test_names_and_numbers_belong_together() -> None:
    names: dict[int, str] = {}
    for told in [*BY_CODE.values(), *BY_STATUS.values()]:
        assert names.setdefault(told.number, told.name) == told.name


def test_a_missing_right_is_an_unauthorized_access_for_this_vendor() -> None:
    assert azure_error(PermissionDenied("no")) == AzureError(401002, "IotHubUnauthorizedAccess")
    assert azure_error(PermissionDenied("no")).status == 401


def test_an_error_nobody_knows_is_told_by_its_status_and_at_worst_as_ours() -> None:
    class Odd(HubError):
        code: ClassVar[str] = "odd.one"
        status: ClassVar[int] = 429

    class Odder(Odd):
        status: ClassVar[int] = 418

    assert azure_error(Odd("x")).name == "ThrottlingException"
    assert azure_error(Odder("x")).name == "ServerError"


def test_a_tracking_id_is_new_each_time() -> None:
    entropy = FakeEntropy()
    first, second = tracking_id(entropy, START), tracking_id(entropy, START)
    assert first != second
    assert first.endswith("-G:0-TimeStamp:05/28/2026 20:26:40")
    assert len(first.partition("-")[0]) == 32


def test_the_plain_shape_names_the_error_where_node_looks_for_it() -> None:
    body = json.loads(error_body(DeviceNotFound("press-7 is not registered"), "abc", START))
    assert body == {
        "Message": f"ErrorCode:DeviceNotFound;press-7 is not registered. {DeviceNotFound.next_step}",
        "ExceptionMessage": "Tracking ID:abc",
    }


def test_a_method_that_found_nobody_tells_how_long_it_waited() -> None:
    body = json.loads(error_body(DeviceNotOnline("not there", waited=3723.9), "abc", START))
    assert body["ExceptionMessage"] == ""
    assert json.loads(body["Message"]) == {
        "errorCode": 404103,
        "trackingId": "abc",
        "message": f"not there. {DeviceNotOnline.next_step}",
        "info": {"timeout": "01:02:03"},
        "timestampUtc": "2026-05-28T20:26:40.0000000Z",
    }


def test_a_method_that_got_no_answer_has_the_same_shape() -> None:
    inner = json.loads(json.loads(error_body(MethodTimeout("slow"), "abc", START))["Message"])
    assert (inner["errorCode"], inner["info"]) == (504101, {})


def test_a_device_finds_the_error_code_in_the_answer_to_its_twin_request() -> None:
    body = json.loads(device_error_body(TwinInvalid("too deep"), "abc", START))
    assert body["errorCode"] == 400004
    assert set(body) == {"errorCode", "trackingId", "message", "timestampUtc"}
