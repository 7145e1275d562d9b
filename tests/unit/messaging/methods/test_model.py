from ironhub.core.errors import HubError
from ironhub.messaging.methods.model import (
    MAX_PAYLOAD,
    DeviceConnectionLost,
    DeviceNotOnline,
    MethodAnswerInvalid,
    MethodCall,
    MethodTimeout,
    TooManyCalls,
)


def test_a_call_waits_for_its_answer_and_not_for_the_device_unless_told_otherwise() -> None:
    call = MethodCall(name="reboot")
    assert (call.payload, call.response_timeout, call.connect_timeout) == (b"null", 30.0, 0.0)
    assert MAX_PAYLOAD == 128 * 1024


def test_who_is_not_online_was_waited_for() -> None:
    assert DeviceNotOnline("not there").waited == 0.0
    assert DeviceNotOnline("not there", waited=5.0).waited == 5.0


def test_errors_have_stable_codes_and_statuses() -> None:
    errors: list[type[HubError]] = [
        DeviceNotOnline,
        DeviceConnectionLost,
        MethodTimeout,
        MethodAnswerInvalid,
        TooManyCalls,
    ]
    assert [(error.code, error.status) for error in errors] == [
        ("method.device_not_online", 404),
        ("method.connection_lost", 404),
        ("method.timeout", 504),
        ("method.answer_invalid", 502),
        ("method.too_many", 403),
    ]
