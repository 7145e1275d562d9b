"""Feedback over REST."""

import json

import pytest
from tests.fakes.azure_api import PRESS, AzureApi, refused

from ironhub.heads.http.azure.feedback import FeedbackCalls
from ironhub.heads.http.messages import Response
from ironhub.messaging.commands.feedback import FeedbackReader
from ironhub.messaging.commands.model import Ack, CommandDraft

PATH = "/messages/serviceBound/feedback"


@pytest.fixture
async def api() -> AzureApi:
    return AzureApi(
        lambda api: [FeedbackCalls(FeedbackReader(api.stores.commands, api.hub.bus, api.clock, api.entropy))]
    )


async def ended(api: AzureApi, message_id: str) -> None:
    draft = CommandDraft(body=b"", ack=Ack.FULL)
    await api.stores.commands.add_command(PRESS, draft, message_id=message_id, now=0.0, expires_at=1.0, max_pending=9)
    await api.stores.commands.purge_commands(PRESS, now=api.clock.now())


def lock_of(response: Response) -> str:
    return dict(response.headers)["ETag"].strip('"')


async def test_feedback_is_received_abandoned_and_completed(api: AzureApi) -> None:
    await api.create()
    assert (await api.call("GET", PATH)).status == 204
    await ended(api, "m1")
    for verb, path in (("POST", "{}/abandon"), ("DELETE", "{}")):
        response = await api.call("GET", PATH, policy="service")
        assert (response.status, response.content_type) == (200, "application/vnd.microsoft.iothub.feedback.json")
        assert [record["originalMessageId"] for record in json.loads(response.body)] == ["m1"]
        assert (await api.call(verb, f"{PATH}/{path.format(lock_of(response))}")).status == 204
    assert (await api.call("GET", PATH)).status == 204
    assert refused(await api.call("DELETE", f"{PATH}/gone")) == (412, "DeviceMessageLockLost")


async def test_who_may_not_read_feedback_gets_none(api: AzureApi) -> None:
    for method, path in (("GET", PATH), ("DELETE", f"{PATH}/x"), ("POST", f"{PATH}/x/abandon")):
        assert refused(await api.call(method, path, policy="reader"))[0] == 401
