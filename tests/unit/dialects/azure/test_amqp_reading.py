"""Messages of peers, opened."""

import pytest

from ironhub.dialects.azure.amqp_errors import link_error
from ironhub.dialects.azure.amqp_reading import (
    MessageMalformed,
    RequestHead,
    read_annotations,
    read_application,
    read_head,
    read_message,
    read_messages,
    read_properties,
)
from ironhub.wire.amqp import encode as e
from ironhub.wire.amqp.message import BATCH, MESSAGE, RawMessage
from ironhub.wire.amqp.sections import data_section, encode_message


def message(standard: bytes = b"", application: bytes = b"", annotations: bytes = b"") -> RawMessage:
    parts = {"properties": standard, "application_properties": application, "message_annotations": annotations}
    return read_message(encode_message(**parts, body=data_section(b"b")))


def test_a_transfer_holds_one_message_or_a_batch() -> None:
    one, other = data_section(b"1"), data_section(b"2")
    assert [each.body for each in read_messages(one, MESSAGE)] == [b"1"]
    assert [each.body for each in read_messages(data_section(one) + data_section(other), BATCH)] == [b"1", b"2"]


def test_an_answer_gives_the_id_back_as_it_came() -> None:
    head = read_head(message(e.described(0x73, e.list_([e.ulong(7), e.null(), e.null(), e.null(), e.string("me")]))))
    assert head == RequestHead(e.ulong(7), "me")
    assert read_head(message()) == RequestHead(e.null(), None)


def test_names_that_are_no_texts_are_passed_over() -> None:
    pairs = [(e.int_(1), e.int_(2)), (e.symbol("a"), e.int_(3))]
    assert read_application(message(application=e.described(0x74, e.map_(pairs)))) == {"a": 3}
    assert read_annotations(message(annotations=e.described(0x72, e.map_(pairs)))) == {"a": 3}
    assert read_properties(message()).to is None


def test_what_cannot_be_read_is_an_error_for_the_peer() -> None:
    twice = e.map_([(e.string("a"), e.null())] * 2)
    wrong = message(e.described(0x73, e.list_([e.list_([])])), e.described(0x74, twice), e.described(0x72, twice))
    for read in (read_head, read_properties, read_application, read_annotations):
        with pytest.raises(MessageMalformed):
            read(wrong)
    for message_format in (MESSAGE, BATCH):
        with pytest.raises(MessageMalformed) as caught:
            read_messages(b"\x00", message_format)
    assert link_error(caught.value).condition == "amqp:decode-error"
