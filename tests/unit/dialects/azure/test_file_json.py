"""The upload handshake as the Python, Node and C SDKs write and read it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.clock import START

from ironhub.core.errors import HubError, InvalidArgument
from ironhub.core.ids import identity
from ironhub.dialects.azure.file_json import (
    decode_blob_name,
    decode_outcome,
    encode_offer,
    notification_json,
)
from ironhub.messaging.files.model import FileNotice, Offer, Outcome, Upload

PRESS = identity("press-7")


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_the_name_of_a_file() -> None:
    assert decode_blob_name(encoded({"blobName": "log/a.txt", "more": 1})) == "log/a.txt"
    for given_ in ({}, {"blobName": 7}, {"blobName": ""}):
        with pytest.raises(InvalidArgument):
            decode_blob_name(encoded(given_))


def test_an_offer_has_exactly_five_keys_and_a_token_that_begins_with_a_question_mark() -> None:
    upload = Upload(
        correlation_id="c1", identity=PRESS, host="hub:8443", container="uploads", blob="press-7/a",
        created_at=START, expires_at=START + 1,
    )  # fmt: skip
    assert json.loads(encode_offer(Offer(upload, "sv=1&sig=2"))) == {
        "correlationId": "c1",
        "hostName": "hub:8443",
        "containerName": "uploads",
        "blobName": "press-7/a",
        "sasToken": "?sv=1&sig=2",
    }


@pytest.mark.parametrize(
    ("body", "path", "found"),
    [
        ({"correlationId": "c1", "isSuccess": True, "statusCode": 200, "statusDescription": "ok"}, None, (200, "ok")),
        ({"isSuccess": True, "statusCode": 201}, "c1", (201, "")),
        ({"correlationId": "other", "isSuccess": True, "statusCode": "204"}, "c1", (204, "")),
        ({"isSuccess": True, "statusCode": None, "statusDescription": None}, "c1", (0, "")),
        ({"isSuccess": True, "statusCode": "x" * 50, "statusDescription": 7}, "c1", (0, "7")),
    ],
)
def test_the_outcome_with_its_id_in_the_body_or_the_path(
    body: dict[str, Any], path: str | None, found: tuple[int, str]
) -> None:
    assert decode_outcome(encoded(body), path) == ("c1", Outcome(True, *found))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"correlationId": "c1"},
        {"correlationId": "c1", "isSuccess": "true"},
        {"correlationId": "", "isSuccess": True},
        {"correlationId": "c" * 600, "isSuccess": True},
        {"correlationId": 7, "isSuccess": True},
        {"correlationId": "c1", "isSuccess": True, "statusCode": True},
        {"correlationId": "c1", "isSuccess": True, "statusCode": {}},
    ],
)
def test_what_is_no_outcome(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        decode_outcome(encoded(body), None)


@given(
    st.binary(max_size=100) | st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists).map(encoded)
)
def test_any_body_is_an_outcome_or_refused(body: bytes) -> None:
    try:
        decode_outcome(body, "c1")
    except HubError:
        return


def test_a_notification_as_back_ends_read_it() -> None:
    notice = FileNotice(
        identity=PRESS, blob="press-7/a", uri="https://hub/uploads/press-7/a", size=5,
        modified_at=START + 0.5, enqueued_at=START + 1.25, expires_at=START + 60,
    )  # fmt: skip
    assert notification_json(notice) == {
        "deviceId": "press-7",
        "blobUri": "https://hub/uploads/press-7/a",
        "blobName": "press-7/a",
        "lastUpdatedTime": "2026-05-28T20:26:40+00:00",
        "blobSizeInBytes": 5,
        "enqueuedTimeUtc": "2026-05-28T20:26:41.2500000Z",
    }
