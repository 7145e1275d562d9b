"""Telemetry in and commands out over HTTPS, request by request."""

import json
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import pytest
from tests.fakes.azure_api import ARM, PRESS, AzureApi, header, refused
from tests.fakes.grants import by_operator

from ironhub.access.model import Permission
from ironhub.core.errors import Unavailable
from ironhub.core.ids import Identity, identity
from ironhub.heads.http.azure.device_messages import MAX_AT_ONCE
from ironhub.heads.http.messages import Response
from ironhub.messaging.commands.model import Ack, CommandDraft, CommandSettings, Outcome
from ironhub.messaging.telemetry.model import MAX_MESSAGE, Entry
from ironhub.messaging.telemetry.ports import Stored

EVENTS = "/devices/press-7/messages/events"
WAITING = "/devices/press-7/messages/devicebound"
BATCH = {"Content_Type": "application/vnd.microsoft.iothub.json"}


@pytest.fixture
async def api(api: AzureApi) -> AzureApi:
    """With a device and its module."""
    await api.create()
    await api.create(module="arm")
    return api


async def queue(api: AzureApi, *bodies: bytes, who: Identity = PRESS, **fields: Any) -> None:
    """Queue commands that want feedback."""
    for body in bodies:
        grant = by_operator(Permission.COMMAND_SEND, who)
        await api.commands.send(grant, CommandDraft(body=body, ack=Ack.FULL, **fields))


async def outcomes(api: AzureApi) -> list[Outcome]:
    """What became of them."""
    grant = by_operator(Permission.FEEDBACK_READ)
    return [feedback.outcome for feedback in await api.commands.feedback(grant, after=0, limit=99)]


async def receive(api: AzureApi, who: Identity = PRESS) -> tuple[Response, str]:
    """Fetch a command; returns the answer and its lock."""
    base = "/devices/press-7" if who.module_id is None else "/devices/press-7/modules/arm"
    response = await api.call_as(who, "GET", f"{base}/messages/deviceBound?api-version=2021-04-12")
    etag = header(response, "ETag") or '""'
    assert etag[0] == etag[-1] == '"'
    return response, etag[1:-1]


def is_done(response: Response) -> bool:
    return (response.status, response.body) == (204, b"")


async def test_telemetry_is_stored_with_its_properties_before_it_is_answered(api: AzureApi) -> None:
    headers = {"iothub_to": EVENTS, "IoTHub_MessageId": "m1", "iothub_contenttype": "application/json"}
    response = await api.call_as(
        PRESS, "POST", f"{EVENTS}?api-version=2021-04-12", b'{"t":20}', **headers, iothub_app_Line="a/b"
    )
    assert is_done(response)
    (event,) = await api.stored()
    assert event.body == b'{"t":20}'
    assert event.properties == {"message-id": "m1", "content-type": "application/json"}
    assert event.application == {"Line": "a/b"}
    assert event.annotations["iothub-connection-device-id"] == "press-7"
    assert event.annotations["iothub-message-source"] == "Telemetry"
    assert json.loads(event.annotations["iothub-connection-auth-method"])["type"] == "sas"


async def test_a_module_sends_under_its_own_name(api: AzureApi) -> None:
    assert is_done(await api.call_as(ARM, "POST", "/devices/press-7/modules/arm/messages/events", b"x"))
    (event,) = await api.stored()
    assert event.annotations["iothub-connection-module-id"] == "arm"


async def test_a_batch_is_stored_message_by_message_in_order(api: AzureApi) -> None:
    items = [
        {"body": b64encode(b"1").decode(), "properties": {"iothub-app-n": "1"}},
        {"body": b64encode(b"2").decode()},
    ]
    assert is_done(await api.call_as(PRESS, "POST", EVENTS, json.dumps(items).encode(), **BATCH))
    assert [(event.body, event.application) for event in await api.stored()] == [(b"1", {"n": "1"}), (b"2", {})]


async def test_an_empty_batch_stores_nothing(api: AzureApi) -> None:
    assert is_done(await api.call_as(PRESS, "POST", EVENTS, b"[]", **BATCH))
    assert await api.stored() == []


async def test_a_batch_with_one_bad_message_stores_nothing(api: AzureApi) -> None:
    response = await api.call_as(PRESS, "POST", EVENTS, b'[{"body":""},{"body":1}]', **BATCH)
    assert refused(response) == (400, "ArgumentInvalid")
    response = await api.call_as(PRESS, "POST", EVENTS, b"[", **BATCH)
    assert refused(response) == (400, "DeserializationError")
    assert await api.stored() == []


async def test_a_message_and_a_batch_are_bounded_properties_included(api: AzureApi) -> None:
    assert is_done(await api.call_as(PRESS, "POST", EVENTS, b"x" * MAX_MESSAGE))
    too_large = await api.call_as(PRESS, "POST", EVENTS, b"x" * (MAX_MESSAGE - 5), iothub_app_n="1")
    assert refused(too_large) == (413, "MessageTooLarge")
    half = {"body": "x" * (MAX_MESSAGE // 2 + 1), "base64Encoded": False}
    too_large = await api.call_as(PRESS, "POST", EVENTS, json.dumps([half, half]).encode(), **BATCH)
    assert refused(too_large) == (413, "MessageTooLarge")
    assert len(await api.stored()) == 1


async def test_a_large_batch_is_decoded_beside_the_loop(api: AzureApi) -> None:
    texts = [f'{{"n": {number}, "body": "{{"}}' for number in range(1000)]
    body = json.dumps([{"body": text, "base64Encoded": False} for text in texts]).encode()
    assert len(body) > MAX_AT_ONCE
    assert is_done(await api.call_as(PRESS, "POST", EVENTS, body, **BATCH))
    assert [event.body for event in await api.stored()] == [text.encode() for text in texts]
    bomb = b"[" + b"{}," * 100_000 + b"{}]"
    assert refused(await api.call_as(PRESS, "POST", EVENTS, bomb, **BATCH)) == (400, "ArgumentInvalid")


async def test_what_could_not_be_stored_is_not_acknowledged(api: AzureApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(partition: int, entries: Sequence[Entry], stored: Stored) -> None:
        stored(Unavailable("the disk is full"))
        stored(None)  # whatever comes later changes nothing

    monkeypatch.setattr(api.log, "append", full)
    assert refused(await api.call_as(PRESS, "POST", EVENTS, b"x")) == (503, "ServiceUnavailable")


async def test_a_command_is_received_and_completed(api: AzureApi) -> None:
    await queue(api, b"\x00stop", content_type="text/plain", properties={"Level": "1"})
    response, lock = await receive(api)
    assert (response.status, response.body, response.content_type) == (200, b"\x00stop", "application/octet-stream")
    assert (header(response, "iothub-app-Level"), header(response, "ContentType")) == ("1", "text/plain")
    assert is_done((await receive(api))[0])
    assert is_done(await api.call_as(PRESS, "DELETE", f"{WAITING}/{lock}?api-version=1", If_Match=lock))
    assert await outcomes(api) == [Outcome.SUCCESS]
    assert refused(await api.call_as(PRESS, "DELETE", f"{WAITING}/{lock}")) == (412, "DeviceMessageLockLost")


@pytest.mark.parametrize(
    ("query", "outcome"),
    [
        ("?api-version=1&reject", Outcome.REJECTED),
        ("?reject=", Outcome.REJECTED),
        ("?reject=true", Outcome.REJECTED),
        ("?Reject=True", Outcome.REJECTED),
        ("?reject=false", Outcome.SUCCESS),
        ("", Outcome.SUCCESS),
    ],
)
async def test_a_command_is_rejected_where_the_address_says_so(api: AzureApi, query: str, outcome: Outcome) -> None:
    await queue(api, b"stop")
    _, lock = await receive(api)
    assert is_done(await api.call_as(PRESS, "DELETE", f"{WAITING}/{lock}{query}", If_Match=f'"{lock}"'))
    assert await outcomes(api) == [outcome]


async def test_an_abandoned_command_comes_again_in_its_place(api: AzureApi) -> None:
    await queue(api, b"first", b"second")
    _, lock = await receive(api)
    assert is_done(await api.call_as(PRESS, "POST", f"{WAITING}/{lock}/abandon?api-version=1", If_Match=lock))
    again, second_lock = await receive(api)
    assert (again.body, header(again, "iothub-deliverycount")) == (b"first", "1")
    assert second_lock != lock
    assert refused(await api.call_as(PRESS, "POST", f"{WAITING}/{lock}/abandon")) == (412, "DeviceMessageLockLost")


async def test_a_lock_ends_by_itself_after_a_minute(api: AzureApi) -> None:
    await queue(api, b"stop")
    _, lock = await receive(api)
    api.clock.advance(CommandSettings().lock_duration + 1)
    assert refused(await api.call_as(PRESS, "DELETE", f"{WAITING}/{lock}")) == (412, "DeviceMessageLockLost")
    await api.stores.commands.expire_commands(now=api.clock.now(), max_delivery_count=10, limit=9)
    again, new_lock = await receive(api)
    assert (again.body, new_lock != lock) == (b"stop", True)


async def test_a_condition_that_names_another_lock_is_not_met(api: AzureApi) -> None:
    await queue(api, b"stop")
    _, lock = await receive(api)
    for etag in ('"other"', "other", ""):
        response = await api.call_as(PRESS, "DELETE", f"{WAITING}/{lock}", If_Match=etag)
        assert refused(response) == (412, "DeviceMessageLockLost")
    assert is_done(await api.call_as(PRESS, "DELETE", f"{WAITING}/{lock}", If_Match="*"))


async def test_nobody_settles_what_another_holds(api: AzureApi) -> None:
    await api.create("other")
    await queue(api, b"stop")
    _, lock = await receive(api)
    for who, base in ((identity("other"), "/devices/other"), (ARM, "/devices/press-7/modules/arm")):
        for method, path in (("DELETE", f"{lock}"), ("DELETE", f"{lock}?reject"), ("POST", f"{lock}/abandon")):
            response = await api.call_as(who, method, f"{base}/messages/devicebound/{path}")
            assert refused(response) == (412, "DeviceMessageLockLost")
    assert is_done(await api.call_as(PRESS, "DELETE", f"{WAITING}/{lock}"))


async def test_a_module_has_commands_of_its_own(api: AzureApi) -> None:
    await queue(api, b"wave", who=ARM)
    assert is_done((await receive(api))[0])
    response, lock = await receive(api, ARM)
    assert response.body == b"wave"
    path = f"/devices/press-7/modules/arm/messages/devicebound/{lock}"
    assert is_done(await api.call_as(ARM, "DELETE", path))


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", WAITING), ("POST", WAITING), ("GET", EVENTS), ("PUT", EVENTS), ("GET", f"{WAITING}/x")],
)
async def test_other_methods_are_told_apart(api: AzureApi, method: str, path: str) -> None:
    assert refused(await api.call_as(PRESS, method, path)) == (405, "GenericMethodNotAllowed")
