"""Requests as values."""

import pytest
from tests.fakes.channel import FakeChannel

from ironhub.heads.http.messages import DEFAULT_SETTINGS, JSON, Head, Request, Response
from ironhub.messaging.methods.service import MAX_TIMEOUT


def test_a_request_shows_no_secret() -> None:
    head = Head("GET", "/devices", "sig=s3cret", {"authorization": "SharedAccessSignature s3cret"})
    assert "s3cret" not in repr(Request(head, b"s3cret", FakeChannel()))


@pytest.mark.parametrize(
    ("headers", "announced"), [({}, 0), ({"content-length": "12"}, 12), ({"transfer-encoding": "chunked"}, None)]
)
def test_a_head_announces_its_body(headers: dict[str, str], announced: int | None) -> None:
    assert Head("PUT", "/", "", headers).announced == announced


def test_a_response_is_json_unless_it_says_otherwise() -> None:
    assert Response(200, b"{}").content_type == JSON


def test_an_answer_may_take_as_long_as_the_longest_method_call() -> None:
    assert DEFAULT_SETTINGS.answer_timeout > 2 * MAX_TIMEOUT
