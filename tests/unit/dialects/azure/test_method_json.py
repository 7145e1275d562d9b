"""Direct methods over REST as the SDKs write them."""

import pytest

from ironhub.core.errors import InvalidArgument
from ironhub.core.strict_json import JsonInvalid
from ironhub.dialects.azure.method_json import decode_method_call, encode_method_answer
from ironhub.messaging.methods.model import MethodAnswer, MethodCall


def test_the_node_sdk_sends_everything() -> None:
    body = b'{"methodName":"reboot","payload":null,"responseTimeoutInSeconds":30,"connectTimeoutInSeconds":0}'
    assert decode_method_call(body) == MethodCall(name="reboot")


def test_the_python_sdk_sends_an_empty_text_for_no_payload() -> None:
    assert decode_method_call(b'{"methodName": "reboot", "payload": ""}') == MethodCall(name="reboot", payload=b'""')


def test_any_json_is_a_payload() -> None:
    call = decode_method_call(
        '{"methodName":"m","payload":[1,{"ö":0.5}],"responseTimeoutInSeconds":7.5,"connectTimeoutInSeconds":null}'.encode()
    )
    assert call == MethodCall(name="m", payload='[1,{"ö":0.5}]'.encode(), response_timeout=7.5)


@pytest.mark.parametrize(
    "body",
    [
        b'{"payload":1}',
        b'{"methodName":null}',
        b'{"methodName":5}',
        b'{"methodName":"m","responseTimeoutInSeconds":"30"}',
        b'{"methodName":"m","responseTimeoutInSeconds":true}',
        b'{"methodName":"m","connectTimeoutInSeconds":[]}',
        b'{"methodName":"m","connectTimeoutInSeconds":' + b"9" * 400 + b"}",
    ],
)
def test_a_field_of_the_wrong_kind_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidArgument):
        decode_method_call(body)


def test_a_body_that_is_no_json_object_is_refused() -> None:
    for body in (b"", b"[]", b"{"):
        with pytest.raises(JsonInvalid):
            decode_method_call(body)


def test_the_answer_goes_out_as_the_device_wrote_it() -> None:
    assert encode_method_answer(MethodAnswer(200, b'{"ok": 1.50}')) == b'{"status":200,"payload":{"ok": 1.50}}'
    assert encode_method_answer(MethodAnswer(-1, b"null")) == b'{"status":-1,"payload":null}'
