import pytest

from ironhub.core.errors import CorruptStore, HubError, InvalidArgument, Unavailable


def test_an_error_has_words_for_the_caller_and_more_for_our_own_log() -> None:
    error = InvalidArgument("the key is bad", detail="17 bytes")
    assert (str(error), error.detail) == ("the key is bad", "17 bytes")
    assert "17" not in repr(error)
    assert HubError("something").detail == ""


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (HubError, "hub.error", 500),
        (InvalidArgument, "argument.invalid", 400),
        (Unavailable, "hub.unavailable", 503),
        (CorruptStore, "store.corrupt", 500),
    ],
)
def test_codes_and_statuses_are_stable(error: type[HubError], code: str, status: int) -> None:
    assert (error.code, error.status) == (code, status)
    assert error.next_step.endswith(".")
