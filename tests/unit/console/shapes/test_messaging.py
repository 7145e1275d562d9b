"""Tests of console/shapes/messaging.py."""

import pytest
from pydantic import ValidationError

from ironhub.console.shapes.messaging import MethodTaken, NewCommand, TwinGiven
from ironhub.core.errors import InvalidArgument
from ironhub.core.ids import identity
from ironhub.messaging.commands.model import CommandDraft
from ironhub.messaging.methods.model import MethodCall
from ironhub.twins.model import Section, Twin, etag_of


def test_a_command_without_a_body_is_empty() -> None:
    assert NewCommand().draft(now=5.0) == CommandDraft(body=b"")


def test_a_command_expires_so_many_seconds_from_now() -> None:
    assert NewCommand(body="é", ttl=10).draft(now=5.0) == CommandDraft(body="é".encode(), expires_at=15.0)


@pytest.mark.parametrize("new", [NewCommand(body="a", body_base64="YQ=="), NewCommand(body_base64="!")])
def test_a_body_is_text_or_base64(new: NewCommand) -> None:
    with pytest.raises(InvalidArgument):
        new.draft(now=0.0)


def test_a_command_lives_longer_than_no_time() -> None:
    with pytest.raises(ValidationError):
        NewCommand(ttl=0)


def test_a_method_without_a_payload_sends_null() -> None:
    assert MethodTaken(name="m").call() == MethodCall(name="m", payload=b"null")


def test_a_twin_is_given_with_its_etag_and_without_metadata() -> None:
    twin = Twin(identity("d"), version=7, reported=Section(3, {"a": 1}, {"a": {"$lastUpdated": 0.0}}))
    given = TwinGiven.of(twin)
    assert (given.version, given.etag, given.reported.version, given.reported.properties) == (
        7,
        etag_of(twin),
        3,
        {"a": 1},
    )
    assert "$lastUpdated" not in given.model_dump_json()
