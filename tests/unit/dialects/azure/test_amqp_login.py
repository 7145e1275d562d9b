import pytest

from ironhub.core.ids import Identity, identity
from ironhub.dialects.azure.amqp_login import MAX_USERNAME, parse_login
from ironhub.identity.model import AuthenticationFailed

NAMES = ("hub.example", "127.0.0.1", "localhost", "root.example")


@pytest.mark.parametrize(
    ("username", "who"),
    [
        ("iothubowner@sas.root.hub", "iothubowner"),
        ("iothubowner@sas.root.hub.example", "iothubowner"),
        ("service@sas.root.LOCALHOST", "service"),
        ("service@sas.root.127", "service"),
        ("service@sas.root.127.0.0.1", "service"),
        ("press-7@sas.hub", identity("press-7")),
        ("press-7@sas.Hub.example", identity("press-7")),
        ("press-7/modules/arm@sas.localhost", identity("press-7", "arm")),
        ("a@sas.b@sas.hub", identity("a@sas.b")),
        ("press-7@sas.root", identity("press-7")),
        ("service@sas.root.root", "service"),
    ],
)
def test_a_user_name_names_a_policy_a_device_or_a_module(username: str, who: Identity | str) -> None:
    assert parse_login(username, NAMES) == who


@pytest.mark.parametrize(
    "username",
    [
        "",
        "press-7",
        "@sas.hub",
        "@sas.root.hub",
        "press-7@hub",
        "press-7@sas.other",
        "service@sas.root.other",
        "press-7@sas.",
        "press 7@sas.hub",
        "press-7/modules/@sas.hub",
        "press-7/arm@sas.hub",
        "a/modules/b/modules/c@sas.hub",
        "0ne00000000/registrations/press-7",
        "d" * MAX_USERNAME + "@sas.hub",
    ],
)
def test_anything_else_is_refused_alike(username: str) -> None:
    with pytest.raises(AuthenticationFailed, match=r"^the user name was not accepted$") as refused:
        parse_login(username, NAMES)
    assert len(refused.value.detail) < 300
