"""Whatever stands in headers and batches is read, or refused with a documented error; no header ends early."""

import json
import re
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from ironhub.core.errors import InvalidArgument
from ironhub.core.ids import InvalidId, identity
from ironhub.core.strict_json import JsonInvalid
from ironhub.dialects.azure.http_messages import (
    decode_batch,
    decode_caller,
    decode_properties,
    encode_delivery,
    is_batch,
)
from ironhub.heads.http.exchange import Exchange
from ironhub.heads.http.messages import HttpSettings, Response
from ironhub.messaging.commands.model import Command, Delivery

LATIN = st.text(st.characters(max_codepoint=255), max_size=20)
NAMES = st.sampled_from(["iothub-app-a", "IoTHub-App-B", "iothub-messageid", "iothub-to", "dt-subject", "host"]) | LATIN
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["body", "base64Encoded", "properties", "iothub-app-a", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(st.lists(st.tuples(NAMES, LATIN), max_size=8), LATIN)
def test_any_headers_become_an_object_of_texts(fields: list[tuple[str, str]], address: str) -> None:
    read = json.loads(decode_properties(fields, address) or b"{}")
    assert all(isinstance(value, str) for value in read.values())
    assert len(read) <= len(fields)


@settings(max_examples=200)
@given(st.binary(max_size=60) | st.builds(lambda value: json.dumps(value).encode(), JSON))
def test_a_batch_is_read_whole_or_refused(data: bytes) -> None:
    messages = None
    with suppress(JsonInvalid, InvalidArgument):
        messages = decode_batch(data)
    assert messages is None or len(messages) == len(json.loads(data))


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=12), max_size=4), st.text(max_size=12))
def test_whatever_a_back_end_writes_a_command_is_one_answer(properties: dict[str, str], text: str) -> None:
    command = Command(
        identity=identity("d"),
        sequence_number=1,
        message_id=text,
        correlation_id=text,
        content_type=text,
        body=b"x",
        enqueued_at=0.0,
        expires_at=1.0,
        properties=properties,
    )
    exchange = Exchange(HttpSettings())
    exchange.take_head(bytearray(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"))
    headers = encode_delivery(Delivery(command=command, lock_token="l"))
    answer = exchange.respond(Response(200, b"x", headers), 0.0)
    head, end, body = answer.partition(b"\r\n\r\n")
    assert (end, body) == (b"\r\n\r\n", b"x")
    lines = head.split(b"\r\n")[1:]
    assert len(lines) == len(headers) + 3
    assert all(re.fullmatch(rb"[!#-'*+.0-9A-Z^_`a-z|~-]+: [^\x00-\x08\x0a-\x1f\x7f]*", line) for line in lines)


@given(st.text(max_size=300))
def test_a_caller_is_a_module_or_refused(header: str) -> None:
    assert is_batch(header) in {True, False}
    caller = None
    with suppress(InvalidArgument, InvalidId):
        caller = decode_caller(header)
    assert caller is None or (str(caller) == header and caller.module_id)
