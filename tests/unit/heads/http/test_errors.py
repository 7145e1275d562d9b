"""What can be wrong with a request says what to do about it."""

import pytest

from ironhub.core.errors import HubError
from ironhub.dialects.azure.errors import azure_error
from ironhub.heads.http import errors
from ironhub.heads.http.errors import MethodNotAllowed

KINDS: list[type[HubError]] = [
    kind for kind in vars(errors).values() if getattr(kind, "__module__", "") == errors.__name__
]


@pytest.mark.parametrize("kind", KINDS)
def test_each_has_a_code_and_a_next_step_of_its_own_and_keeps_its_status(kind: type[HubError]) -> None:
    error = kind("x", allow=("GET",)) if issubclass(kind, MethodNotAllowed) else kind("x")
    assert error.code not in {other.code for other in KINDS if other is not kind}
    assert error.next_step != HubError.next_step
    assert azure_error(error).status == error.status


def test_a_method_that_is_not_allowed_knows_which_are() -> None:
    assert MethodNotAllowed("x", allow=("GET", "PUT")).allow == ("GET", "PUT")
